using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

public sealed class RebuildControlTests : IAsyncLifetime
{
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task A_paused_rebuild_goes_on_from_its_checkpoint()
    {
        for (var i = 0; i < 64; i++)
            await it.Append($"parcel/{i}", new Packed("anna", i), new Weighed(i));
        var rebuild = new ProjectionRebuild(it.Store) { ViewsPerSlice = 4 };
        var pause = new Told(told =>
        {
            if (told.EventsDone > 0)
                rebuild.SetPaused("ParcelProjection:All", true, CancellationToken.None).GetAwaiter().GetResult();
        });

        var paused = await Should.ThrowAsync<RebuildPausedException>(() => rebuild.Run(Parcels(it.Store), pause, CancellationToken.None));
        paused.Progress.EventsDone.ShouldBeInRange(1, 127);
        (await rebuild.Progress("ParcelProjection:All", CancellationToken.None))!.State.ShouldBe("paused");
        (await rebuild.Requested(CancellationToken.None)).ShouldBeEmpty();
        var kept = await it.Database.Scalar<long>("select count(*) from cavecomm_building_parcel");
        kept.ShouldBeInRange(1, 63);
        (await it.Database.Scalar<long>("select count(*) from mt_doc_parcel")).ShouldBe(0);

        await rebuild.SetPaused("ParcelProjection:All", false, CancellationToken.None);
        (await rebuild.Requested(CancellationToken.None)).ShouldBe(["ParcelProjection:All"]);
        var first = new List<RebuildProgress>();
        await rebuild.Run(Parcels(it.Store), new Told(first.Add), CancellationToken.None);
        first[0].EventsDone.ShouldBeGreaterThanOrEqualTo(paused.Progress.EventsDone);
        first[^1].ShouldSatisfyAllConditions(last => last.State.ShouldBe("done"), last => last.Fraction.ShouldBe(1));
        (await it.Database.Scalar<long>("select count(*) from mt_doc_parcel where mt_version = 2")).ShouldBe(64);
        (await rebuild.Requested(CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_rebuild_that_was_cut_off_in_the_middle_of_a_slice_goes_on_there()
    {
        for (var i = 0; i < 60; i++)
            await it.Append($"parcel/{i % 20}", [.. Enumerable.Range(0, 50).Select(number => new Packed($"owner{number % 3}", i))]);
        await CheckAll();
        var rebuild = new ProjectionRebuild(it.Store) { CheckpointEvery = TimeSpan.Zero };
        foreach (var registration in it.Store.Options.Projections.Stored())
        {
            using var stop = new CancellationTokenSource();
            var half = new Told(told =>
            {
                if (told.EventsDone >= 2000)
                    stop.Cancel();
            });
            await Should.ThrowAsync<OperationCanceledException>(() => rebuild.Run(registration, half, stop.Token));
            await Eventually.Holds("it waits for somebody", async () => (await rebuild.Requested(CancellationToken.None)).SequenceEqual([registration.Projection.ShardName]));
            var again = new List<RebuildProgress>();
            await rebuild.Run(registration, new Told(again.Add), CancellationToken.None);
            again[0].EventsDone.ShouldBeGreaterThanOrEqualTo(1000);
        }

        await CheckAll();
    }

    [Fact]
    public async Task No_more_views_are_in_memory_than_the_bound_allows()
    {
        for (var i = 0; i < 10; i++)
            await it.Append($"parcel/{i}", [.. Enumerable.Range(0, 400).Select(number => new Packed($"owner{number}", i))]);
        var inMemory = new List<long>();
        var shelves = it.Store.Options.Projections.Stored().Single(it => it.Projection.ViewType == typeof(Shelf));
        var rebuild = new ProjectionRebuild(it.Store) { ViewsPerSlice = 50, CheckpointEvery = TimeSpan.Zero };

        await rebuild.Run(
            shelves,
            new Told(told =>
            {
                if (told.State == "running")
                    inMemory.Add(it.Database.Scalar<long>("select count(*) from cavecomm_building_shelf_aside").GetAwaiter().GetResult());
            }),
            CancellationToken.None);

        inMemory.Max().ShouldBeInRange(1, 50);
        (await it.Database.Scalar<long>("select count(*) from mt_doc_shelf where data ->> 'parcels' = '10'")).ShouldBe(400);
    }

    [Fact]
    public async Task A_second_rebuild_is_refused_and_told_how_far_the_first_is()
    {
        for (var i = 0; i < 20; i++)
            await it.Append($"parcel/{i}", new Packed("anna", i));
        var rebuild = new ProjectionRebuild(it.Store) { ViewsPerSlice = 2 };
        var refused = new List<RebuildRunningException>();
        var meddler = new Told(told =>
        {
            if (told.EventsDone is > 0 and < 20)
            {
                refused.Add(Should.Throw<RebuildRunningException>(() => new ProjectionRebuild(it.Store).Run(Parcels(it.Store), null, CancellationToken.None)));
                refused.Add(Should.Throw<RebuildRunningException>(() => rebuild.Request(Parcels(it.Store), CancellationToken.None)));
            }
        });

        await rebuild.Run(Parcels(it.Store), meddler, CancellationToken.None);
        refused.ShouldNotBeEmpty();
        refused.ShouldAllBe(it => it.Progress.EventsTotal == 20 && it.Progress.EventsDone > 0 && it.Progress.State == "running");
        await rebuild.Request(Parcels(it.Store), CancellationToken.None);
        (await rebuild.Progress("ParcelProjection:All", CancellationToken.None))!.State.ShouldBe("requested");
    }

    [Fact]
    public async Task The_new_table_has_the_names_columns_and_grants_of_the_old_one()
    {
        var store = it.AnotherNode(options =>
        {
            StoreUnderTest.Async(options);
            options.Schema.For<Parcel>().Duplicate(parcel => parcel.Owner).Duplicate(parcel => parcel.SentAt);
        });
        await store.ApplyAllConfiguredChangesToDatabaseAsync();
        await it.Append("parcel/1", new Packed("anna", 1), new Sent(DateTimeOffset.UnixEpoch));
        var role = $"reader_{Guid.NewGuid():N}";
        await it.Database.Execute($"create role {role}; grant select on mt_doc_parcel to {role}");
        var before = await Shape();

        await store.BuildProjectionDaemon().RebuildProjectionAsync<Parcel>(CancellationToken.None);

        (await Shape()).ShouldBe(before);
        (await it.Database.Scalar<bool>($"select has_table_privilege('{role}', 'mt_doc_parcel', 'select')")).ShouldBeTrue();
        await it.Database.Execute($"drop owned by {role}; drop role {role}");
        (await it.Database.Scalar<long>("select count(*) from pg_class where relname like 'cavecomm_building%'")).ShouldBe(0);
        await using var query = store.QuerySession();
        (await query.QueryAsync<Parcel>("where owner = ? and sent_at = ?", CancellationToken.None, "anna", DateTimeOffset.UnixEpoch)).Count.ShouldBe(1);

        Task<string> Shape() => it.Database.Scalar<string>("""
            select string_agg(line, E'\n' order by line) from (
                select column_name || ' ' || data_type || ' ' || ordinal_position || ' ' || is_nullable as line
                from information_schema.columns where table_name = 'mt_doc_parcel'
                union all select indexdef from pg_indexes where tablename = 'mt_doc_parcel'
                union all select conname from pg_constraint where conrelid = 'mt_doc_parcel'::regclass) as lines
            """);
    }

    [Fact]
    public async Task A_column_that_newer_code_has_added_is_not_emptied()
    {
        await it.Append("parcel/1", new Packed("anna", 1));
        await it.Database.Execute("alter table mt_doc_parcel add column weight_class varchar");

        (await Should.ThrowAsync<UnknownColumnException>(() => it.Store.BuildProjectionDaemon().RebuildProjectionAsync<Parcel>(CancellationToken.None)))
            .Message.ShouldContain("weight_class");
    }

    [Fact]
    public async Task A_gap_in_a_stream_fails_the_rebuild_and_leaves_the_old_rows()
    {
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(1), new Weighed(2));
        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await daemon.StopAllAsync();
        await it.Database.Execute("delete from mt_events where version = 2");
        var rebuild = new ProjectionRebuild(it.Store);

        await Should.ThrowAsync<RebuildOrderException>(() => rebuild.Run(Parcels(it.Store), null, CancellationToken.None));
        (await rebuild.Progress("ParcelProjection:All", CancellationToken.None))!.ShouldSatisfyAllConditions(
            told => told.State.ShouldBe("failed"), told => told.Error.ShouldNotBeNull().ShouldContain("after version 1"));
        (await it.Database.Scalar<long>("select mt_version from mt_doc_parcel")).ShouldBe(3);
    }

    internal static ProjectionOptions.Registration Parcels(DocumentStore store) =>
        store.Options.Projections.Stored().Single(it => it.Projection.ViewType == typeof(Parcel));

    private async Task CheckAll()
    {
        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await daemon.StopAllAsync();
        await using var session = it.Store.QuerySession();
        var parcels = await session.QueryAsync<Parcel>("", CancellationToken.None);
        parcels.Count.ShouldBe(20);
        foreach (var parcel in parcels)
            parcel.Versions.ShouldBe(Enumerable.Range(1, 150).Select(version => (long)version));
        var shelves = await session.QueryAsync<Shelf>("", CancellationToken.None);
        shelves.Count.ShouldBe(3);
        shelves.SelectMany(shelf => shelf.Sequences).Order().ShouldBe(Enumerable.Range(1, 3000).Select(sequence => (long)sequence));
        shelves.ShouldAllBe(shelf => shelf.Sequences.SequenceEqual(shelf.Sequences.Order()));
    }

    /// <summary>Hears of progress at once, on the rebuild's own thread.</summary>
    internal sealed class Told(Action<RebuildProgress> hear) : IProgress<RebuildProgress>
    {
        public void Report(RebuildProgress value) => hear(value);
    }
}
