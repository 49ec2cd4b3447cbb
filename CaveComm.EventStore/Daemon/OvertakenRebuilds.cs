using System.Globalization;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Rebuilds that stand still by somebody's wish while a person was erased whose texts they may hold, opened.</summary>
/// <remarks>
/// A rebuild that runs follows the log to its end, where the views are told to forget, before anybody reads it. One that is paused is told
/// nothing, for as long as the pause takes. So what it has built goes, and it begins anew when it is resumed. The same goes for what code of
/// another version has left, say one that was taken back: nobody here goes on with it. Nodes that do hold its lock and renew its row, and would lose
/// nothing but work.
/// </remarks>
internal sealed class OvertakenRebuilds(DocumentStore store)
{
    // A node that was not told of an erasure still opens texts for a while; and clocks differ.
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(1);

    // Who runs a rebuild tells how far it is, and comes again within minutes when it was cut off.
    private static readonly TimeSpan LeftBehind = TimeSpan.FromHours(1);
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
            if (BuildingOf(shard) is { } building && await Drop(shard, building, cancel))
                dropped.Add(shard);
        }

        return dropped;
    }

    /// <summary>What the table is called that a rebuild of a shard fills; null for one that nobody here has heard of.</summary>
    private string? BuildingOf(string shard) => store.Options.Projections.Stored()
        .Select(it => VersionOf(shard, it.Projection) is { } version ? RebuildTwin.NameFor(DocumentMapping.TableOf(it.Projection.ViewType, version)) : null)
        .FirstOrDefault(it => it is not null);

    private static uint? VersionOf(string shard, ProjectionBase projection)
    {
        if (shard == ProjectionBase.ShardOf(projection.Name, 1))
            return 1;
        var (beginning, end) = ($"{projection.Name}:V", ":All");
        return shard.StartsWith(beginning, StringComparison.Ordinal) && shard.EndsWith(end, StringComparison.Ordinal)
            && uint.TryParse(shard.AsSpan()[beginning.Length..^end.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;
    }

    private async Task<IReadOnlyList<string>> Overtaken(CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(
            $"""
            select shard from {schema}.cavecomm_rebuild r where {StandsStill("$1", "$2")}
                and coalesce((checkpoint ->> '{nameof(RebuildCheckpoint.Erasures)}')::bigint, 0) < (select count(*) from {keys} where erased_at is not null)
            """);
        command.Parameters.Add(Known());
        command.Parameters.Add(LeftSince());
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var found = new List<string>();
        while (await rows.ReadAsync(cancel))
            found.Add(rows.GetString(0));
        return found;
    }

    private NpgsqlParameter Known() => Sql.Texts([.. store.Options.Projections.Stored().Select(it => it.Projection.ShardName)]);

    private NpgsqlParameter LeftSince() => Sql.Instant(store.Time.GetUtcNow() - LeftBehind);

    // One that was cut off goes on by itself, but not while its projection is paused.
    private string StandsStill(string known, string leftSince) => $"""
        checkpoint is not null and case when shard = any({known})
            then state = '{RebuildTable.Paused}' or exists (select from {schema}.cavecomm_projection p where p.shard = r.shard and p.paused)
            else updated_at < {leftSince} end
        """;

    private async Task<bool> Drop(string shard, string building, CancellationToken cancel)
    {
        await using var connection = await store.DataSource.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);

        // Who rebuilds holds this lock, also on the way to a pause.
        await using var begin = new NpgsqlCommand(
            $"""
            with mine as materialized (select pg_try_advisory_xact_lock($1) as is_mine)
            update {schema}.cavecomm_rebuild r set checkpoint = null, events_done = 0, updated_at = $3 from mine
            where r.shard = $2 and mine.is_mine and {StandsStill("$4", "$5")}
            """,
            connection)
        { Parameters = { Sql.Number(table.LockOf(shard)), Sql.Text(shard), Sql.Instant(store.Time.GetUtcNow()), Known(), LeftSince() } };
        if (await begin.ExecuteNonQueryAsync(cancel) == 0)
            return false;
        await using var drop = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands = { new(RebuildTwin.DropOf(schema, building)), table.ForgetWaiting(shard) },
        };
        await drop.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }
}
