using Npgsql;

namespace CaveComm.Messaging;

/// <summary>What has to be done now and then on the tables.</summary>
internal sealed class Maintenance(MessagingNode node, MessageCatalog catalog, IReadOnlyList<QueueRunner> queues, Poller poller, MessagingTimings timings, TimeProvider clock)
{
    private const string ForgetDuplicates =
        """
        delete from cavecomm_message_dedup where id in (
            select id from cavecomm_message_dedup where expires_at <= $1 order by expires_at limit 10000 for update skip locked)
        """;

    // A queue that no longer exists must not keep its messages.
    private const string AdoptQueues =
        """
        update cavecomm_messages set queue = $1 where id in (
            select id from cavecomm_messages where queue <> all($2) and type = any($3) and (locked_until is null or locked_until <= now()) for update skip locked)
        """;

    private const string BuryUnknown =
        """
        with gone as (
            delete from cavecomm_messages where id in (
                select id from cavecomm_messages where type <> all($1) and due_at <= $2 and (locked_until is null or locked_until <= now()) for update skip locked)
            returning *)
        insert into cavecomm_dead_letters (id, seq, type, queue, group_key, body, headers, errors, attempts, replays, reason, trace_id, created_at, dead_at)
        select id, seq, type, queue, group_key, body, headers, coalesce(errors, '[]'), attempts, replays, 'No node knows a message named ' || type || '.',
            coalesce(split_part(headers ->> 'traceparent', '-', 2), ''), created_at, $3
        from gone
        """;

    private const string Floors =
        """
        select q.name, coalesce((select min(m.seq) from cavecomm_messages m where m.queue = q.name and m.seq is not null), (select last_value from cavecomm_messages_seq))
        from unnest($1::text[]) q(name)
        """;

    private const string DueFloor = "select min(due_at) from cavecomm_messages where seq is null";

    private (Dictionary<string, long> Seqs, DateTimeOffset Due)? before;

    public async Task Run(CancellationToken cancel)
    {
        using var tick = new PeriodicTimer(timings.Maintenance);
        while (await tick.WaitForNextTickAsync(cancel))
        {
            await Round(cancel);
        }
    }

    public async Task Round(CancellationToken cancel)
    {
        var now = clock.GetUtcNow().ToUniversalTime();
        var names = queues.Select(queue => queue.Name).ToArray();
        await node.Execute(
            batch =>
            {
                batch.Add(ForgetDuplicates).With(now);
                batch.Add(AdoptQueues).With(MessagingOptions.DefaultQueue).With(names).With(catalog.Aliases);
                batch.Add(BuryUnknown).With(catalog.Aliases).With(now - timings.UnknownTypeGrace).With(now);
            },
            cancel);
        await RaiseFloors(names, now, cancel);
    }

    private async Task RaiseFloors(string[] names, DateTimeOffset now, CancellationToken cancel)
    {
        var seqs = new Dictionary<string, long>(StringComparer.Ordinal);
        await using var connection = await node.Database.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(Floors).With(names);
        batch.Add(DueFloor);
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            seqs[reader.GetString(0)] = reader.GetInt64(1);
        }

        await reader.NextResultAsync(cancel);
        await reader.ReadAsync(cancel);
        var due = await reader.IsDBNullAsync(0, cancel) ? now : reader.GetFieldValue<DateTimeOffset>(0);

        // A message scheduled later is due later than now, give or take what two nodes' clocks differ.
        var safe = now - Poller.ClockTolerance;
        var found = (seqs, due < safe ? due : safe);
        if (before is { } earlier)
        {
            poller.Raise(earlier.Seqs, earlier.Due);
        }

        before = found;
    }
}
