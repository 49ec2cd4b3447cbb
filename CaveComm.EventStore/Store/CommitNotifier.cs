using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Tells other processes of commits.</summary>
/// <remarks>
/// NOTIFY inside the writing transaction would serialise all commits of the cluster, so it is sent after the commit, on a connection of its own,
/// one for all commits that came meanwhile. Its own commit need not be on disk before anybody hears of it.
/// </remarks>
internal sealed class CommitNotifier : IAsyncDisposable
{
    public const string Channel = "cavecomm_events";

    // Each call costs as much as an append. While commits are rare others hear of each soon; where many come, a few calls a second tell of all.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongPause = TimeSpan.FromMilliseconds(25);
    private const int Many = 3;
    private readonly CancellationTokenSource stop = new();
    private readonly DocumentStore store;
    private readonly ILogger logger;
    private readonly Task running;

    public CommitNotifier(DocumentStore store, ILogger logger)
    {
        (this.store, this.logger) = (store, logger);
        running = Run(stop.Token);
    }

    public Bell Bell { get; } = new();

    public async ValueTask DisposeAsync()
    {
        if (running.IsCompleted)
            return; // A container that knows the store by two names disposes it twice.
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private async Task Run(CancellationToken cancel)
    {
        var told = 0L;
        while (true)
        {
            await Bell.Wait(Timeout.InfiniteTimeSpan, cancel);
            var commits = Bell.Rings - told;
            told += commits;
            try
            {
                await using var batch = store.DataSource.CreateBatch();
                batch.BatchCommands.Add(new("select set_config('synchronous_commit', 'off', true)"));
                batch.BatchCommands.Add(new($"select pg_notify('{Channel}', '')"));
                await batch.ExecuteNonQueryAsync(cancel);
            }
            catch (NpgsqlException unheard)
            {
                // The others poll.
                logger.LogWarning(unheard, "Other nodes could not be told of new events");
            }

            await Task.Delay(commits < Many ? Pause : LongPause, cancel);
        }
    }
}
