using Npgsql;
using NpgsqlTypes;

namespace CaveComm.Messaging;

/// <summary>Sends dead letters again, by filter and in turn.</summary>
/// <remarks>
/// One statement moves them all back among the messages, each scheduled for its turn: so a replay needs no process that goes on with it, takes no letter
/// twice, and keeps the order within a group, since the poller numbers a group's messages as they are due.
/// </remarks>
internal sealed class MessageReplays(MessagingNode node, TimeProvider clock)
{
    /// <summary>How late the first of the waiting letters has to be before a node that starts puts them off.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(5);

    private const long OneAtATime = 0x63617665_72706c79; // "caverply"

    private const string Fits =
        """
        discarded_at is null and ($1::text is null or type = $1) and ($2::text is null or queue = $2) and ($3::timestamptz is null or dead_at >= $3)
            and ($4::text is null or position(lower($4) in lower(reason)) > 0) and ($5::text is null or type <> $5 or $5 = $1)
        """;

    private const string CountFitting = $"select count(*)::int from cavecomm_dead_letters where {Fits}";

    private const string SendAgain =
        $"""
        with chosen as materialized (select id, row_number() over (order by seq, id) as turn from cavecomm_dead_letters where {Fits}),
        back as (delete from cavecomm_dead_letters d using chosen c where d.id = c.id and d.discarded_at is null returning d.*, c.turn),
        sent as (
            insert into cavecomm_messages (id, type, queue, group_key, body, headers, errors, replays, created_at, due_at)
            select id, type, queue, group_key, body, coalesce(headers, jsonb_build_object()) || jsonb_build_object($9::text, $8::uuid::text), errors, replays + 1, created_at,
                $6::timestamptz + interval '1 second' * ((turn - 1) / $7::double precision)
            from back returning due_at)
        insert into cavecomm_message_replays (id, type, queue, since, error, per_second, total, started_at, sent_by)
        select $8, $1, $2, $3, $4, $7::double precision::int, count(*), $6, max(due_at) from sent having count(*) > 0
        """;

    // What died again is counted when the last one is through; what a person does with those letters afterwards is no longer the replay's.
    private const string Settle =
        """
        update cavecomm_message_replays r
        set ended_at = $1, dead_again = (select count(*) from cavecomm_dead_letters d where d.headers ->> $2 = r.id::text)
        where r.ended_at is null and r.sent_by <= $1 and not exists (select from cavecomm_messages m where m.headers ->> $2 = r.id::text)
        """;

    private const string Runs =
        """
        select r.id, r.type, r.queue, r.since, r.error, r.per_second, r.total, m.waiting, m.under_way,
            coalesce(r.dead_again, (select count(*) from cavecomm_dead_letters d where d.headers ->> $1 = r.id::text))::int, r.started_at, r.sent_by, r.ended_at
        from cavecomm_message_replays r
        cross join lateral (
            select count(*) filter (where attempts = 0 and seq is null and due_at > $2)::int as waiting,
                count(*) filter (where not (attempts = 0 and seq is null and due_at > $2))::int as under_way
            from cavecomm_messages where r.ended_at is null and headers ->> $1 = r.id::text) m
        where $3::uuid is null or r.id = $3
        order by r.id desc limit $4
        """;

    private const string PutOff =
        """
        with late as materialized (
            select r.id, $1 - min(m.due_at) as pause
            from cavecomm_message_replays r join cavecomm_messages m on m.headers ->> $2 = r.id::text
            where r.ended_at is null and m.seq is null and m.attempts = 0 and m.owner is null
            group by r.id having min(m.due_at) < $1 - $3),
        moved as (
            update cavecomm_messages m set due_at = m.due_at + late.pause
            from late where m.headers ->> $2 = late.id::text and m.seq is null and m.attempts = 0 and m.owner is null)
        update cavecomm_message_replays r set sent_by = r.sent_by + late.pause from late where r.id = late.id
        """;

    private DateTimeOffset Now => clock.GetUtcNow().ToUniversalTime();

    public async Task<int> CountFor(ReplayFilter filter, CancellationToken cancel)
    {
        await using var connection = await node.Database.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection);
        Fill(batch.Add(CountFitting), filter);
        return (int)(await batch.ExecuteScalarAsync(cancel))!;
    }

    /// <inheritdoc cref="IMessageStore.Replay(Guid, ReplayFilter, int, CancellationToken)"/>
    public async Task<ReplayRun?> Start(Guid id, ReplayFilter filter, int perSecond, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(perSecond, 1);
        if (!await Send(id, filter, perSecond, cancel))
        {
            return null;
        }

        node.Poke();
        return await Find(id, cancel);
    }

    /// <returns>Whether there were letters to send.</returns>
    private async Task<bool> Send(Guid id, ReplayFilter filter, int perSecond, CancellationToken cancel)
    {
        await using var connection = await node.Database.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using (var gate = new NpgsqlBatch(connection, transaction))
        {
            gate.Add("select pg_advisory_xact_lock($1)").With(OneAtATime);
            await gate.ExecuteNonQueryAsync(cancel);
        }

        var now = Now;
        if ((await Read(connection, null, 10, cancel)).FirstOrDefault(it => it is { EndedAt: null } && it.SentBy > now) is { } running)
        {
            throw new ReplayRunningException(running);
        }

        await using (var batch = new NpgsqlBatch(connection, transaction))
        {
            Fill(batch.Add(SendAgain), filter).With(now).With((double)perSecond).With(id).With(HeaderNames.Replay);
            if (await batch.ExecuteNonQueryAsync(cancel) == 0)
            {
                return false;
            }
        }

        await transaction.CommitAsync(cancel);
        return true;
    }

    public async Task<ReplayRun?> Find(Guid id, CancellationToken cancel) => (await Look(id, 1, cancel)).SingleOrDefault();

    public Task<IReadOnlyList<ReplayRun>> List(int limit, CancellationToken cancel) => Look(null, limit, cancel);

    /// <summary>Writes down what became of the replays whose letters are all through.</summary>
    public Task End(CancellationToken cancel) => node.Execute(batch => batch.Add(Settle).With(Now).With(HeaderNames.Replay), cancel);

    /// <summary>Letters whose turn passed while no node ran shall not all run at once now.</summary>
    /// <remarks>Nodes that start together do it one after another, each by what the one before has left: a statement sees what was committed before it began.</remarks>
    public Task Pace(CancellationToken cancel) => node.Execute(
        batch =>
        {
            batch.Add("select pg_advisory_xact_lock($1)").With(OneAtATime);
            batch.Add(PutOff).With(Now).With(HeaderNames.Replay).With(Late);
        },
        cancel);

    private async Task<IReadOnlyList<ReplayRun>> Look(Guid? id, int limit, CancellationToken cancel)
    {
        await End(cancel);
        await using var connection = await node.Database.OpenConnectionAsync(cancel);
        return await Read(connection, id, limit, cancel);
    }

    private async Task<List<ReplayRun>> Read(NpgsqlConnection connection, Guid? id, int limit, CancellationToken cancel)
    {
        var runs = new List<ReplayRun>();
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(Runs).With(HeaderNames.Replay).With(Now).WithNullable(id, NpgsqlDbType.Uuid).With(limit);
        await using var row = await batch.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
        {
            runs.Add(new ReplayRun(
                row.GetGuid(0), new ReplayFilter(Text(1), Text(2), Time(3), Text(4)), row.GetInt32(5), row.GetInt32(6), row.GetInt32(7), row.GetInt32(8),
                row.GetInt32(9), row.GetFieldValue<DateTimeOffset>(10), row.GetFieldValue<DateTimeOffset>(11), Time(12)));
        }

        return runs;

        string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);
        DateTimeOffset? Time(int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
    }

    private static NpgsqlBatchCommand Fill(NpgsqlBatchCommand command, ReplayFilter filter) => command
        .WithText(filter.MessageType).WithText(filter.Queue).WithNullable(filter.Since?.ToUniversalTime(), NpgsqlDbType.TimestampTz)
        .WithText(filter.Error).WithText(filter.ExceptType);
}
