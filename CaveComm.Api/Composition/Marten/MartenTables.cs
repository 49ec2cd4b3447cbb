using Npgsql;

namespace CaveComm.Api.Composition;

/// <summary>Whether Marten finds its tables or makes them, and what it needs besides in a database that the kernel made.</summary>
internal static class MartenTables
{
    /// <summary>A database that holds events is left as it is: Marten's migrations must not touch what somebody else feeds.</summary>
    public static bool Exist(string connection)
    {
        using var database = new NpgsqlConnection(connection);
        database.Open();
        using var command = new NpgsqlCommand("select to_regclass('public.mt_events') is not null", database);
        return (bool)command.ExecuteScalar()!;
    }

    /// <summary>
    /// Marten's daemon notes how far it has looked through a function, a rebuild clears the dead letters of its projection, and newer ones read from
    /// each stream how far it was compacted; the kernel has no use for any of these. Where they are there, they stay.
    /// </summary>
    public static void AddMissing(string connection)
    {
        using var database = new NpgsqlConnection(connection);
        database.Open();
        using var command = new NpgsqlCommand(
            """
            create table if not exists public.mt_doc_deadletterevent (
                id uuid not null constraint pkey_mt_doc_deadletterevent_id primary key,
                data jsonb not null,
                mt_last_modified timestamptz null default (transaction_timestamp()),
                mt_version uuid not null default (md5(random()::text || clock_timestamp()::text)::uuid),
                mt_dotnet_type varchar null
            );
            alter table public.mt_streams add column if not exists compacted_version bigint not null default 0;
            do $add$
            begin
                if to_regprocedure('public.mt_mark_event_progression(varchar, bigint)') is null then
                    create function public.mt_mark_event_progression(name varchar, last_encountered bigint) returns void language sql as $mark$
                        insert into public.mt_event_progression (name, last_seq_id) values ($1, $2)
                        on conflict (name) do update set last_seq_id = excluded.last_seq_id, last_updated = transaction_timestamp()
                    $mark$;
                end if;
            end
            $add$
            """,
            database);
        command.ExecuteNonQuery();
    }
}
