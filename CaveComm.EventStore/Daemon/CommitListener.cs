using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Hears of other processes' commits (see <see cref="CommitNotifier"/>) and rings the bell of this one's reader.</summary>
internal static class CommitListener
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    public static async Task Run(DocumentStore store, Bell bell, ILogger logger, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                await using var connection = await store.OpenDedicated("listener", cancel);
                connection.Notification += (_, _) => bell.Ring();
                await connection.Execute($"listen {CommitNotifier.Channel}", cancel);
                while (true)
                    await connection.WaitAsync(cancel);
            }
            catch (NpgsqlException deaf)
            {
                logger.LogWarning(deaf, "Cannot hear of other nodes' events; polling for them meanwhile");
            }

            await Task.Delay(Retry, cancel);
        }
    }
}
