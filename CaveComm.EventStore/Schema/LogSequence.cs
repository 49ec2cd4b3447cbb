using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Keeps the sequence of the log as its order needs it.</summary>
/// <remarks>
/// Nothing is skipped because whoever draws a number has a transaction by then. A sequence that caches would hand a connection numbers in advance, which
/// it writes long after readers gave them up. One that stands behind the log, as tables that were copied without it leave it, would hand out
/// numbers that readers have passed.
/// </remarks>
internal static class LogSequence
{
    /// <summary>Looks at every start, and changes the sequence only where somebody else did.</summary>
    public static async Task Mend(NpgsqlConnection connection, string schema, CancellationToken cancel)
    {
        var sequence = $"{schema}.mt_events_sequence";
        if (await connection.Scalar<bool>($"select seqcache <> 1 or seqincrement <> 1 or seqcycle from pg_sequence where seqrelid = '{sequence}'::regclass", cancel))
            await connection.Execute($"alter sequence {sequence} increment 1 cache 1 no cycle", cancel);

        // The log is seen as it was when the statement began, the sequence as it is: writers cannot make it look behind.
        var end = $"(select coalesce(max(seq_id), 0) from {schema}.mt_events)";
        if (await connection.Scalar<bool>($"select {end} > (select last_value - (not is_called)::integer from {sequence})", cancel))
            await connection.Execute($"select setval('{sequence}', greatest({end}, (select last_value from {sequence})))", cancel);
    }
}
