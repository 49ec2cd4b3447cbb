using System.Text.Json;
using Npgsql;

namespace CaveComm.Messaging;

/// <summary>Reads messages as they stand, for people.</summary>
internal sealed class MessageReading(NpgsqlDataSource database, TimeProvider clock)
{
    // The errors of a list end with the newest; one message alone shows them all.
    private const string LastErrors = "jsonb_path_query_array(coalesce(m.errors, '[]'), '$[last - 4 to last]')::text";

    private const string AllErrors = "coalesce(m.errors, '[]')::text";

    private const string StateOfLive =
        "case when m.locked_until > now() then 'running' when m.attempts > 0 then 'retrying' when m.due_at > $1 then 'scheduled' else 'due' end";

    private const string LiveColumns =
        """
        m.id, m.type, m.queue, m.group_key, m.body::text, m.attempts, m.replays, coalesce(split_part(m.headers ->> 'traceparent', '-', 2), ''), m.created_at,
        m.due_at, case when m.locked_until > now() then coalesce(n.name, m.owner::text) end, null::text, null::timestamptz, null::timestamptz, null::text
        """;

    private const string DeadColumns =
        """
        m.id, m.type, m.queue, m.group_key, m.body::text, m.attempts, m.replays, m.trace_id, m.created_at,
        null::timestamptz, null::text, m.reason, m.dead_at, m.discarded_at, m.discard_reason
        """;

    private const string LivePage =
        $"""
        select {StateOfLive}, {LastErrors}, {LiveColumns}
        from cavecomm_messages m left join cavecomm_message_nodes n on n.id = m.owner
        where ($2::text is null or m.type = $2) and ($3::text is null or m.queue = $3) and ($4::text is null or m.group_key = $4)
            and ($5::text is null or $5 = {StateOfLive}) and ($6::timestamptz is null or (m.due_at, m.id) > ($6, $7::uuid))
        order by m.due_at, m.id limit $8
        """;

    private const string DeadPage =
        $"""
        select case when m.discarded_at is null then 'dead' else 'discarded' end, {LastErrors}, {DeadColumns}
        from cavecomm_dead_letters m
        where ($1::text is null or m.type = $1) and ($2::text is null or m.queue = $2) and ($3::text is null or m.group_key = $3)
            and (m.discarded_at is not null) = $4 and ($5::timestamptz is null or (m.dead_at, m.id) < ($5, $6::uuid))
        order by m.dead_at desc, m.id desc limit $7
        """;

    private const string OneLive =
        $"""
        select {StateOfLive}, {AllErrors}, {LiveColumns}
        from cavecomm_messages m left join cavecomm_message_nodes n on n.id = m.owner where m.id = $2
        """;

    private const string OneDead =
        $"""
        select case when m.discarded_at is null then 'dead' else 'discarded' end, {AllErrors}, {DeadColumns} from cavecomm_dead_letters m where m.id = $1
        """;

    private const string Figures =
        $"""
        select m.queue, {StateOfLive} as state, count(*), min(m.due_at) from cavecomm_messages m group by 1, 2
        """;

    private const string DeadFigures = "select type, count(*) from cavecomm_dead_letters where discarded_at is null group by type";

    private DateTimeOffset Now => clock.GetUtcNow().ToUniversalTime();

    public async Task<IReadOnlyList<StoredMessage>> List(MessageFilter filter, int limit, MessageCursor? after, CancellationToken cancel)
    {
        IReadOnlyList<StoredMessage> dead = filter.TakesDead && after is null or { Dead: true } ? await Dead(filter, limit, after, cancel) : [];
        return dead.Count == limit || !filter.TakesLive ? dead : [.. dead, .. await Live(filter, limit - dead.Count, after is { Dead: true } ? null : after, cancel)];
    }

    public async Task<StoredMessage?> Find(Guid id, CancellationToken cancel)
    {
        // Looked for once more among the live: it may have been sent again between the two looks.
        return await Live() ?? await One(OneDead, [id], cancel) ?? await Live();

        Task<StoredMessage?> Live() => One(OneLive, [Now, id], cancel);
    }

    public async Task<MessageFigures> Measure(CancellationToken cancel)
    {
        var now = Now;
        var queues = new List<QueueFigure>();
        var dead = new Dictionary<string, long>(StringComparer.Ordinal);
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(Figures).With(now);
        batch.Add(DeadFigures);
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var age = now - reader.GetFieldValue<DateTimeOffset>(3);
            queues.Add(new QueueFigure(reader.GetString(0), StateOf(reader.GetString(1)), reader.GetInt64(2), age > TimeSpan.Zero ? age : TimeSpan.Zero));
        }

        await reader.NextResultAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            dead[reader.GetString(0)] = reader.GetInt64(1);
        }

        return new MessageFigures(queues, dead);
    }

    private Task<List<StoredMessage>> Live(MessageFilter filter, int limit, MessageCursor? after, CancellationToken cancel) => Read(
        LivePage,
        command => command.With(Now).WithText(filter.MessageType).WithText(filter.Queue).WithText(filter.GroupId).WithText(filter.State?.ToString().ToLowerInvariant())
            .WithNullable(after?.At.ToUniversalTime(), NpgsqlTypes.NpgsqlDbType.TimestampTz).WithNullable(after?.Id, NpgsqlTypes.NpgsqlDbType.Uuid).With(limit),
        cancel);

    private Task<List<StoredMessage>> Dead(MessageFilter filter, int limit, MessageCursor? after, CancellationToken cancel) => Read(
        DeadPage,
        command => command.WithText(filter.MessageType).WithText(filter.Queue).WithText(filter.GroupId).With(filter.State == MessageState.Discarded)
            .WithNullable(after?.At.ToUniversalTime(), NpgsqlTypes.NpgsqlDbType.TimestampTz).WithNullable(after?.Id, NpgsqlTypes.NpgsqlDbType.Uuid).With(limit),
        cancel);

    private async Task<StoredMessage?> One(string sql, object[] parameters, CancellationToken cancel) => (await Read(
        sql,
        command =>
        {
            foreach (var parameter in parameters)
            {
                command.Parameters.Add(new NpgsqlParameter { Value = parameter });
            }
        },
        cancel)).SingleOrDefault();

    private async Task<List<StoredMessage>> Read(string sql, Action<NpgsqlBatchCommand> fill, CancellationToken cancel)
    {
        var found = new List<StoredMessage>();
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection);
        fill(batch.Add(sql));
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            found.Add(Message(reader));
        }

        return found;
    }

    private static StoredMessage Message(NpgsqlDataReader row)
    {
        return new StoredMessage(
            row.GetGuid(2), StateOf(row.GetString(0)), row.GetString(3), row.GetString(4), Text(5), row.GetString(6),
            JsonSerializer.Deserialize<List<DeliveryError>>(row.GetString(1), JsonSerializerOptions.Web) ?? [],
            row.GetInt32(7), row.GetInt32(8), row.GetString(9), row.GetFieldValue<DateTimeOffset>(10), Time(11), Text(12), Text(13), Time(14), Time(15), Text(16));

        string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);
        DateTimeOffset? Time(int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
    }

    private static MessageState StateOf(string name) => name switch
    {
        "running" => MessageState.Running,
        "retrying" => MessageState.Retrying,
        "scheduled" => MessageState.Scheduled,
        "due" => MessageState.Due,
        "discarded" => MessageState.Discarded,
        _ => MessageState.Dead,
    };
}
