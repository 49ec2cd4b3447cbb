using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>This node's own reading of the log's end, for all shards that it runs.</summary>
internal sealed class LogFeed : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly Bell bell = new();
    private readonly DocumentStore store;
    private readonly NpgsqlConnection connection;
    private readonly Task[] work;

    private LogFeed(DocumentStore store, NpgsqlConnection connection, Func<Bell, LogTail> tail, ILogger logger)
    {
        (this.store, this.connection) = (store, connection);
        var reading = tail(bell);
        Recent = reading.Recent;
        work = [reading.Run(stop.Token), CommitListener.Run(store, bell, logger, stop.Token)];
        store.Signals.Add(bell);
    }

    public RecentEvents Recent { get; }

    public static async Task<LogFeed> Start(DocumentStore store, ILogger logger, CancellationToken cancel)
    {
        var connection = await store.OpenDedicated("tail", cancel);
        try
        {
            var start = await LogTail.FindStart(store, connection, cancel);
            return new(store, connection, bell => new LogTail(store, connection, bell, start), logger);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits; throws when the reading has failed meanwhile.</summary>
    public async Task RunsFor(TimeSpan time, CancellationToken cancel)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var ended = await Task.WhenAny([.. work, Task.Delay(time, waiting.Token)]);
        await waiting.CancelAsync();
        cancel.ThrowIfCancellationRequested();
        if (work.Contains(ended))
            await ended;
    }

    public async ValueTask DisposeAsync()
    {
        store.Signals.Remove(bell);
        await stop.CancelAsync();
        await Task.WhenAll(work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await connection.DisposeAsync();
        stop.Dispose();
    }
}
