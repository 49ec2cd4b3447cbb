using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace CaveComm.EventStore;

/// <summary>One row per shard in <c>cavecomm_rebuild</c>: what its rebuild is doing, and what others want it to do.</summary>
internal sealed class RebuildTable(DocumentStore store)
{
    public const string Requested = "requested";
    public const string Running = "running";
    public const string Paused = "paused";
    public const string Done = "done";
    public const string Failed = "failed";

    private readonly string table = $"{store.Options.DatabaseSchemaName}.cavecomm_rebuild";
    private readonly string waitingTable = $"{store.Options.DatabaseSchemaName}.cavecomm_rebuild_parked";

    public long LockOf(string shard) => StableHash.Of($"cavecomm rebuild {store.Options.DatabaseSchemaName} {shard}");

    public async Task<RebuildProgress?> Read(string shard, CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(
            $"select state, events_done, events_total, started_at, updated_at, error from {table} where shard = $1");
        command.Parameters.Add(Sql.Text(shard));
        await using var row = await command.ExecuteReaderAsync(cancel);
        return await row.ReadAsync(cancel)
            ? new(
                row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetFieldValue<DateTimeOffset>(3), row.GetFieldValue<DateTimeOffset>(4),
                row.IsDBNull(5) ? null : row.GetString(5))
            : null;
    }

    /// <summary>The shards whose rebuild somebody must run: asked for, or begun by a process that is no more.</summary>
    public async Task<IReadOnlyList<string>> Waiting(CancellationToken cancel)
    {
        var held = await Held(cancel);
        await using var command = store.DataSource.CreateCommand($"select shard from {table} where state in ('requested', 'running') order by shard");
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var found = new List<string>();
        while (await rows.ReadAsync(cancel))
        {
            if (rows.GetString(0) is var shard && !held.Contains(LockOf(shard)))
                found.Add(shard);
        }

        return found;
    }

    public async Task<bool> IsHeld(string shard, CancellationToken cancel) => (await Held(cancel)).Contains(LockOf(shard));

    /// <summary>Marks a rebuild to be run; one that was paused or cut off goes on where it was.</summary>
    public async Task Request(string shard, CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(
            $"""
            insert into {table} as t (shard, state, started_at, updated_at) values ($1, 'requested', $2, $2)
            on conflict (shard) do update set state = 'requested', error = null, updated_at = excluded.updated_at,
                started_at = case when t.checkpoint is null then excluded.started_at else t.started_at end,
                events_done = case when t.checkpoint is null then 0 else t.events_done end
            """);
        command.Parameters.Add(Sql.Text(shard));
        command.Parameters.Add(Sql.Instant(store.Time.GetUtcNow()));
        await command.ExecuteNonQueryAsync(cancel);
    }

    public async Task SetPaused(string shard, bool paused, CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(
            paused
                ? $"update {table} set state = 'paused', updated_at = $2 where shard = $1 and state in ('requested', 'running')"
                : $"update {table} set state = 'requested', updated_at = $2 where shard = $1 and state = 'paused'");
        command.Parameters.Add(Sql.Text(shard));
        command.Parameters.Add(Sql.Instant(store.Time.GetUtcNow()));
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Marks it as running and says what an earlier attempt has left, and when that began.</summary>
    public async Task<(RebuildCheckpoint? Checkpoint, DateTimeOffset StartedAt)> Begin(NpgsqlConnection connection, string shard, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            $"""
            insert into {table} as t (shard, state, started_at, updated_at) values ($1, 'running', $2, $2)
            on conflict (shard) do update set state = 'running', error = null, updated_at = excluded.updated_at,
                started_at = case when t.checkpoint is null then excluded.started_at else t.started_at end
            returning checkpoint, started_at
            """,
            connection)
        { Parameters = { Sql.Text(shard), Sql.Instant(store.Time.GetUtcNow()) } };
        await using var row = await command.ExecuteReaderAsync(cancel);
        await row.ReadAsync(cancel);
        return (row.IsDBNull(0) ? null : JsonSerializer.Deserialize<RebuildCheckpoint>(row.GetFieldValue<byte[]>(0)), row.GetFieldValue<DateTimeOffset>(1));
    }

    /// <summary>Tells how far it is, and returns what others want: <see cref="Running"/>, or that it pauses.</summary>
    public async Task<string> Tell(NpgsqlConnection connection, string shard, long done, long total, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            $"update {table} set events_done = $2, events_total = $3, updated_at = $4 where shard = $1 returning state", connection)
        { Parameters = { Sql.Text(shard), Sql.Number(done), Sql.Number(total), Sql.Instant(store.Time.GetUtcNow()) } };
        return (string?)await command.ExecuteScalarAsync(cancel) ?? Running;
    }

    public NpgsqlBatchCommand Keep(string shard, RebuildCheckpoint checkpoint) =>
        new($"update {table} set checkpoint = $2, events_done = $3, events_total = $4, updated_at = $5 where shard = $1")
        {
            Parameters =
            {
                Sql.Text(shard), Sql.OptionalJson(JsonSerializer.Serialize(checkpoint)), Sql.Number(checkpoint.Done(checkpoint.Position)),
                Sql.Number(checkpoint.End), Sql.Instant(store.Time.GetUtcNow()),
            },
        };

    public NpgsqlBatchCommand Finish(string shard, long total) =>
        new($"update {table} set state = 'done', checkpoint = null, events_done = $2, events_total = $2, updated_at = $3, error = null where shard = $1")
        {
            Parameters = { Sql.Text(shard), Sql.Number(total), Sql.Instant(store.Time.GetUtcNow()) },
        };

    public async Task Fail(string shard, string error, CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(
            $"update {table} set state = 'failed', checkpoint = null, error = $2, updated_at = $3 where shard = $1");
        command.Parameters.Add(Sql.Text(shard));
        command.Parameters.Add(Sql.Text(error));
        command.Parameters.Add(Sql.Instant(store.Time.GetUtcNow()));
        await command.ExecuteNonQueryAsync(cancel);
    }

    public NpgsqlBatchCommand ForgetWaiting(string shard) => new($"delete from {waitingTable} where shard = $1") { Parameters = { Sql.Text(shard) } };

    public NpgsqlBatchCommand AddWaiting(string shard, IReadOnlyList<WaitingRow> waiting) =>
        new($"""
            insert into {waitingTable} (shard, key, seq_id, event_id, reason, parked_at)
            select $1, e.key, e.seq_id, e.event_id, e.reason, $6 from unnest($2, $3, $4, $5) as e (key, seq_id, event_id, reason)
            on conflict do nothing
            """)
        {
            Parameters =
            {
                Sql.Text(shard),
                Sql.Texts([.. waiting.Select(it => it.Key)]),
                Sql.Numbers([.. waiting.Select(it => it.Sequence)]),
                new NpgsqlParameter { Value = waiting.Select(it => it.EventId).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid },
                new NpgsqlParameter { Value = waiting.Select(it => it.Reason).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Varchar },
                Sql.Instant(store.Time.GetUtcNow()),
            },
        };

    /// <summary>What waits after the rebuild takes the place of what waited before.</summary>
    public IEnumerable<NpgsqlBatchCommand> PutWaitingInPlace(string shard)
    {
        var parked = $"{store.Options.DatabaseSchemaName}.cavecomm_parked_event";
        yield return new($"delete from {parked} where shard = $1") { Parameters = { Sql.Text(shard) } };
        yield return new($"""
            with moved as (delete from {waitingTable} where shard = $1 returning shard, key, seq_id, event_id, reason, parked_at)
            insert into {parked} (shard, key, seq_id, event_id, reason, parked_at, erasures)
            select shard, key, seq_id, event_id, reason, parked_at,
                coalesce((select (checkpoint ->> '{nameof(RebuildCheckpoint.Erasures)}')::bigint from {table} where shard = $1), 0) from moved
            """)
        { Parameters = { Sql.Text(shard) } };
    }

    public async Task<HashSet<string>> WaitingKeys(NpgsqlConnection connection, string shard, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"select distinct key from {waitingTable} where shard = $1", connection) { Parameters = { Sql.Text(shard) } };
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var keys = new HashSet<string>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel))
            keys.Add(rows.GetString(0));
        return keys;
    }

    // Asked of the lock table: to try the lock would get in the way of whoever wants it.
    private async Task<HashSet<long>> Held(CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand("""
            select (classid::bigint << 32) | objid::bigint from pg_locks
            where locktype = 'advisory' and objsubid = 1 and granted and database = (select oid from pg_database where datname = current_database())
            """);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var held = new HashSet<long>();
        while (await rows.ReadAsync(cancel))
            held.Add(rows.GetInt64(0));
        return held;
    }
}
