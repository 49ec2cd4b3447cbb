using Npgsql;

namespace CaveComm.EventStore;

/// <summary>The tables of earlier versions of stored views, which nodes with old code fed and read until the last of them went.</summary>
/// <remarks>
/// What an erasure rewrites is the version that its own code knows, so an old table must not outlive its readers. It is safe to drop one
/// too early: old code that comes back makes its table anew and fills it from the log. The same goes for what a rebuild of an
/// old version has left that nobody will go on with.
/// </remarks>
internal sealed class RetiredViews(DocumentStore store)
{
    private readonly string schema = store.Options.DatabaseSchemaName;

    /// <returns>The tables that were dropped.</returns>
    public async Task<IReadOnlyList<string>> Drop(TimeSpan idle, CancellationToken cancel)
    {
        var dropped = new List<string>();
        foreach (var (projection, _) in store.Options.Projections.Stored())
        {
            for (var version = 1u; version < projection.Version; version++)
            {
                var (shard, table) = (ProjectionBase.ShardOf(projection.Name, version), DocumentMapping.TableOf(projection.ViewType, version));
                if (await Drop(projection, shard, table, idle, cancel))
                    dropped.Add(table);
            }
        }

        return dropped;
    }

    private async Task<bool> Drop(ProjectionBase projection, string shard, string table, TimeSpan idle, CancellationToken cancel)
    {
        var building = RebuildTwin.NameFor(table);
        await using var connection = await store.DataSource.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        // A node with old code holds its shard's lock as long as it feeds the table, and the rebuild's while it fills one.
        await using var isLeft = new NpgsqlCommand(
            $"""
            select pg_try_advisory_xact_lock($1) and pg_try_advisory_xact_lock($6)
                and (to_regclass($4) is not null or to_regclass($7) is not null)
                and exists (select from {schema}.mt_event_progression where name = $2)
                and not exists (select from {schema}.mt_event_progression where name = $3 and last_updated > clock_timestamp() - $5)
            """,
            connection)
        {
            Parameters =
            {
                Sql.Number(ShardLocks.KeyOf(store, shard)), Sql.Text(projection.ShardName), Sql.Text(shard), Sql.Text($"{schema}.{table}"),
                new NpgsqlParameter<TimeSpan> { TypedValue = idle }, Sql.Number(new RebuildTable(store).LockOf(shard)), Sql.Text($"{schema}.{building}"),
            },
        };
        if (await isLeft.ExecuteScalarAsync(cancel) is not true)
            return false;
        await using var drop = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                // The place in the log before the table: whoever writes views takes them in this order too.
                new($"delete from {schema}.mt_event_progression where name = $1") { Parameters = { Sql.Text(shard) } },
                new($"drop table if exists {schema}.{table}, {schema}.{building}, {schema}.{RebuildTwin.AsideOf(building)}, {schema}.{RebuildTwin.TrialOf(building)}"),
                new($"delete from {schema}.cavecomm_parked_event where shard = $1") { Parameters = { Sql.Text(shard) } },
                new($"delete from {schema}.cavecomm_projection where shard = $1") { Parameters = { Sql.Text(shard) } },
                new($"delete from {schema}.cavecomm_rebuild where shard = $1") { Parameters = { Sql.Text(shard) } },
                new($"delete from {schema}.cavecomm_rebuild_parked where shard = $1") { Parameters = { Sql.Text(shard) } },
            },
        };
        await drop.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }
}
