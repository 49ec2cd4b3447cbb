using Microsoft.Extensions.Logging;

namespace CaveComm.EventStore;

/// <summary>Takes part in running a store's async projections: each runs on one node at a time, and moves when its node goes.</summary>
public sealed class ProjectionDaemon : IProjectionDaemon, IAsyncDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim switching = new(1);
    private readonly DocumentStore store;
    private readonly ILogger logger;
    private readonly ProjectionShard[] shards;
    private readonly ProjectionProgress progress;
    private CancellationTokenSource? stop;
    private Task running = Task.CompletedTask;
    private volatile ShardDistribution? here;

    internal ProjectionDaemon(DocumentStore store, ILogger logger)
    {
        (this.store, this.logger) = (store, logger);
        shards = [.. store.Options.Projections.With(ProjectionLifecycle.Async).Select(it => new ProjectionShard(store, it, logger))];
        progress = new(store);
        ViewLag.Add(this);
    }

    public IReadOnlyList<ShardState> Shards
    {
        get
        {
            var (now, tail) = (store.Time.GetUtcNow(), here?.Recent);
            return Array.ConvertAll(shards, it => it.State(it.IsHere ? tail : null, progress.HighestKnown, now));
        }
    }

    public async Task StartAllAsync()
    {
        await switching.WaitAsync();
        try
        {
            if (stop is not null || shards.Length == 0)
                return;
            stop = new();
            running = Run(stop.Token);
        }
        finally
        {
            switching.Release();
        }
    }

    public async Task StopAllAsync()
    {
        await switching.WaitAsync();
        try
        {
            if (stop is null)
                return;
            await stop.CancelAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stop.Dispose();
            stop = null;
            SetStatus(ShardStatus.Stopped);
        }
        finally
        {
            switching.Release();
        }
    }

    public async Task WaitForNonStaleData(TimeSpan timeout)
    {
        var end = await progress.HighestSequence(CancellationToken.None);
        var waits = shards.Select(it => WaitFor(it, end, timeout, CancellationToken.None));
        if ((await Task.WhenAll(waits)).Contains(false))
            throw new TimeoutException(
                $"Not at {end} within {timeout}: {string.Join("; ", Shards.Where(it => it.Position < end).Select(it => $"{it.Name} {it.State} at {it.Position} {it.Error}"))}");
    }

    public Task<bool> WaitForPosition<TView>(long sequence, TimeSpan timeout, CancellationToken cancel)
        where TView : class
    {
        var (projection, lifecycle) = store.Options.Projections.Stored().FirstOrDefault(it => it.Projection.ViewType == typeof(TView))
            ?? throw new ArgumentException($"{typeof(TView)} is no stored view.");
        return lifecycle == ProjectionLifecycle.Inline
            ? Task.FromResult(true)
            : WaitFor(shards.Single(it => it.Projection == projection), sequence, timeout, cancel);
    }

    public async Task<bool> WaitUntilForgotten(TimeSpan timeout, CancellationToken cancel)
    {
        var (started, forgetting) = (Environment.TickCount64, new ParkedForgetting(store, logger));
        while (!await forgetting.IsDone(cancel))
        {
            if (Environment.TickCount64 - started >= timeout.TotalMilliseconds)
                return false;
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancel);
        }

        return true;
    }

    public Task RebuildProjectionAsync(string projectionName, CancellationToken token) => store.ProjectionOperations.Rebuild(projectionName, progress: null, token);

    public Task RebuildProjectionAsync<TView>(CancellationToken token) => RebuildProjectionAsync(
        (store.Options.Projections.Stored().FirstOrDefault(it => it.Projection.ViewType == typeof(TView))
            ?? throw new ArgumentException($"{typeof(TView)} is no stored view.")).Projection.Name,
        token);

    public async ValueTask DisposeAsync()
    {
        // A container that knows the daemon by two names disposes it twice. The semaphore has nothing to give back.
        ViewLag.Remove(this);
        await StopAllAsync();
    }

    // On the node that feeds the view a wait ends with the commit; elsewhere the progress table is asked.
    private async Task<bool> WaitFor(ProjectionShard shard, long sequence, TimeSpan timeout, CancellationToken cancel)
    {
        var started = Environment.TickCount64;
        if (shard.IsHere && await shard.Position.WaitFor(sequence, timeout, cancel))
            return true;

        // It may have moved to another node meanwhile.
        var left = timeout - TimeSpan.FromMilliseconds(Environment.TickCount64 - started);
        return await progress.WaitFor(shard, sequence, left, cancel);
    }

    private async Task Run(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await using var connection = await store.OpenDedicated("daemon", cancel);
                await using var distribution = new ShardDistribution(store, shards, progress, connection, logger);
                here = distribution;
                await distribution.Run(cancel);
            }
            catch (Exception failure) when (!cancel.IsCancellationRequested)
            {
                logger.LogError(failure, "This node's projections stand still for a moment: {Reason}", failure.Message);
                await Task.Delay(Retry, cancel);
            }
            finally
            {
                here = null;
            }
        }
    }

    private void SetStatus(ShardStatus status)
    {
        foreach (var shard in shards)
            shard.Status = status;
    }
}
