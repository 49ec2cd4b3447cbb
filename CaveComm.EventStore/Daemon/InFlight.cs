using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Tells whether a gap in the log can still be filled.</summary>
/// <remarks>
/// Who draws a sequence number has a transaction id already. So when a number is missing, its transaction is older than an id S drawn
/// <em>after</em> the gap was seen (the upper end of a snapshot would not do: a transaction may have its id and not be in it). Once
/// no transaction older than S is in flight, what is still missing then will never come. A transaction in another database of the
/// cluster cannot write here, so it is left out; one of which we do not know where it is, such as a prepared one, is waited for.
/// </remarks>
internal static class InFlight
{
    public const string DrawId = "select pg_current_xact_id()::text";

    /// <summary>How many transactions older than $1 can still write to this database.</summary>
    public const string CountOlder = """
        select count(*) from pg_snapshot_xip(pg_current_snapshot()) as running (id)
        where running.id < $1::text::xid8 and not exists (
            select from pg_locks l join pg_stat_activity a on a.pid = l.pid
            where l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.granted and l.transactionid = running.id::xid
                and a.datid <> (select oid from pg_database where datname = current_database()))
        """;

    public static Task<string> Draw(NpgsqlConnection connection, CancellationToken cancel) => connection.Scalar<string>(DrawId, cancel);

    public static async Task<bool> AnyOlder(NpgsqlConnection connection, string id, CancellationToken cancel) =>
        await connection.Scalar<long>(CountOlder, cancel, Sql.Text(id)) > 0;
}
