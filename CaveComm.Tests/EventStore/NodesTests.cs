using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>E9: several nodes share the projections.</summary>
public sealed class NodesTests : IAsyncLifetime
{
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task Two_nodes_take_one_projection_each_and_a_wait_on_either_ends_with_the_commit()
    {
        var (first, second) = (await it.StartDaemon(), await it.StartDaemon(it.AnotherNode()));
        await Eventually.Holds("each runs one", () => Running(first) == 1 && Running(second) == 1);
        first.Shards.Zip(second.Shards).ShouldAllBe(pair => (pair.First.State == ShardStatus.Running) != (pair.Second.State == ShardStatus.Running));

        var events = await it.Append("parcel/1", new Packed("anna", 1));

        foreach (var daemon in new[] { first, second })
        {
            (await daemon.WaitForPosition<Parcel>(events[0].Sequence, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
            (await daemon.WaitForPosition<Shelf>(events[0].Sequence, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task What_a_node_ran_runs_elsewhere_when_it_is_gone()
    {
        var (first, second) = (await it.StartDaemon(), await it.StartDaemon(it.AnotherNode()));
        await Eventually.Holds("each runs one", () => Running(first) == 1 && Running(second) == 1);

        await first.StopAllAsync();
        await Eventually.Holds("the other runs both", () => Running(second) == 2);
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(1));
        await second.WaitForNonStaleData(StoreUnderTest.Patience);

        await using var session = it.Store.QuerySession();
        (await session.LoadAsync<Parcel>("parcel/1"))!.Versions.ShouldBe([1, 2]);
        first.Shards.ShouldAllBe(shard => shard.State == ShardStatus.Stopped);
    }

    [Fact]
    public async Task A_node_that_loses_its_connections_takes_part_again()
    {
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", 1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        await it.Database.Execute(
            $"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{it.Database.Name}' and application_name like 'cavecomm%' and pid <> pg_backend_pid()");
        await it.Append("parcel/1", new Weighed(1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        await using var session = it.Store.QuerySession();
        (await session.LoadAsync<Parcel>("parcel/1"))!.Versions.ShouldBe([1, 2]);
    }

    [Fact]
    public async Task A_projection_that_only_one_node_knows_is_run_by_it_whatever_its_share()
    {
        var daemon = await it.StartDaemon();
        var stranger = await it.StartDaemon(it.AnotherNode(options => options.Projections.Add<TallyProjection>(ProjectionLifecycle.Async)));

        await Eventually.Holds("all three run", () => Running(daemon) == 2 && Running(stranger) == 1);
    }

    [Fact]
    public async Task Two_nodes_that_both_believe_to_lead_apply_each_event_once()
    {
        using var stop = new CancellationTokenSource();
        var nodes = new[] { it.Store, it.AnotherNode() }
            .Select(store => (Recent: new RecentEvents(0), Shard: new ProjectionShard(store, new ShelfProjection(), NullLogger.Instance)))
            .ToList();
        var running = nodes.Select(node => Task.Run(() => node.Shard.Run(node.Recent, stop.Token))).ToList();
        IReadOnlyList<IEvent> events = [];
        for (var i = 0; i < 100; i++)
        {
            events = await it.Append($"parcel/{i}", new Packed("anna", 1));
            nodes.ForEach(node => node.Recent.Publish(events, events[^1].Sequence));
        }

        foreach (var (_, shard) in nodes)
            (await shard.Position.WaitFor(events[^1].Sequence, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        await stop.CancelAsync();
        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

        await using var session = it.Store.QuerySession();
        (await session.LoadAsync<Shelf>("anna"))!.Sequences.ShouldBe(Enumerable.Range(1, 100).Select(sequence => (long)sequence));
    }

    [Fact]
    public async Task A_fold_that_never_ends_holds_up_nobody_else_and_is_begun_again()
    {
        using var gate = new ManualResetEventSlim();
        var projection = new HangingProjection(gate);
        var store = it.AnotherNode(options =>
        {
            StoreUnderTest.Async(options);
            options.Projections.Add(projection, ProjectionLifecycle.Async);
            options.Projections.StallTimeout = TimeSpan.FromMilliseconds(500);
        });
        await store.ApplyAllConfiguredChangesToDatabaseAsync();
        var daemon = await it.StartDaemon(store);
        var events = await it.Append("parcel/1", new Packed("anna", 1));

        (await daemon.WaitForPosition<Parcel>(events[0].Sequence, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        (await daemon.WaitForPosition<Hanging>(events[0].Sequence, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();

        projection.Begun.ShouldBeGreaterThan(1);
        gate.Set(); // The first one wakes up, and can do no harm.
        await it.Append("parcel/1", new Weighed(1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await using var session = store.QuerySession();
        (await session.LoadAsync<Hanging>("parcel/1"))!.Events.ShouldBe(2);
    }

    private static int Running(ProjectionDaemon daemon) => daemon.Shards.Count(shard => shard.State == ShardStatus.Running);

    public sealed record Tally(string Id, int Events);

    public sealed class TallyProjection : SingleStreamProjection<Tally, string>
    {
        public override Tally? Evolve(Tally? snapshot, string id, IEvent e) => new(id, (snapshot?.Events ?? 0) + 1);
    }

    public sealed record Hanging(string Id, int Events);

    public sealed class HangingProjection(ManualResetEventSlim gate) : SingleStreamProjection<Hanging, string>
    {
        private int begun;

        public int Begun => Volatile.Read(ref begun);

        public override Hanging? Evolve(Hanging? snapshot, string id, IEvent e)
        {
            if (Interlocked.Increment(ref begun) == 1)
                gate.Wait(StoreUnderTest.Patience);
            return new(id, (snapshot?.Events ?? 0) + 1);
        }
    }
}
