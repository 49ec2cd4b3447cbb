using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.Messaging;

/// <summary>Tells other nodes that there is work this one does not take, and hears them.</summary>
/// <remarks>
/// The call is sent after the commit, on a connection of its own, and coalesced: a NOTIFY inside the writing transaction would serialise all
/// commits of the server. It is only a hint; every node also polls.
/// </remarks>
internal sealed class Neighbours(MessagingNode node, string connectionString, ILogger log)
{
    private const string Channel = "cavecomm_messages";
    private const int Idle = 0;
    private const int Calling = 1;
    private const int CallAgain = 2;

    private int state;

    public void Call()
    {
        if (Interlocked.CompareExchange(ref state, Calling, Idle) == Idle)
        {
            _ = Task.Run(Send);
        }
        else
        {
            Interlocked.CompareExchange(ref state, CallAgain, Calling);
        }
    }

    public async Task Listen(CancellationToken cancel)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, KeepAlive = 10, ApplicationName = "cavecomm messages listen" };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        connection.Notification += (_, call) =>
        {
            if (call.Payload != node.Id.ToString())
            {
                node.Poke();
            }
        };
        await connection.OpenAsync(cancel);
        await using (var listen = new NpgsqlCommand($"listen {Channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(cancel);
        }

        node.Reconnected();
        while (true)
        {
            await connection.WaitAsync(cancel);
        }
    }

    private async Task Send()
    {
        do
        {
            Interlocked.Exchange(ref state, Calling);
            try
            {
                await node.Execute(batch => batch.Add("select pg_notify($1, $2)").With(Channel).With(node.Id.ToString()), CancellationToken.None);
            }
            catch (Exception failure) when (failure is NpgsqlException or ObjectDisposedException)
            {
                log.LogWarning(failure, "Other nodes could not be called; they find the messages by polling");
            }
        }
        while (Interlocked.CompareExchange(ref state, Idle, Calling) != Calling);
    }
}
