using CaveComm.EventStore;
using FsCheck;
using FsCheck.Fluent;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

public sealed class RebuildTests : IAsyncLifetime
{
    private static readonly Gen<ParcelEvent> AnyEvent = Gen.OneOf(
        Gen.Choose(1, 3).Select(owner => (ParcelEvent)new Packed($"owner{owner}", owner)),
        Gen.Choose(1, 3).Select(grams => (ParcelEvent)new Weighed(grams)),
        Gen.Constant((ParcelEvent)new Sent(DateTimeOffset.UnixEpoch)),
        Gen.Constant((ParcelEvent)new Withdrawn()));

    /// <summary>Appends to any of a few streams, each of one to three events.</summary>
    private static readonly Gen<(int Stream, ParcelEvent[] Events)[]> AnyHistory = (
        from stream in Gen.Choose(1, 4)
        from count in Gen.Choose(1, 3)
        from events in AnyEvent.ArrayOf(count)
        select (stream, events)).ArrayOf();

    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public void Rebuilt_views_equal_those_that_followed_and_those_that_are_folded_live() =>
        Prop.ForAll(AnyHistory.ToArbitrary(), history => RebuildEqualsLive(history).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(15));

    [Fact]
    public async Task An_inline_view_is_rebuilt_while_writers_go_on()
    {
        var store = it.AnotherNode(StoreUnderTest.Inline);
        var daemon = store.BuildProjectionDaemon();
        var stop = false;
        var writing = Task.Run(async () =>
        {
            for (var i = 0; !Volatile.Read(ref stop); i++)
            {
                await using var session = store.LightweightSession();
                session.Events.Append($"parcel/{i % 5}", new Packed("anna", 1));
                await session.SaveChangesAsync();
            }
        });
        for (var round = 0; round < 5; round++)
        {
            await daemon.RebuildProjectionAsync<Parcel>(CancellationToken.None);
            await daemon.RebuildProjectionAsync("ShelfProjection", CancellationToken.None);
        }

        Volatile.Write(ref stop, true);
        await writing;
        await using var read = store.QuerySession();
        (await read.LoadAsync<Shelf>("anna"))!.Parcels.ShouldBe((int)await it.Database.Scalar<long>("select count(*) from mt_events"));
        foreach (var parcel in await read.QueryAsync<Parcel>("", CancellationToken.None))
            parcel.Versions.ShouldBe((await read.Events.AggregateStreamAsync<Parcel>(parcel.Id))!.Versions);
    }

    [Fact]
    public async Task Readers_see_the_old_rows_until_the_new_ones_are_complete()
    {
        await it.Append("parcel/1", new Packed("anna", 1));
        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await daemon.StopAllAsync();
        await using var writer = await it.Database.Open();
        await using var open = await writer.BeginTransactionAsync();
        await using (var held = new NpgsqlCommand("select * from mt_event_progression for update", writer))
            await held.ExecuteNonQueryAsync();

        var rebuild = daemon.RebuildProjectionAsync<Parcel>(CancellationToken.None);
        await using var read = it.Store.QuerySession();
        (await read.LoadAsync<Parcel>("parcel/1")).ShouldNotBeNull();
        await open.RollbackAsync();
        await rebuild;
        (await read.LoadAsync<Parcel>("parcel/1")).ShouldNotBeNull();
    }

    private async Task RebuildEqualsLive((int Stream, ParcelEvent[] Events)[] history)
    {
        await it.Database.Execute("""
            truncate mt_streams, mt_events, mt_event_progression, mt_doc_parcel, mt_doc_shelf; alter sequence mt_events_sequence restart
            """);
        var daemon = await it.StartDaemon();
        foreach (var (stream, events) in history)
            await it.Append($"parcel/{stream}", [.. events]);
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await daemon.DisposeAsync();
        var (parcels, shelves) = (await Rows("mt_doc_parcel", "mt_version::text"), await Rows("mt_doc_shelf", "''"));

        await daemon.RebuildProjectionAsync<Parcel>(CancellationToken.None);
        await daemon.RebuildProjectionAsync<Shelf>(CancellationToken.None);

        (await Rows("mt_doc_parcel", "mt_version::text")).ShouldBe(parcels);
        (await Rows("mt_doc_shelf", "''")).ShouldBe(shelves);

        // In slices of two views, so that their borders are met too.
        foreach (var registration in it.Store.Options.Projections.Stored())
            await new ProjectionRebuild(it.Store) { ViewsPerSlice = 2, CheckpointEvery = TimeSpan.Zero }.Run(registration, null, CancellationToken.None);
        (await Rows("mt_doc_parcel", "mt_version::text")).ShouldBe(parcels);
        (await Rows("mt_doc_shelf", "''")).ShouldBe(shelves);
        await using var session = it.Store.QuerySession();
        for (var stream = 1; stream <= 4; stream++)
        {
            var live = await session.Events.AggregateStreamAsync<Parcel>($"parcel/{stream}");
            var stored = await session.LoadAsync<Parcel>($"parcel/{stream}");
            (stored?.Versions).ShouldBe(live?.Versions);
            ((stored is null) == (live is null)).ShouldBeTrue();
        }
    }

    private async Task<List<string>> Rows(string table, string version)
    {
        await using var connection = await it.Database.Open();
        await using var command = new NpgsqlCommand($"select id || ' ' || {version} || ' ' || data from {table} order by id", connection);
        await using var rows = await command.ExecuteReaderAsync();
        var all = new List<string>();
        while (await rows.ReadAsync())
            all.Add(rows.GetString(0));
        return all;
    }
}
