using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Rebuilds that stand still by somebody's wish while a person was erased whose texts they may hold, opened.</summary>
/// <remarks>
/// A rebuild that runs follows the log to its end, where the views are told to forget, before anybody reads it. One that is paused is told
/// nothing, for as long as the pause takes. So what it has built goes, and it begins anew when it is resumed.
/// </remarks>
internal sealed class OvertakenRebuilds(DocumentStore store)
{
    // A node that was not told of an erasure still opens texts for a while; and clocks differ.
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(1);
    private readonly RebuildTable table = new(store);
    private readonly string keys = $"{store.Options.DatabaseSchemaName}.cavecomm_personal_key";
    private readonly string schema = store.Options.DatabaseSchemaName;

    /// <summary>How many keys were destroyed so long ago that no node opens texts with them any more: a number that only rises.</summary>
    public async Task<long> Erasures(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"select count(*) from {keys} where erased_at < $1", connection)
        {
            Parameters = { Sql.Instant(store.Time.GetUtcNow() - store.Options.Personal.KeyLifetime - Slack) },
        };
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <returns>The shards whose rebuild has to begin anew.</returns>
    public async Task<IReadOnlyList<string>> Drop(CancellationToken cancel)
    {
        var dropped = new List<string>();
        foreach (var shard in await Overtaken(cancel))
        {
            if (store.Options.Projections.Stored().FirstOrDefault(it => it.Projection.ShardName == shard) is { } known && await Drop(known.Projection, cancel))
                dropped.Add(shard);
        }

        return dropped;
    }

    private async Task<IReadOnlyList<string>> Overtaken(CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(
            $"""
            select shard from {schema}.cavecomm_rebuild r where {StandsStill}
                and coalesce((checkpoint ->> '{nameof(RebuildCheckpoint.Erasures)}')::bigint, 0) < (select count(*) from {keys} where erased_at is not null)
            """);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var found = new List<string>();
        while (await rows.ReadAsync(cancel))
            found.Add(rows.GetString(0));
        return found;
    }

    // One that was cut off goes on by itself, but not while its projection is paused.
    private string StandsStill => $"""
        checkpoint is not null and (state = '{RebuildTable.Paused}'
            or exists (select from {schema}.cavecomm_projection p where p.shard = r.shard and p.paused))
        """;

    private async Task<bool> Drop(ProjectionBase projection, CancellationToken cancel)
    {
        var shard = projection.ShardName;
        await using var connection = await store.DataSource.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);

        // Who rebuilds holds this lock, also on the way to a pause.
        await using var begin = new NpgsqlCommand(
            $"""
            with mine as materialized (select pg_try_advisory_xact_lock($1) as is_mine)
            update {schema}.cavecomm_rebuild r set checkpoint = null, events_done = 0, updated_at = $3 from mine
            where r.shard = $2 and mine.is_mine and {StandsStill}
            """,
            connection)
        { Parameters = { Sql.Number(table.LockOf(shard)), Sql.Text(shard), Sql.Instant(store.Time.GetUtcNow()) } };
        if (await begin.ExecuteNonQueryAsync(cancel) == 0)
            return false;
        await using var drop = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands = { new(new RebuildTwin(store, projection).Drop), table.ForgetWaiting(shard) },
        };
        await drop.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }
}
