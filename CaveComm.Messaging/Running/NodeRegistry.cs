using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.Messaging;

/// <summary>Says that this node lives, and frees what dead nodes held.</summary>
internal sealed class NodeRegistry(MessagingNode node, MessagingTimings timings, ILogger log)
{
    private const string Beat =
        """
        insert into cavecomm_message_nodes (id, name) values ($1, $2)
        on conflict (id) do update set seen_at = now()
        """;

    // A dead node's row stays for a minute and its messages are freed again with every beat: what it committed with its last breath, or while it
    // only seemed dead, must not wait for its lease to run out. Of several nodes that notice, one does it.
    private const string FreeTheDead =
        """
        with dead as (
            select id, seen_at from cavecomm_message_nodes where seen_at < now() - $1 and id <> $2 for update skip locked),
        freed as (
            update cavecomm_messages m set owner = null, locked_until = null from dead where m.owner = dead.id and m.seq is not null returning 1),
        buried as (
            delete from cavecomm_message_nodes n using dead where n.id = dead.id and dead.seen_at < now() - $1 - interval '1 minute')
        select (select count(*) from freed), (select count(*) from cavecomm_message_nodes where seen_at >= now() - $1 and id <> $2)
        """;

    /// <summary>Whether others listen.</summary>
    public bool HasOthers { get; private set; } = true;

    public async Task Announce(CancellationToken cancel)
    {
        await using var connection = await node.Database.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection);
        DeliveryCommands.AddSettings(batch);
        batch.Add(Beat).With(node.Id).With(Environment.MachineName);
        batch.Add(FreeTheDead).With(timings.DeadAfter).With(node.Id);
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        await reader.NextResultAsync(cancel);
        await reader.ReadAsync(cancel);
        HasOthers = reader.GetInt64(1) > 0;
        if (reader.GetInt64(0) is > 0 and var freed)
        {
            log.LogWarning("{Messages} messages of dead nodes run elsewhere now", freed);
            node.Poke();
        }
    }

    public async Task Run(CancellationToken cancel)
    {
        using var beat = new PeriodicTimer(timings.Heartbeat);
        while (await beat.WaitForNextTickAsync(cancel))
        {
            await Announce(cancel);
        }
    }

    public Task Leave() => node.Execute(
        batch =>
        {
            DeliveryCommands.AddReleaseAll(batch, node.Id);
            batch.Add("delete from cavecomm_message_nodes where id = $1").With(node.Id);
        },
        CancellationToken.None);
}
