using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Finds how far the log is final: nothing can come any more before that place. It waits for nobody.</summary>
internal static class LogEnd
{
    public static async Task<long> Find(DocumentStore store, NpgsqlConnection connection, CancellationToken cancel)
    {
        var end = await connection.Scalar<long>(store.EventSql.HighestSequence, cancel);
        var id = await InFlight.Draw(connection, cancel);
        if (!await InFlight.AnyOlder(connection, id, cancel))
            return end;

        // Somebody writes and may fill a gap. What a projection has applied was final when it did; behind that, up to the first gap.
        var schema = store.Options.DatabaseSchemaName;
        var known = await connection.Scalar<long>($"select coalesce(max(last_seq_id), 0) from {schema}.mt_event_progression", cancel);
        return await connection.Scalar<long>(
            $"""
            select coalesce(max(seq_id), $1) from (
                select seq_id, row_number() over (order by seq_id) as place from {schema}.mt_events where seq_id > $1 and seq_id <= $2) as e
            where seq_id = $1 + place
            """,
            cancel, Sql.Number(known), Sql.Number(end));
    }
}
