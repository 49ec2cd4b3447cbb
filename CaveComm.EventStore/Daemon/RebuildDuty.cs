using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace CaveComm.EventStore;

/// <summary>The rebuilds that this node runs beside its shards: those that somebody asked for, and the first filling of a new version.</summary>
internal sealed class RebuildDuty(DocumentStore store, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(5);

    // What is over in a moment costs a look now and then; what fails for good costs a pass over the log.
    private static readonly TimeSpan LongestRetryFromCheckpoint = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookAfterErasures = TimeSpan.FromSeconds(2);
    private readonly CancellationTokenSource stop = new();
    private readonly OvertakenRebuilds overtaken = new(store);
    private long lookedAfterErasures;
    private readonly ProjectionRebuild rebuild = new(store);
    private readonly Dictionary<string, Task> running = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (TimeSpan Pause, long Until)> cutOff = new(StringComparer.Ordinal);

    /// <summary>Begins what waits, or was left behind by a node that died, and belongs to this node's shards or to no shard.</summary>
    public async Task Begin(IEnumerable<string> shards, CancellationToken cancel)
    {
        foreach (var done in running.Where(it => it.Value.IsCompleted).Select(it => it.Key).ToList())
            running.Remove(done);
        if (Environment.TickCount64 - lookedAfterErasures > LookAfterErasures.TotalMilliseconds)
        {
            foreach (var shard in await overtaken.Drop(cancel))
                logger.LogInformation("What the rebuild of {Shard} had built before it stood still is gone: somebody was erased. It begins anew when it goes on", shard);
            lookedAfterErasures = Environment.TickCount64;
        }

        var mine = shards.ToHashSet(StringComparer.Ordinal);
        foreach (var shard in await rebuild.Requested(cancel))
        {
            if (running.ContainsKey(shard) || store.Options.Projections.Stored().FirstOrDefault(it => it.Projection.ShardName == shard) is not { } registration)
                continue;
            if (cutOff.TryGetValue(shard, out var wait) && Environment.TickCount64 < wait.Until)
                continue;
            if (registration.Lifecycle == ProjectionLifecycle.Inline || mine.Contains(shard))
                running[shard] = Task.Run(() => Run(registration), CancellationToken.None);
        }
    }

    /// <summary>Fills the table of a version that has none yet; returns at once where there is nothing to fill.</summary>
    public async Task Build(ProjectionShard shard, CancellationToken cancel)
    {
        var registration = store.Options.Projections.Stored().Single(it => it.Projection == shard.Projection);
        for (var pause = Retry; ;)
        {
            try
            {
                if (!await rebuild.NeedsBuilding(registration, cancel))
                    return;
                shard.Status = ShardStatus.Building;
                logger.LogInformation("{Shard} is new here: its view is being filled from the log", shard.Name);
                await rebuild.Run(registration, progress: null, cancel);
            }
            catch (Exception failure) when (!cancel.IsCancellationRequested)
            {
                // Another process is at it, or somebody paused it; or it failed, which its row in the database tells. Reading the whole log
                // again and again to fail at the same place would only be a load.
                var isOver = failure is not (RebuildRunningException or RebuildPausedException);
                if (isOver)
                    logger.LogError(failure, "{Shard} could not be filled: {Reason}", shard.Name, failure.Message);
                await Task.Delay(pause, cancel);
                pause = isOver ? Longer(pause, ProjectionRebuild.IsCutOff(failure) ? LongestRetryFromCheckpoint : LongestRetry) : Retry;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(running.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private async Task Run(ProjectionOptions.Registration registration)
    {
        var shard = registration.Projection.ShardName;
        try
        {
            logger.LogInformation("{Shard} is being rebuilt", shard);
            await rebuild.Run(registration, progress: null, stop.Token);
            cutOff.TryRemove(shard, out _);
            logger.LogInformation("{Shard} was rebuilt", shard);
        }
        catch (RebuildRunningException)
        {
            // Another node was first.
        }
        catch (RebuildPausedException paused)
        {
            logger.LogInformation("{Reason}", paused.Message);
        }
        catch (Exception failure) when (!stop.IsCancellationRequested && ProjectionRebuild.IsCutOff(failure))
        {
            var pause = cutOff.TryGetValue(shard, out var before) ? Longer(before.Pause, LongestRetryFromCheckpoint) : Retry;
            cutOff[shard] = (pause, Environment.TickCount64 + (long)pause.TotalMilliseconds);
            logger.LogWarning(failure, "The rebuild of {Shard} was cut off and goes on from its checkpoint in {Pause}: {Reason}", shard, pause, failure.Message);
        }
        catch (Exception failure) when (!stop.IsCancellationRequested)
        {
            logger.LogError(failure, "{Shard} could not be rebuilt: {Reason}", shard, failure.Message);
        }
    }

    private static TimeSpan Longer(TimeSpan pause, TimeSpan longest) => 2 * pause < longest ? 2 * pause : longest;
}
