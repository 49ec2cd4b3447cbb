using Npgsql;

namespace CaveComm.EventStore;

/// <summary>How far projections are that another node runs, as the database tells it.</summary>
internal sealed class ProjectionProgress(DocumentStore store)
{
    private readonly string ofAll = $"select name, coalesce(last_seq_id, 0) from {store.Options.DatabaseSchemaName}.mt_event_progression";
    private readonly string ofOne = $"select coalesce(max(last_seq_id), 0) from {store.Options.DatabaseSchemaName}.mt_event_progression where name = $1";
    private long highestKnown;

    public long HighestKnown => Volatile.Read(ref highestKnown);

    public async Task<long> HighestSequence(CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(store.EventSql.HighestSequence);
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    public async Task Refresh(IEnumerable<ProjectionShard> shards, CancellationToken cancel)
    {
        var positions = new Dictionary<string, long>(StringComparer.Ordinal);
        await using (var command = store.DataSource.CreateCommand(ofAll))
        await using (var rows = await command.ExecuteReaderAsync(cancel))
        {
            while (await rows.ReadAsync(cancel))
                positions[rows.GetString(0)] = rows.GetInt64(1);
        }

        foreach (var shard in shards)
            shard.Position.MoveTo(positions.GetValueOrDefault(shard.Name));
        Volatile.Write(ref highestKnown, await HighestSequence(cancel));
    }

    public async Task<bool> WaitFor(ProjectionShard shard, long sequence, TimeSpan timeout, CancellationToken cancel)
    {
        var started = Environment.TickCount64;
        for (var pause = 2; ; pause = Math.Min(2 * pause, 100))
        {
            if (await Position(shard, cancel) >= sequence)
                return true;
            if (Environment.TickCount64 - started >= timeout.TotalMilliseconds)
                return false;
            await Task.Delay(pause, cancel);
        }
    }

    private async Task<long> Position(ProjectionShard shard, CancellationToken cancel)
    {
        await using NpgsqlCommand command = store.DataSource.CreateCommand(ofOne);
        command.Parameters.Add(Sql.Text(shard.Name));
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }
}
