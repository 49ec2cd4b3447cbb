using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Which projections this node may run. The locks belong to one connection and go with it, however the node ends.</summary>
internal sealed class ShardLocks(DocumentStore store, NpgsqlConnection connection)
{
    private readonly long node = StableHash.Of($"cavecomm node {store.Options.DatabaseSchemaName}");

    /// <summary>How many nodes take part, and what is taken.</summary>
    /// <param name="Taken">The keys of all locks that are held, by this node and others.</param>
    public sealed record Survey(int Nodes, IReadOnlySet<long> Taken);

    public static long KeyOf(DocumentStore store, string shard) => StableHash.Of($"cavecomm shard {store.Options.DatabaseSchemaName} {shard}");

    /// <summary>Makes this node one that the others count.</summary>
    public Task Announce(CancellationToken cancel) =>
        // A machine that vanishes sends no goodbye: the server asks after it, and gives its locks up within seconds.
        connection.Execute(
            $"""
            set tcp_keepalives_idle = 1; set tcp_keepalives_interval = 1; set tcp_keepalives_count = 2;
            select pg_advisory_lock_shared({node})
            """,
            cancel);

    public async Task<Survey> Look(CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Held, connection);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var nodes = 0;
        var taken = new HashSet<long>();
        while (await rows.ReadAsync(cancel))
        {
            if (rows.GetInt64(0) == node)
                nodes++;
            else
                taken.Add(rows.GetInt64(0));
        }

        return new(nodes, taken);
    }

    public Task<bool> TryTake(string shard, CancellationToken cancel) =>
        connection.Scalar<bool>("select pg_try_advisory_lock($1)", cancel, Sql.Number(KeyOf(store, shard)));

    public Task GiveBack(string shard, CancellationToken cancel) =>
        connection.Execute("select pg_advisory_unlock($1)", cancel, Sql.Number(KeyOf(store, shard)));

    /// <summary>The keys of all advisory locks of this database, once for each holder.</summary>
    public const string Held = """
        select (classid::bigint << 32) | objid::bigint from pg_locks
        where locktype = 'advisory' and objsubid = 1 and granted and database = (select oid from pg_database where datname = current_database())
        """;
}
