using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Decides which shards this node runs, for as long as its connection lives: its fair share, and what nobody else takes.</summary>
/// <remarks>A former holder that has not noticed can do no harm: each of its commits is a compare-and-set on the shard's checkpoint.</remarks>
internal sealed class ShardDistribution(
    DocumentStore store, ProjectionShard[] shards, ProjectionProgress progress, NpgsqlConnection connection, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(500);

    // What nobody took for so long is taken by whoever sees it, fair share or not; and not offered again before another pause.
    private static readonly TimeSpan Offered = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(1);
    private readonly ShardLocks locks = new(store, connection);
    private readonly ShardSwitches switches = new(store);
    private readonly RebuildDuty rebuilds = new(store, logger);
    private readonly ForgettingDuty forgetting = new(store, logger);
    private readonly Dictionary<ProjectionShard, RunningShard?> held = [];
    private readonly Dictionary<ProjectionShard, long> freeSince = [];
    private readonly Dictionary<ProjectionShard, long> keptUntil = [];
    private LogFeed? feed;

    /// <summary>The end of the log as this node reads it; null while it runs no shard.</summary>
    public RecentEvents? Recent => feed?.Recent;

    public async Task Run(CancellationToken cancel)
    {
        await locks.Announce(cancel);
        while (true)
        {
            var survey = await locks.Look(cancel);
            store.Signals.IsReadElsewhere = survey.Nodes > 1;
            var fairShare = (shards.Length + survey.Nodes - 1) / Math.Max(1, survey.Nodes);
            await TakeFree(survey, fairShare, cancel);
            await GiveBackOne(survey, fairShare, cancel);
            await ObeySwitches(cancel);
            await Watch();
            await rebuilds.Begin(held.Where(it => it.Value is not null).Select(it => it.Key.Name), cancel);
            forgetting.Begin(held.Keys.Select(it => it.Projection));
            if (shards.Any(it => !it.IsHere))
                await progress.Refresh(shards.Where(it => !it.IsHere), cancel);
            await (feed is null ? Task.Delay(Turn, cancel) : feed.RunsFor(Turn, cancel));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll([.. held.Values.OfType<RunningShard>().Select(it => it.DisposeAsync().AsTask()), rebuilds.DisposeAsync().AsTask(), forgetting.DisposeAsync().AsTask()]);
        if (feed is not null)
            await feed.DisposeAsync();
    }

    private async Task TakeFree(ShardLocks.Survey survey, int fairShare, CancellationToken cancel)
    {
        foreach (var shard in shards.Where(it => !held.ContainsKey(it)))
        {
            shard.Status = ShardStatus.Elsewhere;
            if (survey.Taken.Contains(ShardLocks.KeyOf(store, shard.Name)))
            {
                freeSince.Remove(shard);
                continue;
            }

            var now = Environment.TickCount64;
            var isLeftOver = now - freeSince.GetValueOrDefault(shard, now) > Offered.TotalMilliseconds;
            freeSince.TryAdd(shard, now);
            if ((held.Count < fairShare || isLeftOver) && await locks.TryTake(shard.Name, cancel))
            {
                held[shard] = null;
                freeSince.Remove(shard);
                if (isLeftOver)
                    keptUntil[shard] = now + (long)Kept.TotalMilliseconds;
            }
        }
    }

    // One at a time, so that the others can follow; a shard that nobody wanted last time is kept for a while.
    private async Task GiveBackOne(ShardLocks.Survey survey, int fairShare, CancellationToken cancel)
    {
        if (survey.Nodes < 2 || held.Count <= fairShare)
            return;
        var now = Environment.TickCount64;
        if (held.Keys.LastOrDefault(it => keptUntil.GetValueOrDefault(it) < now) is not { } shard)
            return;
        if (held[shard] is { } running)
            await running.DisposeAsync();
        held.Remove(shard);
        keptUntil[shard] = now + (long)Kept.TotalMilliseconds; // Should nobody take it, it comes back to stay.
        await locks.GiveBack(shard.Name, cancel);
        logger.LogInformation("{Shard} goes to another node", shard.Name);
    }

    private async Task ObeySwitches(CancellationToken cancel)
    {
        var said = await switches.All(cancel);
        foreach (var shard in held.Keys.ToList())
        {
            if (said.TryGetValue(shard.Name, out var state) && state.Paused)
            {
                if (held[shard] is { } running)
                    await running.DisposeAsync();
                held[shard] = null;
                shard.Status = ShardStatus.Paused;
            }
            else if (held[shard] is null)
            {
                feed ??= await LogFeed.Start(store, logger, cancel);
                held[shard] = RunningShard.Start(shard, rebuilds, feed.Recent);
                logger.LogInformation("This node runs {Shard}", shard.Name);
            }
        }
    }

    // A fold that never ends, or a connection that never answers, holds up nobody but itself: it is left behind and begun anew.
    private async Task Watch()
    {
        foreach (var (shard, running) in held.ToList())
        {
            if (running is null || feed is null)
                continue;
            if (running.HasEnded)
            {
                logger.LogError(running.Failure, "{Shard} has ended at {Position}; it is started again", shard.Name, shard.Position.Value);
                await running.DisposeAsync();
                held[shard] = RunningShard.Start(shard, rebuilds, feed.Recent);
            }
            else if (shard.StandsStill(feed.Recent, store.Options.Projections.StallTimeout))
            {
                logger.LogError("{Shard} stands still at {Position}; it is started again", shard.Name, shard.Position.Value);
                running.Abandon();
                held[shard] = RunningShard.Start(shard, rebuilds, feed.Recent);
            }
        }
    }

    private sealed class RunningShard : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly Task run;

        private RunningShard(ProjectionShard shard, RebuildDuty rebuilds, RecentEvents recent) => run = Task.Run(async () =>
        {
            await rebuilds.Build(shard, stop.Token);
            await shard.Run(recent, stop.Token);
        });

        public bool HasEnded => run.IsCompleted;

        public Exception? Failure => run.Exception?.GetBaseException();

        public static RunningShard Start(ProjectionShard shard, RebuildDuty rebuilds, RecentEvents recent) => new(shard, rebuilds, recent);

        public async ValueTask DisposeAsync()
        {
            // Should the fold not come back, the lock is given up all the same: what it still commits fails on the checkpoint.
            await stop.CancelAsync();
            await Task.WhenAny(run, Task.Delay(TimeSpan.FromSeconds(5)));
            if (run.IsCompleted)
                stop.Dispose();
        }

        public void Abandon() => stop.Cancel();
    }
}
