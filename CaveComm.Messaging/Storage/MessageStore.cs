using System.Diagnostics;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace CaveComm.Messaging;

/// <inheritdoc cref="IMessageStore"/>
internal sealed class MessageStore(MessagingNode node, MessageReading reading, MessageReplays replays, TimeProvider clock) : IMessageStore
{
    private const string CountAll =
        """
        select count(*) filter (where due_at <= $1), count(*) filter (where locked_until > now()), count(*) filter (where due_at > $1),
            (select count(*) from cavecomm_dead_letters where discarded_at is null), min(due_at) filter (where due_at <= $1)
        from cavecomm_messages
        """;

    private const string Columns =
        "id, type, queue, group_key, body::text, reason, errors::text, attempts, replays, trace_id, created_at, dead_at, discarded_at, discard_reason";

    private const string Page =
        $"""
        select {Columns} from cavecomm_dead_letters where discarded_at is null and ($1 is null or id < $1) order by id desc limit $2
        """;

    private const string One = $"select {Columns} from cavecomm_dead_letters where id = $1";

    // Sent again as scheduled messages: the poller gives them their place in their group.
    private const string SendAgain =
        """
        with chosen as materialized (
            select id, row_number() over (order by seq, id) as turn from cavecomm_dead_letters
            where discarded_at is null and ($1::uuid is null or id = $1) and ($2::text is null or type = $2)),
        back as (delete from cavecomm_dead_letters d using chosen c where d.id = c.id and d.discarded_at is null returning d.*, c.turn)
        insert into cavecomm_messages (id, type, queue, group_key, body, headers, errors, replays, created_at, due_at)
        select id, type, queue, group_key, body, headers - 'cavecomm-replay', errors, replays + 1, created_at, $3 + $4 * ((turn - 1) / $5) from back
        """;

    private const string PutAway = "update cavecomm_dead_letters set discarded_at = $2, discard_reason = $3 where id = $1 and discarded_at is null";

    public Task Migrate(CancellationToken cancel) => MessagingSchema.Ensure(node.Database, cancel);

    public Task<MessageFigures> Measure(CancellationToken cancel) => reading.Measure(cancel);

    public Task<IReadOnlyList<StoredMessage>> List(MessageFilter filter, int limit, MessageCursor? after, CancellationToken cancel) => reading.List(filter, limit, after, cancel);

    public Task<StoredMessage?> Find(Guid id, CancellationToken cancel) => reading.Find(id, cancel);

    public Task<int> CountDeadLetters(ReplayFilter filter, CancellationToken cancel) => replays.CountFor(filter, cancel);

    public Task<ReplayRun?> Replay(Guid id, ReplayFilter filter, int perSecond, CancellationToken cancel) => replays.Start(id, filter, perSecond, cancel);

    public Task<ReplayRun?> FindReplay(Guid id, CancellationToken cancel) => replays.Find(id, cancel);

    public Task<IReadOnlyList<ReplayRun>> ListReplays(int limit, CancellationToken cancel) => replays.List(limit, cancel);

    public async Task<MessageCounts> Count(CancellationToken cancel)
    {
        var now = clock.GetUtcNow().ToUniversalTime();
        await using var command = node.Database.CreateCommand(CountAll);
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = now });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        return new MessageCounts(
            reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3),
            await reader.IsDBNullAsync(4, cancel) ? TimeSpan.Zero : now - reader.GetFieldValue<DateTimeOffset>(4));
    }

    public async Task<IReadOnlyList<DeadLetter>> ListDeadLetters(int limit, Guid? after, CancellationToken cancel)
    {
        await using var command = node.Database.CreateCommand(Page);
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)after ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        return await Read(command, cancel);
    }

    public async Task<DeadLetter?> FindDeadLetter(Guid id, CancellationToken cancel)
    {
        await using var command = node.Database.CreateCommand(One);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        return (await Read(command, cancel)).SingleOrDefault();
    }

    public async Task<bool> Replay(Guid id, CancellationToken cancel)
    {
        await replays.End(cancel); // It leaves the list, where an earlier replay may still want to count it.
        return await SendThem(id, null, 1, cancel) > 0;
    }

    public Task<int> ReplayAll(string? messageType, int perSecond, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(perSecond, 1);
        return SendThem(null, messageType, perSecond, cancel);
    }

    public async Task<bool> Discard(Guid id, string reason, CancellationToken cancel)
    {
        await using var command = node.Database.CreateCommand(PutAway);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = clock.GetUtcNow().ToUniversalTime() });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = reason });
        return await command.ExecuteNonQueryAsync(cancel) > 0;
    }

    public async Task WaitForIdle(TimeSpan timeout)
    {
        var began = Stopwatch.GetTimestamp();
        while (await Count(CancellationToken.None) is { Due: > 0 } counts)
        {
            if (Stopwatch.GetElapsedTime(began) > timeout)
            {
                throw new TimeoutException($"After {timeout} there are still {counts.Due} messages due, {counts.Running} of them in hand.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10));
        }
    }

    private async Task<int> SendThem(Guid? id, string? type, int perSecond, CancellationToken cancel)
    {
        await using var command = node.Database.CreateCommand(SendAgain);
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)id ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid });
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)type ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = clock.GetUtcNow().ToUniversalTime() });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = TimeSpan.FromSeconds(1) });
        command.Parameters.Add(new NpgsqlParameter<double> { TypedValue = perSecond });
        var sent = await command.ExecuteNonQueryAsync(cancel);
        node.Poke();
        return sent;
    }

    private static async Task<IReadOnlyList<DeadLetter>> Read(NpgsqlCommand command, CancellationToken cancel)
    {
        var letters = new List<DeadLetter>();
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            letters.Add(new DeadLetter(
                reader.GetGuid(0), reader.GetString(1), reader.GetString(2), await Text(3), reader.GetString(4), reader.GetString(5),
                JsonSerializer.Deserialize<List<DeliveryError>>(reader.GetString(6), JsonSerializerOptions.Web) ?? [],
                reader.GetInt32(7), reader.GetInt32(8), reader.GetString(9), reader.GetFieldValue<DateTimeOffset>(10), reader.GetFieldValue<DateTimeOffset>(11),
                await reader.IsDBNullAsync(12, cancel) ? null : reader.GetFieldValue<DateTimeOffset>(12), await Text(13)));
        }

        return letters;

        async Task<string?> Text(int column) => await reader.IsDBNullAsync(column, cancel) ? null : reader.GetString(column);
    }
}
