using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Makes what is missing of the store's tables, and touches nothing that is there: a table that exists takes no lock.</summary>
internal sealed class SchemaMigration(DocumentStore store)
{
    private const int MostAttempts = 10;
    private readonly string schema = store.Options.DatabaseSchemaName;

    public async Task Apply(CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await ApplyAtOnce(cancel);
                return;
            }
            catch (PostgresException crossed) when (crossed.SqlState == PostgresErrorCodes.DeadlockDetected && attempt < MostAttempts)
            {
                // Two tables got new columns while old code wrote into both, in another order. Nothing was changed yet.
            }
        }
    }

    private async Task ApplyAtOnce(CancellationToken cancel)
    {
        await using var connection = await store.OpenDedicated("schema", cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);

        // Several nodes start at once: one makes the tables, the others find them.
        await connection.Execute($"select pg_advisory_xact_lock({StableHash.Of($"cavecomm schema {schema}")})", cancel);
        if (schema != "public")
            await connection.Execute($"create schema if not exists {schema}", cancel);
        var present = await Present(connection, cancel);
        foreach (var (name, definition) in EventTables().Concat(store.Documents.All.SelectMany(DocumentTable)))
        {
            if (!present.Contains(name))
                await connection.Execute(definition, cancel);
        }

        await LogSequence.Mend(connection, schema, cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Tables, indexes and functions by name, columns as table.column.</summary>
    private async Task<HashSet<string>> Present(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            """
            select c.relname from pg_class c where c.relnamespace = to_regnamespace($1)
            union all
            select c.relname || '.' || a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
            union all
            select proname from pg_proc where pronamespace = to_regnamespace($1)
            """,
            connection)
        { Parameters = { Sql.Text(schema) } };
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel))
            names.Add(rows.GetString(0));
        return names;
    }

    private IEnumerable<(string Name, string Definition)> EventTables()
    {
        yield return ("mt_streams", $"""
            create table {schema}.mt_streams (
                id varchar not null,
                type varchar null,
                version bigint null,
                timestamp timestamp with time zone not null default now(),
                created timestamp with time zone not null default now(),
                tenant_id varchar null default '*DEFAULT*',
                is_archived boolean null default false,
                constraint pkey_mt_streams_id primary key (id))
            """);
        yield return ("mt_events_sequence", $"create sequence {schema}.mt_events_sequence");
        yield return ("mt_events", $"""
            create table {schema}.mt_events (
                seq_id bigint not null,
                id uuid not null,
                stream_id varchar null,
                version bigint not null,
                data jsonb not null,
                bdata bytea null,
                type varchar(500) not null,
                timestamp timestamp with time zone not null default now(),
                tenant_id varchar null default '*DEFAULT*',
                mt_dotnet_type varchar null,
                correlation_id varchar null,
                causation_id varchar null,
                headers jsonb null,
                is_archived boolean null default false,
                constraint pkey_mt_events_seq_id primary key (seq_id),
                constraint fkey_mt_events_stream_id foreign key (stream_id) references {schema}.mt_streams (id) on delete cascade);
            alter sequence {schema}.mt_events_sequence owned by {schema}.mt_events.seq_id
            """);
        yield return ("pk_mt_events_stream_and_version",
            $"create unique index pk_mt_events_stream_and_version on {schema}.mt_events (stream_id, version)");
        yield return ("cavecomm_chain", HashChain.Function(schema));
        yield return PersonalKeys.TableDefinition(schema);
        yield return ("mt_event_progression", $"""
            create table {schema}.mt_event_progression (
                name varchar not null,
                last_seq_id bigint null,
                last_updated timestamp with time zone null default transaction_timestamp(),
                constraint pkey_mt_event_progression_name primary key (name))
            """);
        yield return ("cavecomm_parked_event", $"""
            create table {schema}.cavecomm_parked_event (
                shard varchar not null,
                key varchar not null,
                seq_id bigint not null,
                event_id uuid null,
                reason text null,
                parked_at timestamp with time zone not null,
                erasures bigint not null default 0,
                primary key (shard, key, seq_id))
            """);
        yield return ("cavecomm_parked_event.erasures", $"alter table {schema}.cavecomm_parked_event add column if not exists erasures bigint not null default 0");
        yield return ("cavecomm_projection", $"""
            create table {schema}.cavecomm_projection (
                shard varchar primary key,
                paused boolean not null default false,
                error text null)
            """);
        yield return ("cavecomm_rebuild", $"""
            create table {schema}.cavecomm_rebuild (
                shard varchar primary key,
                state varchar not null,
                events_done bigint not null default 0,
                events_total bigint not null default 0,
                checkpoint jsonb null,
                started_at timestamp with time zone not null,
                updated_at timestamp with time zone not null,
                error text null)
            """);
        yield return ("cavecomm_rebuild_parked", $"""
            create table {schema}.cavecomm_rebuild_parked (
                shard varchar not null,
                key varchar not null,
                seq_id bigint not null,
                event_id uuid null,
                reason text null,
                parked_at timestamp with time zone not null,
                primary key (shard, key, seq_id))
            """);
    }

    private static IEnumerable<(string Name, string Definition)> DocumentTable(DocumentMapping mapping)
    {
        yield return (mapping.Table, DocumentTableSql.Table(mapping));
        foreach (var field in mapping.Fields)
        {
            // Rows that were written before the member had a column get theirs from their JSON.
            yield return ($"{mapping.Table}.{field.Column}", $$"""
                alter table {{mapping.QualifiedTable}} add column "{{field.Column}}" {{field.SqlType}} null;
                update {{mapping.QualifiedTable}} set "{{field.Column}}" = (data #>> '{{{field.JsonPath}}}')::{{field.SqlType}}
                """);
            var index = DocumentTableSql.IndexName(mapping, field);
            yield return (index, $"create index {index} on {mapping.QualifiedTable} (\"{field.Column}\")");
        }
    }
}
