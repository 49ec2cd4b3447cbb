using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>Rebuilds while events come in, killed again and again, under the eyes of readers.</summary>
public sealed class RebuildBesideWritersTests : IAsyncLifetime
{
    private static readonly bool IsSoak = Environment.GetEnvironmentVariable("CAVECOMM_SOAK") == "1";
    private static readonly int Streams = IsSoak ? 2000 : 200;
    private static readonly int Kills = IsSoak ? 50 : 10;
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Theory]
    [InlineData(ProjectionLifecycle.Async)]
    [InlineData(ProjectionLifecycle.Inline)]
    public async Task Readers_never_see_less_than_before_however_often_it_is_killed(ProjectionLifecycle lifecycle)
    {
        var store = it.AnotherNode(lifecycle == ProjectionLifecycle.Async ? StoreUnderTest.Async : StoreUnderTest.Inline);
        for (var i = 0; i < Streams; i += 100)
        {
            await using var session = store.LightweightSession();
            for (var stream = i; stream < i + 100; stream++)
                session.Events.Append($"parcel/{stream}", new Packed("anna", 1));
            await session.SaveChangesAsync();
        }

        var daemon = await it.StartDaemon(store);
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        using var stop = new CancellationTokenSource();
        Task[] beside = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() => Write(store, stop.Token))), .. Enumerable.Range(0, 3).Select(_ => Task.Run(() => Poll(store, stop.Token)))];

        foreach (var registration in store.Options.Projections.Stored())
        {
            for (var kill = 0; kill < Kills; kill++)
                await Attempt(store, registration, kill);
            await Eventually.Holds("it is rebuilt", async () => await IsRebuilt(store, registration));
        }

        await stop.CancelAsync();
        await Task.WhenAll(beside);
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await using var read = store.QuerySession();
        var parcels = await read.QueryAsync<Parcel>("", CancellationToken.None);
        parcels.Count.ShouldBe(Streams);
        foreach (var parcel in parcels)
            parcel.Versions.ShouldBe(Enumerable.Range(1, (int)await it.Database.Scalar<long>($"select version from mt_streams where id = '{parcel.Id}'")).Select(version => (long)version));
        (await read.LoadAsync<Shelf>("anna"))!.Sequences.Count.ShouldBe((int)await it.Database.Scalar<long>("select count(*) from mt_events where type = 'parcel.packed'"));
        (await it.Database.Scalar<long>("select count(*) from pg_class where relname like 'cavecomm_building%'")).ShouldBe(0);
    }

    // The daemon goes on with what was cut off, so it may be at it.
    private static async Task<bool> IsRebuilt(DocumentStore store, ProjectionOptions.Registration registration)
    {
        try
        {
            await new ProjectionRebuild(store).Run(registration, null, CancellationToken.None);
            return true;
        }
        catch (RebuildRunningException)
        {
            return false;
        }
    }

    // Killed at a random moment, by its own process's end or by the loss of its connections; it may also be done before.
    private async Task Attempt(DocumentStore store, ProjectionOptions.Registration registration, int kill)
    {
        using var cut = new CancellationTokenSource();
        var rebuild = Task.Run(() => new ProjectionRebuild(store) { ViewsPerSlice = Streams / 8, CheckpointEvery = TimeSpan.FromMilliseconds(20) }
            .Run(registration, null, cut.Token));
        using (var moment = new PeriodicTimer(TimeSpan.FromMilliseconds(Random.Shared.Next(1, 150))))
            await Task.WhenAny(rebuild, moment.WaitForNextTickAsync(CancellationToken.None).AsTask());
        if (kill % 2 == 0)
            await cut.CancelAsync();
        else
            await it.Database.Execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'cavecomm rebuild%'");
        try
        {
            await rebuild;
        }
        catch (Exception killed) when (killed is OperationCanceledException or NpgsqlException or IOException or RebuildRunningException)
        {
            // As was intended; or the daemon went on with the one before.
        }

        await Eventually.Holds("its lock is free", async () =>
            !await new RebuildTable(store).IsHeld(registration.Projection.ShardName, CancellationToken.None));
    }

    private static async Task Write(DocumentStore store, CancellationToken stop)
    {
        using var beat = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!stop.IsCancellationRequested)
        {
            await using var session = store.LightweightSession();
            session.Events.Append($"parcel/{Random.Shared.Next(Streams)}", Random.Shared.Next(3) == 0 ? new Packed("anna", 1) : new Weighed(1));
            await session.SaveChangesAsync(CancellationToken.None);
            await beat.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    // On pooled connections, whose statements are prepared on the old table.
    private static async Task Poll(DocumentStore store, CancellationToken stop)
    {
        var seen = new Dictionary<string, int>();
        var shelf = 0;
        while (!stop.IsCancellationRequested)
        {
            await using var session = store.QuerySession();
            var parcels = await session.QueryAsync<Parcel>("", CancellationToken.None);
            parcels.Count.ShouldBe(Streams);
            foreach (var parcel in parcels)
            {
                parcel.Versions.Count.ShouldBeGreaterThanOrEqualTo(seen.GetValueOrDefault(parcel.Id));
                seen[parcel.Id] = parcel.Versions.Count;
            }

            var items = (await session.LoadAsync<Shelf>("anna", CancellationToken.None)).ShouldNotBeNull().Parcels;
            items.ShouldBeGreaterThanOrEqualTo(shelf);
            shelf = items;
        }
    }
}
