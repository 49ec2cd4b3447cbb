using Npgsql;
using NpgsqlTypes;

namespace CaveComm.EventStore;

/// <summary>The events that wait since they, or an earlier one of their view's key, could not be applied: one row each in <c>cavecomm_parked_event</c>.</summary>
internal sealed class ParkedEvents(DocumentStore store)
{
    private readonly string keys = $"select distinct key from {store.Options.DatabaseSchemaName}.cavecomm_parked_event where shard = $1";

    // Somebody may have retried a key meanwhile. Then nothing may be put behind it: the division by zero undoes the batch, and the shard
    // looks again.
    private readonly string stillParked = $"""
        with known as (select distinct key from {store.Options.DatabaseSchemaName}.cavecomm_parked_event where shard = $1 and key = any($2))
        select 1 / (count(*) = $3)::int from known
        """;

    private readonly string insert = $"""
        insert into {store.Options.DatabaseSchemaName}.cavecomm_parked_event (shard, key, seq_id, event_id, reason, parked_at)
        select $1, e.key, e.seq_id, e.event_id, e.reason, $6 from unnest($2, $3, $4, $5) as e (key, seq_id, event_id, reason)
        on conflict do nothing
        """;

    private readonly string forUnknownTypes = $"""
        select distinct p.key from {store.Options.DatabaseSchemaName}.cavecomm_parked_event p join {store.Options.DatabaseSchemaName}.mt_events e using (seq_id)
        where p.shard = $1 and starts_with(p.reason, $2) and (e.type = any($3) or {Tombstones.Condition})
        """;

    /// <summary>The keys of a shard that are parked.</summary>
    public async Task<HashSet<string>> Keys(string shard, CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(keys);
        command.Parameters.Add(Sql.Text(shard));
        return await ReadKeys(command, cancel);
    }

    /// <summary>The commands that keep what waits; they belong into the transaction that moves the shard on.</summary>
    /// <param name="known">The keys that were parked before.</param>
    public IEnumerable<NpgsqlBatchCommand> Add(string shard, IReadOnlyCollection<WaitingEvent> waiting, IReadOnlySet<string> known)
    {
        if (waiting.Count == 0)
            yield break;
        string[] behind = [.. waiting.Select(it => it.Key).Where(known.Contains).Distinct()];
        if (behind.Length > 0)
            yield return new(stillParked) { Parameters = { Sql.Text(shard), Sql.Texts(behind), Sql.Number(behind.Length) } };
        yield return Add(shard, [.. waiting.Select(it => new WaitingRow(it.Key, it.Event.Sequence, it.Reason is null ? null : it.Event.Id, it.Reason))]);
    }

    /// <summary>Keeps what waits. Whose erasures the rows of its keys were folded with is not known then.</summary>
    public NpgsqlBatchCommand Add(string shard, IReadOnlyCollection<WaitingRow> waiting) => new(insert)
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

    /// <summary>The place of the first event that waits, of each of some keys.</summary>
    public async Task<Dictionary<string, long>> Heads(NpgsqlConnection connection, string shard, string[] some, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            $"select key, min(seq_id) from {store.Options.DatabaseSchemaName}.cavecomm_parked_event where shard = $1 and key = any($2) group by key", connection)
        { Parameters = { Sql.Text(shard), Sql.Texts(some) } };
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var heads = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel))
            heads.Add(rows.GetString(0), rows.GetInt64(1));
        return heads;
    }

    /// <summary>Says with how many destroyed keys of persons the rows of some keys were folded.</summary>
    public NpgsqlBatchCommand FoldedWith(string shard, string[] some, long erasures) =>
        new($"update {store.Options.DatabaseSchemaName}.cavecomm_parked_event set erasures = $3 where shard = $1 and key = any($2)")
        {
            Parameters = { Sql.Text(shard), Sql.Texts(some), Sql.Number(erasures) },
        };

    /// <summary>What waits, by key: the first row of a key is the event that could not be applied.</summary>
    public async Task<IReadOnlyList<ParkedKey>> List(string name, string shard, CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(
            $"""
            select distinct on (key) key, event_id, seq_id, reason, parked_at, count(*) over (partition by key)
            from {store.Options.DatabaseSchemaName}.cavecomm_parked_event where shard = $1 order by key, seq_id
            """);
        command.Parameters.Add(Sql.Text(shard));
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var found = new List<ParkedKey>();
        while (await rows.ReadAsync(cancel))
        {
            found.Add(new(
                name, rows.GetString(0), rows.IsDBNull(1) ? Guid.Empty : rows.GetGuid(1), rows.GetInt64(2), rows.IsDBNull(3) ? "" : rows.GetString(3),
                (int)rows.GetInt64(5), rows.GetFieldValue<DateTimeOffset>(4)));
        }

        return found;
    }

    /// <summary>Goes on with the keys that are parked since nobody knew the type of an event, which this program knows: while old and new programs run side by side, an old one parks what only the new ones know. Older ones parked <see cref="Tombstones"/>, too.</summary>
    /// <returns>Those of which nothing waits any more.</returns>
    public async Task<IReadOnlyList<string>> RetryKnownTypes(ProjectionBase projection, DocumentMapping mapping, CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(forUnknownTypes);
        command.Parameters.Add(Sql.Text(projection.ShardName));
        command.Parameters.Add(Sql.Text(UnknownEventTypeException.Beginning));
        command.Parameters.Add(Sql.Texts([.. store.Options.Events.Mapped.Select(it => it.Alias)]));
        var done = new List<string>();
        foreach (var key in await ReadKeys(command, cancel))
        {
            if (await Retry(projection, mapping, key, cancel))
                done.Add(key);
        }

        return done;
    }

    /// <summary>Applies what waits for one key, in the log's order, in one transaction.</summary>
    /// <returns>Whether nothing of it waits any more.</returns>
    public async Task<bool> Retry(ProjectionBase projection, DocumentMapping mapping, string key, CancellationToken cancel)
    {
        await using var connection = await store.DataSource.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);

        // The shard commits by moving this row: while it is held, nothing is added to what waits, and the view's row stands still. Its new time
        // makes the shard look again at what is parked: this may park other keys than the shard knows.
        await connection.Execute(
            $"update {store.Options.DatabaseSchemaName}.mt_event_progression set last_updated = clock_timestamp() where name = $1", cancel, Sql.Text(projection.ShardName));
        // All on this connection: others of the pool may be with those who wait for that row.
        await using var asking = new NpgsqlCommand(keys, connection) { Parameters = { Sql.Text(projection.ShardName) } };
        var parked = await ReadKeys(asking, cancel);
        parked.Remove(key);
        var events = await Waiting(connection, projection.ShardName, key, cancel);
        var work = await Load(transaction, new(projection, mapping, parked), events, keys: null, cancel);
        work.FoldOrPark();
        await connection.Execute(
            $"delete from {store.Options.DatabaseSchemaName}.cavecomm_parked_event where shard = $1 and key = $2", cancel, Sql.Text(projection.ShardName), Sql.Text(key));
        await transaction.SaveAsync("writing", cancel);
        try
        {
            await Write(transaction, projection.ShardName, work, parked, cancel);
        }
        catch (Exception unfit) when (ViewTrial.IsRefusal(unfit))
        {
            // It was parked for that, or stumbles so at a later event.
            await transaction.RollbackAsync("writing", cancel);
            var trial = new ViewTrial(connection, mapping, isWithin: true);
            var refused = await trial.Refused([.. work.Changed()], cancel);
            var found = await trial.FirstRefused(await Load(transaction, new(projection, mapping, parked), events, refused, cancel), cancel);
            if (found.Count == 0)
                return false;
            work = await Load(transaction, new(projection, mapping, parked), events, keys: null, cancel);
            work.FoldOrPark(found);
            await Write(transaction, projection.ShardName, work, parked, cancel);
        }

        await transaction.CommitAsync(cancel);
        return work.Waiting.All(it => it.Key != key);
    }

    private static async Task<ViewWork> Load(NpgsqlTransaction transaction, ViewWork work, List<IEvent> events, IReadOnlySet<string>? keys, CancellationToken cancel)
    {
        foreach (var happened in events)
            work.AddOrPark(happened);
        if (keys is not null)
            work.Narrow(keys);
        if (work.IsEmpty)
            return work;
        await using var load = new NpgsqlBatch(transaction.Connection, transaction) { BatchCommands = { work.LockKeys(), work.Load(forUpdate: true) } };
        await using var rows = await load.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        await work.ReadLoaded(rows, cancel);
        return work;
    }

    private async Task Write(NpgsqlTransaction transaction, string shard, ViewWork work, HashSet<string> parked, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        foreach (var command in work.Writes().Concat(Add(shard, work.Waiting, parked)))
            batch.BatchCommands.Add(command);
        if (batch.BatchCommands.Count > 0)
            await batch.ExecuteNonQueryAsync(cancel);
    }

    private static async Task<HashSet<string>> ReadKeys(NpgsqlCommand command, CancellationToken cancel)
    {
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var found = new HashSet<string>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel))
            found.Add(rows.GetString(0));
        return found;
    }

    private async Task<List<IEvent>> Waiting(NpgsqlConnection connection, string shard, string key, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(store.EventSql.Parked, connection) { Parameters = { Sql.Text(shard), Sql.Text(key) } };
        await using var rows = await command.ExecuteReaderAsync(cancel);
        return await store.EventReader.ReadAll(rows, connection, cancel);
    }
}
