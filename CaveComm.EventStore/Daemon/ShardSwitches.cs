namespace CaveComm.EventStore;

/// <summary>What operators have said of the shards, and what the shards say of themselves, for all nodes to read: <c>cavecomm_projection</c>.</summary>
internal sealed class ShardSwitches(DocumentStore store)
{
    private readonly string table = $"{store.Options.DatabaseSchemaName}.cavecomm_projection";

    public sealed record State(bool Paused, string? Error);

    public async Task<IReadOnlyDictionary<string, State>> All(CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand($"select shard, paused, error from {table}");
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var found = new Dictionary<string, State>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel))
            found[rows.GetString(0)] = new(rows.GetBoolean(1), rows.IsDBNull(2) ? null : rows.GetString(2));
        return found;
    }

    public async Task SetPaused(string shard, bool paused, CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(
            $"insert into {table} (shard, paused) values ($1, $2) on conflict (shard) do update set paused = excluded.paused");
        command.Parameters.Add(Sql.Text(shard));
        command.Parameters.Add(new Npgsql.NpgsqlParameter<bool> { TypedValue = paused });
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <param name="error">What the shard stands before; null when it goes on.</param>
    public async Task Tell(string shard, string? error, CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(
            $"insert into {table} (shard, error) values ($1, $2) on conflict (shard) do update set error = excluded.error");
        command.Parameters.Add(Sql.Text(shard));
        command.Parameters.Add(Sql.OptionalText(error));
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Forgets what a shard stood before.</summary>
    public async Task Clear(string shard, CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand($"update {table} set error = null where shard = $1 and error is not null");
        command.Parameters.Add(Sql.Text(shard));
        await command.ExecuteNonQueryAsync(cancel);
    }
}
