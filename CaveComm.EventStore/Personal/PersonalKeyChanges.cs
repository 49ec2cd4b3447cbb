using Npgsql;
using NpgsqlTypes;

namespace CaveComm.EventStore;

/// <summary>Destroys the keys of a subject, and of what belongs to it, with a session.</summary>
internal sealed class PersonalKeyErasure(string table, string subject, DateTimeOffset now, Action committed) : ITransactionParticipant
{
    public void AddTo(NpgsqlBatch batch)
    {
        // The row comes first: who seals for it or assigns to it holds that row, so the second command sees what they did.
        batch.BatchCommands.Add(new($"""
            insert into {table} as k (subject, key, erased_at) values ($1, null, $2)
            on conflict (subject) do update set key = null, erased_at = coalesce(k.erased_at, excluded.erased_at)
            """)
        { Parameters = { Sql.Text(subject), Sql.Instant(now) } });
        batch.BatchCommands.Add(new($"update {table} set key = null, erased_at = coalesce(erased_at, $2) where owner = $1")
        { Parameters = { Sql.Text(subject), Sql.Instant(now) } });
    }

    public Exception? Translate(PostgresException error) => null;

    public void Committed() => committed();
}

/// <summary>Says with a session whom a subject belongs to.</summary>
internal sealed class PersonalKeyAssignment(string table, string subject, string owner) : ITransactionParticipant
{
    public void AddTo(NpgsqlBatch batch) => batch.BatchCommands.Add(new($"""
        with owner as (select erased_at from {table} where subject = $2 for share)
        update {table} as k set owner = $2,
            key = case when owner.erased_at is null then k.key end,
            erased_at = coalesce(k.erased_at, owner.erased_at)
        from owner where k.subject = $1
        """)
    { Parameters = { Sql.Text(subject), Sql.Text(owner) } });

    public Exception? Translate(PostgresException error) => null;

    // The key of what is assigned to somebody who was erased is forgotten in its time.
    public void Committed()
    {
    }
}

/// <summary>Holds the keys that a session seals with until it has committed, and undoes it where one is destroyed.</summary>
internal sealed class PersonalKeyGuard(string table, string[] subjects) : ITransactionParticipant
{
    public void AddTo(NpgsqlBatch batch) => batch.BatchCommands.Add(new($"""
        with held as (select 1 from {table} where subject = any($1) and key is not null order by subject for share)
        select 1 / (case when count(*) = cardinality($1) then 1 else 0 end) from held
        """)
    { Parameters = { Sql.Texts(subjects) } });

    public Exception? Translate(PostgresException error) =>
        error.SqlState == PostgresErrorCodes.DivisionByZero ? new PersonalDataErasedException(string.Join(", ", subjects), error) : null;

    public void Committed()
    {
    }
}

/// <summary>Stores keys of subjects that begin with this transaction: nobody else knows them, so nobody can destroy them meanwhile.</summary>
internal sealed class PersonalKeyBirth(string table, IReadOnlyList<(string Subject, byte[] Wrapped)> keys, Action committed) : ITransactionParticipant
{
    public void AddTo(NpgsqlBatch batch) => batch.BatchCommands.Add(new($"insert into {table} (subject, key) select * from unnest($1, $2)")
    {
        Parameters =
        {
            Sql.Texts([.. keys.Select(it => it.Subject)]),
            new NpgsqlParameter { Value = keys.Select(it => it.Wrapped).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
        },
    });

    public Exception? Translate(PostgresException error) =>
        error.SqlState == PostgresErrorCodes.UniqueViolation ? new PersonalKeyWasThereException(error) : null;

    public void Committed() => committed();
}

/// <summary>A stream begins, and its key was there before: an earlier save made it and did not come to store its event, or it was destroyed.</summary>
internal sealed class PersonalKeyWasThereException(PostgresException inner) : Exception("A key was there before the stream that it is for.", inner);
