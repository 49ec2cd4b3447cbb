using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Runs the async projections of a store on one node at a time.</summary>
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
    private volatile RecentEvents? recent;

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
            var (now, tail) = (store.Time.GetUtcNow(), recent);
            return Array.ConvertAll(shards, it => it.State(tail, progress.HighestKnown, now));
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

    public Task RebuildProjectionAsync(string projectionName, CancellationToken token) => new ProjectionRebuild(store).Run(
        store.Options.Projections.Stored().FirstOrDefault(it => it.Projection.Name == projectionName)
            ?? throw new ArgumentException($"There is no stored projection '{projectionName}'."),
        token);

    public Task RebuildProjectionAsync<TView>(CancellationToken token) => new ProjectionRebuild(store).Run(
        store.Options.Projections.Stored().FirstOrDefault(it => it.Projection.ViewType == typeof(TView))
            ?? throw new ArgumentException($"{typeof(TView)} is no stored view."),
        token);

    public async ValueTask DisposeAsync()
    {
        // A container that knows the daemon by two names disposes it twice. The semaphore has nothing to give back.
        ViewLag.Remove(this);
        await StopAllAsync();
    }

    // On the node that runs the projections a wait ends with the commit; elsewhere the progress table is asked.
    private Task<bool> WaitFor(ProjectionShard shard, long sequence, TimeSpan timeout, CancellationToken cancel) =>
        recent is null ? progress.WaitFor(shard, sequence, timeout, cancel) : shard.Position.WaitFor(sequence, timeout, cancel);

    private async Task Run(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await using var connection = await store.OpenDedicated("daemon", cancel);
                await BecomeLeader(connection, cancel);
                await Lead(connection, cancel);
            }
            catch (Exception failure) when (!cancel.IsCancellationRequested)
            {
                logger.LogError(failure, "The projections stand still for a moment: {Reason}", failure.Message);
                await Task.Delay(Retry, cancel);
            }
        }
    }

    // The lock belongs to the connection and goes with it, however this node ends.
    private async Task BecomeLeader(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("select pg_try_advisory_lock($1)", connection)
        {
            Parameters = { Sql.Number(StableHash.Of($"cavecomm projections {store.Options.DatabaseSchemaName}")) },
        };
        while (!(bool)(await command.ExecuteScalarAsync(cancel))!)
        {
            SetStatus(ShardStatus.Elsewhere);
            await progress.Refresh(shards, cancel);
            await Task.Delay(Retry, cancel);
        }
    }

    private async Task Lead(NpgsqlConnection connection, CancellationToken cancel)
    {
        using var leading = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var bell = new Bell();
        var tail = new LogTail(store, connection, bell);
        await tail.Prepare(cancel);
        store.Signals.Add(bell);
        recent = tail.Recent;
        logger.LogInformation("This node runs the projections, from {HighWaterMark} on", tail.Recent.HighWater.Value);
        Task[] work =
        [
            tail.Run(leading.Token),
            CommitListener.Run(store, bell, logger, leading.Token),
            .. shards.Select(it => Task.Run(() => it.Run(tail.Recent, leading.Token), CancellationToken.None)),
        ];
        try
        {
            await await Task.WhenAny(work);
        }
        finally
        {
            store.Signals.Remove(bell);
            recent = null;
            await leading.CancelAsync();
            await Task.WhenAll(work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void SetStatus(ShardStatus status)
    {
        foreach (var shard in shards)
            shard.Status = status;
    }
}
