using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>E7 in a rebuild: a view that cannot be written parks its key there as it does when it follows the log.</summary>
public sealed class RebuildRefusedTests : IAsyncLifetime
{
    private readonly MoodyProjection moody = new();
    private readonly MoodyOwnersProjection owners = new();
    private StoreUnderTest it = null!;

    public static TheoryData<Mood> Moods => [.. Enum.GetValues<Mood>()];

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create(options =>
    {
        MoodyProjection.Configure(options, moody);
        options.Projections.Add(owners, ProjectionLifecycle.Async);
    });

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Theory]
    [MemberData(nameof(Moods))]
    public async Task Every_kind_parks_as_it_does_when_it_follows_the_log(Mood mood)
    {
        for (var i = 1; i <= 40; i++)
            await it.Append($"parcel/{i}", new Packed($"owner{i}", i), new Weighed(i));
        await it.Append("parcel/7", new Weighed((long)mood), new Weighed(1));
        await it.Append("parcel/9", new Weighed(2), new Weighed(3), new Weighed((long)mood));
        var live = await Live();
        live.Parked.Count.ShouldBe(3);

        await Rebuild("MoodyProjection", viewsPerSlice: 1000);
        (await Everything()).ShouldBe(live);
        await Rebuild("MoodyProjection", viewsPerSlice: 10);
        (await Everything()).ShouldBe(live);

        moody.IsMoody = false;
        (await it.Store.ProjectionOperations.Retry("MoodyProjection", null, CancellationToken.None)).ShouldBe(new(2, 0));
        (await it.Database.Scalar<string>("select data ->> 'story' from mt_doc_moody where id = 'parcel/7'")).ShouldBe($"0 7 {mood} 1");
    }

    [Theory]
    [InlineData(Mood.Cycle)]
    [InlineData(Mood.NoText)]
    [InlineData(Mood.TooLongForItsIndex)]
    public async Task So_it_does_in_a_view_of_many_streams_and_in_views_put_aside_half_folded(Mood mood)
    {
        for (var i = 0; i < 60; i++)
            await it.Append($"parcel/{i % 20}", [.. Enumerable.Range(0, 50).Select(number => new Packed($"owner{number}", number == 7 && i is 5 or 45 ? (int)mood : 1))]);
        var live = await Live();
        live.Parked.Count.ShouldBeGreaterThan(2);

        await Rebuild("MoodyOwnersProjection", viewsPerSlice: 1000, TimeSpan.Zero);
        (await Everything()).ShouldBe(live);
        await Rebuild("MoodyOwnersProjection", viewsPerSlice: 8);
        (await Everything()).ShouldBe(live);
        await Rebuild("MoodyProjection", viewsPerSlice: 1000, TimeSpan.Zero);
        (await Everything()).ShouldBe(live);
    }

    [Theory]
    [MemberData(nameof(Moods))]
    public async Task So_it_does_with_what_comes_while_the_table_is_filled(Mood mood)
    {
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(1));
        await it.Append("parcel/2", new Packed("anna", 1), new Weighed(1));
        var comes = false;
        await new ProjectionRebuild(it.Store).Run(
            Registration("MoodyProjection"),
            new RebuildControlTests.Told(told =>
            {
                if (comes)
                    return;
                comes = true;
                it.Append("parcel/1", new Weighed(2), new Weighed((long)mood), new Weighed(3)).GetAwaiter().GetResult();
                it.Append("parcel/2", new Weighed(2)).GetAwaiter().GetResult();
            }),
            CancellationToken.None);

        (await it.Database.Scalar<string>("select string_agg(data ->> 'story', ', ' order by id) from mt_doc_moody")).ShouldBe("0 1 2, 0 1 2");
        var parked = (await it.Store.ProjectionOperations.Parked("MoodyProjection", CancellationToken.None)).ShouldHaveSingleItem();
        (parked.Key, parked.Sequence, parked.Waiting).ShouldBe(("parcel/1", 6, 2));
    }

    [Fact]
    public async Task A_long_text_that_its_index_can_pack_is_no_reason_to_park()
    {
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(MoodyProjection.LongAndDull));

        await Rebuild("MoodyProjection", viewsPerSlice: 1000);

        (await it.Store.ProjectionOperations.Parked("MoodyProjection", CancellationToken.None)).ShouldBeEmpty();
        (await it.Database.Scalar<int>("select length(label) from mt_doc_moody")).ShouldBe(6000);
    }

    [Fact]
    public async Task A_new_version_becomes_ready_although_a_view_of_it_cannot_be_written()
    {
        for (var i = 1; i <= 300; i++)
            await it.Append($"parcel/{i}", new Packed("anna", 1), new Weighed(i == 99 ? (long)Mood.NoText : 1));
        var newer = it.AnotherNode(options => MoodyProjection.Configure(options, new() { Version = 2 }));
        await newer.ApplyAllConfiguredChangesToDatabaseAsync();

        var daemon = await it.StartDaemon(newer);
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await it.Database.Scalar<long>("select count(*) from mt_doc_moody_2 where mt_version = 2")).ShouldBe(299);
        (await newer.ProjectionOperations.List(CancellationToken.None)).Single().ShouldSatisfyAllConditions(
            summary => summary.Rebuild!.State.ShouldBe("done"), summary => summary.Parked.ShouldBe(1));
        (await it.Database.Scalar<long>("select count(*) from pg_class where relname like 'cavecomm_building_%'")).ShouldBe(0);
    }

    [Fact]
    public async Task Views_that_can_be_written_and_not_read_do_not_end_a_rebuild_that_was_cut_off()
    {
        var store = it.AnotherNode(options => options.Projections.Add<OneWayProjection>(ProjectionLifecycle.Async));
        await store.ApplyAllConfiguredChangesToDatabaseAsync();
        for (var i = 0; i < 30; i++)
            await it.Append($"parcel/{i % 3}", [.. Enumerable.Range(0, 100).Select(number => new Weighed(number))]);
        var rebuild = new ProjectionRebuild(store) { CheckpointEvery = TimeSpan.Zero };
        using var stop = new CancellationTokenSource();
        var half = new RebuildControlTests.Told(told =>
        {
            if (told.EventsDone >= 2000)
                stop.Cancel();
        });
        var registration = store.Options.Projections.Stored().Single();

        await Should.ThrowAsync<OperationCanceledException>(() => rebuild.Run(registration, half, stop.Token));
        (await it.Database.Scalar<long>("select count(*) from cavecomm_building_rebuildrefusedtests_oneway_aside where data is not null")).ShouldBe(3);
        await Eventually.Holds("nobody is at it", async () => (await rebuild.Requested(CancellationToken.None)).Count == 1);
        await rebuild.Run(registration, null, CancellationToken.None);

        (await it.Database.Scalar<long>("select count(*) from mt_doc_rebuildrefusedtests_oneway where mt_version = 1000")).ShouldBe(3);
        (await it.Database.Scalar<long>("select count(*) from cavecomm_parked_event")).ShouldBe(0);
    }

    [Fact]
    public async Task A_row_that_cannot_be_read_back_parks_its_key_while_the_table_is_filled()
    {
        await it.Append("parcel/1", new Packed("anna", 1));
        await it.Append("parcel/2", new Packed("anna", 1));
        var store = it.AnotherNode(options => options.Projections.Add<OneWayProjection>(ProjectionLifecycle.Async));
        await store.ApplyAllConfiguredChangesToDatabaseAsync();
        var comes = false;
        await new ProjectionRebuild(store).Run(
            store.Options.Projections.Stored().Single(),
            new RebuildControlTests.Told(told =>
            {
                if (!comes)
                    it.Append("parcel/1", new Weighed(2), new Weighed(3)).GetAwaiter().GetResult();
                comes = true;
            }),
            CancellationToken.None);

        (await it.Database.Scalar<long>("select sum(mt_version)::bigint from mt_doc_rebuildrefusedtests_oneway")).ShouldBe(2, "the row is as it was");
        var parked = (await store.ProjectionOperations.Parked("OneWayProjection", CancellationToken.None)).ShouldHaveSingleItem();
        (parked.Key, parked.Sequence, parked.Waiting).ShouldBe(("parcel/1", 3, 2));
    }

    private async Task<State> Live()
    {
        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await daemon.StopAllAsync();
        return await Everything();
    }

    private ProjectionOptions.Registration Registration(string name) => it.Store.Options.Projections.Stored().Single(it => it.Projection.Name == name);

    private Task Rebuild(string name, int viewsPerSlice, TimeSpan? checkpointEvery = null) =>
        new ProjectionRebuild(it.Store) { ViewsPerSlice = viewsPerSlice, CheckpointEvery = checkpointEvery ?? TimeSpan.FromSeconds(20) }
            .Run(Registration(name), null, CancellationToken.None);

    private async Task<State> Everything() => new(
        await it.Database.Scalar<string>("select string_agg(concat(id, data, label, mt_version), E'\\n' order by id) from mt_doc_moody"),
        await it.Database.Scalar<string>("select string_agg(concat(id, data, mt_version), E'\\n' order by id) from mt_doc_rebuildrefusedtests_moodyowner"),
        await it.Database.Scalar<string[]>("select array_agg(concat_ws(' ', shard, key, seq_id, event_id, reason) order by shard, key, seq_id) from cavecomm_parked_event"));

    private sealed record State(string Views, string Owners, IReadOnlyList<string> Parked)
    {
        public bool Equals(State? other) => other is not null && other.Views == Views && other.Owners == Owners && other.Parked.SequenceEqual(Parked);

        public override int GetHashCode() => Views.Length;

        public override string ToString() => $"{Views}\n{Owners}\n{string.Join('\n', Parked)}";
    }

    /// <summary>What an interface holds can be written, but nobody knows what to read it as.</summary>
    public sealed record OneWay(string Id, IReadOnlyList<IFormattable> Weights);

    public sealed class OneWayProjection : SingleStreamProjection<OneWay, string>
    {
        public override OneWay? Evolve(OneWay? snapshot, string id, IEvent e) => new(id, e.Data is Weighed weighed ? [weighed.Grams] : [1]);
    }

    /// <param name="Label">Not in a column of its own: too long only for the view of one stream.</param>
    public sealed record MoodyOwner(string Id, int Count, object? Odd, string? Label);

    public sealed class MoodyOwnersProjection : MultiStreamProjection<MoodyOwner, string>
    {
        public MoodyOwnersProjection() => Identity<Packed>(packed => packed.Owner);

        public override MoodyOwner? Evolve(MoodyOwner? snapshot, string id, IEvent e)
        {
            var mood = MoodyProjection.Fold(null, id, (Mood)((Packed)e.Data).Items, isMoody: true);
            return new(id, 1 + (snapshot?.Count ?? 0), snapshot?.Odd ?? mood.Odd, null);
        }
    }
}
