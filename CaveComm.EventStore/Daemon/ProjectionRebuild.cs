using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Folds a stored view anew from the whole log and puts the result in the old one's place, in one transaction.</summary>
internal sealed class ProjectionRebuild(DocumentStore store)
{
    private const int PageSize = 5000;

    public async Task Run(ProjectionOptions.Registration registration, CancellationToken cancel)
    {
        var (projection, lifecycle) = registration;
        var mapping = store.Documents.For(projection.ViewType);
        await using var connection = await store.OpenDedicated("rebuild", cancel);
        await Execute(connection, "set plan_cache_mode = force_custom_plan; set synchronize_seqscans = off; set default_transaction_isolation = 'read committed'", cancel);
        var end = await FinalEnd(connection, cancel);

        await using var transaction = await connection.BeginTransactionAsync(cancel);
        if (lifecycle == ProjectionLifecycle.Inline)
        {
            // Writers come to this table only after they have appended: who waits here is not in what is read, and adds to it afterwards.
            await Execute(connection, $"lock table {mapping.QualifiedTable} in exclusive mode", cancel);
            end = long.MaxValue;
        }
        else
        {
            end = Math.Max(end, await LockProgress(connection, projection, cancel));
        }

        var work = await Fold(connection, projection, mapping, end, cancel);
        await Execute(connection, $"delete from {mapping.QualifiedTable}", cancel);
        foreach (var write in work.Writes())
        {
            await using var batch = new NpgsqlBatch(connection, transaction) { BatchCommands = { write } };
            await batch.ExecuteNonQueryAsync(cancel);
        }

        if (lifecycle == ProjectionLifecycle.Async)
            await MoveProgress(connection, projection, end, cancel);
        await transaction.CommitAsync(cancel);
    }

    private async Task<ViewWork> Fold(
        NpgsqlConnection connection, ProjectionBase projection, DocumentMapping mapping, long end, CancellationToken cancel)
    {
        var work = new ViewWork(projection, mapping);
        var position = 0L;
        while (true)
        {
            await using var command = new NpgsqlCommand(store.EventSql.Page, connection)
            {
                Parameters = { Sql.Number(position), Sql.Number(end), Sql.Count(PageSize) },
            };
            await using var rows = await command.ExecuteReaderAsync(cancel);
            var page = await store.EventReader.ReadAll(rows, cancel);
            foreach (var happened in page)
                work.Add(happened);
            work.Fold();
            if (page.Count < PageSize)
                return work;
            position = page[^1].Sequence;
        }
    }

    /// <summary>The end of the log, once nothing can come before it any more.</summary>
    private async Task<long> FinalEnd(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(store.EventSql.HighestSequence, connection);
        var end = (long)(await command.ExecuteScalarAsync(cancel))!;
        var id = await InFlight.Draw(connection, cancel);
        for (var pause = 1; await InFlight.AnyOlder(connection, id, cancel); pause = Math.Min(2 * pause, 100))
            await Task.Delay(pause, cancel);
        return end;
    }

    // A node that runs the projection waits for this row, then finds that it has moved and reads it anew.
    private async Task<long> LockProgress(NpgsqlConnection connection, ProjectionBase projection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            $"""
            insert into {store.Options.DatabaseSchemaName}.mt_event_progression as p (name, last_seq_id) values ($1, 0)
            on conflict (name) do update set last_seq_id = p.last_seq_id returning last_seq_id
            """,
            connection)
        { Parameters = { Sql.Text(projection.ShardName) } };
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    private async Task MoveProgress(NpgsqlConnection connection, ProjectionBase projection, long end, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            $"update {store.Options.DatabaseSchemaName}.mt_event_progression set last_seq_id = $2, last_updated = transaction_timestamp() where name = $1",
            connection)
        { Parameters = { Sql.Text(projection.ShardName), Sql.Number(end) } };
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
