using Npgsql;

namespace CaveComm.Messaging;

/// <summary>Makes the tables, and brings older ones up to date.</summary>
internal static class MessagingSchema
{
    private const long MigrationLock = 0x63617665_6d736773; // "cavemsgs"

    /// <summary>
    /// Forward only; a node with older code goes on while a newer one adds. The number of applied steps is the comment on the first table.
    /// </summary>
    /// <remarks>
    /// <c>seq</c> is the place in the running order, drawn when a message becomes ready; null while it is scheduled. For a group it is drawn under
    /// the group's lock, so the order of numbers is the order of commits and the lowest one of a group is for ever the first.
    /// <c>claims</c> counts how often the message was taken into hand and fences off a node that lost it; <c>attempts</c> counts recorded failures.
    /// Taking and renewing touch no indexed column, so they stay heap-only updates in the room that the fill factor leaves.
    /// </remarks>
    private static readonly string[] Steps =
    [
        """
        create sequence cavecomm_messages_seq;
        create table cavecomm_messages (
            id uuid primary key,
            seq bigint,
            due_at timestamptz not null,
            locked_until timestamptz,
            created_at timestamptz not null default clock_timestamp(),
            owner uuid,
            claims integer not null default 0,
            attempts integer not null default 0,
            replays integer not null default 0,
            type text not null,
            queue text not null,
            group_key text,
            dedup_id text,
            body jsonb not null,
            headers jsonb,
            errors jsonb
        ) with (
            fillfactor = 80,
            autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
            autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 20000,
            autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000
        );
        create index cavecomm_messages_ready on cavecomm_messages (queue, seq) where seq is not null;
        create index cavecomm_messages_group on cavecomm_messages (group_key, seq) where group_key is not null and seq is not null;
        create index cavecomm_messages_due on cavecomm_messages (due_at) where seq is null or attempts > 0;

        create table cavecomm_dead_letters (
            id uuid primary key,
            seq bigint,
            type text not null,
            queue text not null,
            group_key text,
            body jsonb not null,
            headers jsonb,
            errors jsonb not null,
            attempts integer not null,
            replays integer not null,
            reason text not null,
            trace_id text not null,
            created_at timestamptz not null,
            dead_at timestamptz not null,
            discarded_at timestamptz,
            discard_reason text
        );
        create index cavecomm_dead_letters_waiting on cavecomm_dead_letters (id) where discarded_at is null;

        create table cavecomm_message_dedup (
            id uuid primary key,
            expires_at timestamptz not null
        ) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
        create index cavecomm_message_dedup_expiry on cavecomm_message_dedup (expires_at);

        create table cavecomm_message_nodes (
            id uuid primary key,
            name text not null,
            started_at timestamptz not null default now(),
            seen_at timestamptz not null default now()
        ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
        """,

        // Which letters a replay sent again stands in their headers; here stands how many they were, and what became of them.
        """
        create table cavecomm_message_replays (
            id uuid primary key,
            type text,
            queue text,
            since timestamptz,
            error text,
            per_second integer not null,
            total integer not null,
            started_at timestamptz not null,
            sent_by timestamptz not null,
            ended_at timestamptz,
            dead_again integer
        );
        """,
    ];

    // Straight from the catalogue: to_regclass answers from a cache that does not see what another node made while we waited for the lock.
    private const string AppliedSteps =
        """
        select coalesce(max(substring(d.description from 'schema ([0-9]+)')::int), 0)
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace and n.nspname = current_schema()
        join pg_description d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0
        where c.relname = 'cavecomm_messages'
        """;

    public static async Task Ensure(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        if (await Applied(connection, cancel) >= Steps.Length)
        {
            return; // The usual start takes no lock that a writer could meet.
        }

        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using (var gate = new NpgsqlCommand("select pg_advisory_xact_lock($1)", connection) { Parameters = { new() { Value = MigrationLock } } })
        {
            await gate.ExecuteNonQueryAsync(cancel);
        }

        for (var step = await Applied(connection, cancel); step < Steps.Length; step++)
        {
            await using var change = new NpgsqlCommand(Steps[step], connection);
            await change.ExecuteNonQueryAsync(cancel);
        }

#pragma warning disable CA2100 // COMMENT takes no parameters; the figure is our own.
        await using (var note = new NpgsqlCommand($"comment on table cavecomm_messages is 'schema {Steps.Length}'", connection))
        {
            await note.ExecuteNonQueryAsync(cancel);
        }
#pragma warning restore CA2100

        await transaction.CommitAsync(cancel);
    }

    private static async Task<int> Applied(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(AppliedSteps, connection);
        return (int)(await command.ExecuteScalarAsync(cancel))!;
    }
}
