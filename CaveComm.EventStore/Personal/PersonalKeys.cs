using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace CaveComm.EventStore;

/// <summary>A key as the database has it: null bytes mean that it was destroyed.</summary>
internal readonly record struct PersonalKey(byte[]? Bytes);

/// <summary>The table of keys, each wrapped with the master key, and what this node remembers of it for a moment.</summary>
internal sealed class PersonalKeys(DocumentStore store) : IPersonalData
{
    private const int MostRemembered = 10_000;

    // Wraps nothing that is used: whether it opens says whether the master key is the right one.
    private const string Probe = "cavecomm:master-key";
    private readonly ConcurrentDictionary<string, (PersonalKey Key, long At)> remembered = new(StringComparer.Ordinal);
    private int erasures;
    private int remembering;

    public PersonalOptions Options => store.Options.Personal;

    /// <summary>How many keys are destroyed, in SQL.</summary>
    public string Erasures => $"(select count(*) from {Table} where erased_at is not null)";

    private string Table => $"{store.Options.DatabaseSchemaName}.cavecomm_personal_key";

    public static (string Name, string Definition) TableDefinition(string schema) => ("cavecomm_personal_key", $"""
        create table {schema}.cavecomm_personal_key (
            subject varchar primary key,
            key bytea null,
            owner varchar null,
            created timestamp with time zone not null default now(),
            erased_at timestamp with time zone null);
        create index cavecomm_personal_key_owner on {schema}.cavecomm_personal_key (owner) where owner is not null
        """);

    /// <summary>Finds out at the start, not at the first customer, that the master key is missing or another database's.</summary>
    public async Task CheckMasterKey(CancellationToken cancel)
    {
        if (Options.MasterKey is null)
        {
            if (Options.HasRules)
                throw new InvalidOperationException("Personal data is to be sealed, but no master key is set: options.Personal.MasterKey.");
            return;
        }

        _ = await Make([Probe], cancel);
    }

    /// <summary>The keys that subjects' texts are sealed with, made where there is none.</summary>
    /// <exception cref="PersonalDataErasedException">One of them was destroyed.</exception>
    public async Task<Dictionary<string, byte[]>> ForWriting(IReadOnlyCollection<string> subjects, CancellationToken cancel)
    {
        var keys = Remembered(subjects, out var missing);
        if (missing.Count > 0)
        {
            foreach (var (subject, key) in await Make([.. missing], cancel))
                keys[subject] = key;
        }

        return subjects.ToDictionary(it => it, it => keys[it].Bytes ?? throw new PersonalDataErasedException(it), StringComparer.Ordinal);
    }

    /// <summary>The keys that texts are opened with, in one query. A subject that is not in the table, or whose row is damaged, is not in the answer: only its own texts stay closed.</summary>
    /// <param name="connection">Null for one of the pool.</param>
    public async Task<Dictionary<string, PersonalKey>> ForReading(IReadOnlyCollection<string> subjects, NpgsqlConnection? connection, CancellationToken cancel)
    {
        var keys = Remembered(subjects, out var missing);
        if (missing.Count == 0)
            return keys;

        var seen = Volatile.Read(ref erasures);
        var sql = $"select subject, key from {Table} where subject = any($1)";
        await using var command = connection is null ? store.DataSource.CreateCommand(sql) : new NpgsqlCommand(sql, connection);
        command.Parameters.Add(Sql.Texts([.. missing]));
        await using var rows = await command.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            var subject = rows.GetString(0);
            try
            {
                Remember(subject, keys[subject] = new(rows.IsDBNull(1) ? null : Unwrapped(subject, rows.GetFieldValue<byte[]>(1))), seen);
            }
            catch (WrongMasterKeyException)
            {
                // That the master key fits was seen at the start.
            }
        }

        return keys;
    }

    public async Task<PersonalSubject?> Find(string subject, CancellationToken cancel) =>
        await Subjects($"select subject, created, erased_at from {Table} where subject = $1", subject, cancel) is [var only] ? only : null;

    public Task<IReadOnlyList<PersonalSubject>> ErasedSubjects(string prefix, CancellationToken cancel) =>
        Subjects($"select subject, created, erased_at from {Table} where starts_with(subject, $1) and erased_at is not null order by subject", prefix, cancel);

    public void Erase(IDocumentSession session, string subject) => Join(session, new PersonalKeyErasure(Table, subject, store.Time.GetUtcNow(), Forget));

    public void Assign(IDocumentSession session, string subject, string owner) => Join(session, new PersonalKeyAssignment(Table, subject, owner));

    /// <summary>Makes sure within the transaction that nothing is sealed with a key that is destroyed meanwhile.</summary>
    public ITransactionParticipant Guard(string[] subjects) => new PersonalKeyGuard(Table, subjects);

    /// <summary>Stores keys that were made for this transaction.</summary>
    public ITransactionParticipant Birth(IReadOnlyDictionary<string, byte[]> keys)
    {
        var seen = Volatile.Read(ref erasures);
        return new PersonalKeyBirth(Table, [.. keys.Keys.Order(StringComparer.Ordinal).Select(it => (it, Wrapped(it, keys[it])))], () =>
        {
            foreach (var (subject, key) in keys)
                Remember(subject, new(key), seen);
        });
    }

    public static byte[] NewKey() => RandomNumberGenerator.GetBytes(PersonalOptions.KeySize);

    private static void Join(IDocumentSession session, ITransactionParticipant participant) => ((ISessionTransaction)session).Enlist(participant);

    private void Forget()
    {
        Interlocked.Increment(ref erasures);
        remembered.Clear();
    }

    private Dictionary<string, PersonalKey> Remembered(IReadOnlyCollection<string> subjects, out List<string> missing)
    {
        var keys = new Dictionary<string, PersonalKey>(StringComparer.Ordinal);
        missing = [];
        foreach (var subject in subjects)
        {
            if (remembered.TryGetValue(subject, out var it) && store.Time.GetElapsedTime(it.At) < Options.KeyLifetime)
                keys[subject] = it.Key;
            else
                missing.Add(subject);
        }

        return keys;
    }

    private void Remember(string subject, PersonalKey key, int seen)
    {
        // Counted here: to ask the dictionary takes all its locks.
        if (Interlocked.Increment(ref remembering) > MostRemembered)
        {
            remembered.Clear();
            Volatile.Write(ref remembering, 0);
        }

        remembered[subject] = (key, store.Time.GetTimestamp());
        if (Volatile.Read(ref erasures) != seen)
            remembered.TryRemove(subject, out _); // It may have been read just before it was destroyed.
    }

    // Nobody has to wait for the disk here: the event that uses a key comes later in the same write-ahead log, so it cannot survive without it.
    private async Task<Dictionary<string, PersonalKey>> Make(string[] subjects, CancellationToken cancel)
    {
        var seen = Volatile.Read(ref erasures);
        Array.Sort(subjects, StringComparer.Ordinal); // All makers take their rows in one order.
        await using var batch = store.DataSource.CreateBatch();
        batch.BatchCommands.Add(new("select set_config('synchronous_commit', 'off', true)"));
        batch.BatchCommands.Add(new($"insert into {Table} (subject, key) select * from unnest($1, $2) on conflict (subject) do nothing")
        {
            Parameters =
            {
                Sql.Texts(subjects),
                new NpgsqlParameter { Value = subjects.Select(it => Wrapped(it, NewKey())).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
            },
        });
        batch.BatchCommands.Add(new($"select subject, key from {Table} where subject = any($1)") { Parameters = { Sql.Texts(subjects) } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var keys = await Read(rows, cancel);
        foreach (var (subject, key) in keys)
            Remember(subject, key, seen);
        return keys;
    }

    private async Task<Dictionary<string, PersonalKey>> Read(NpgsqlDataReader rows, CancellationToken cancel)
    {
        var keys = new Dictionary<string, PersonalKey>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel))
        {
            var subject = rows.GetString(0);
            keys[subject] = new(rows.IsDBNull(1) ? null : Unwrapped(subject, rows.GetFieldValue<byte[]>(1)));
        }

        return keys;
    }

    private async Task<IReadOnlyList<PersonalSubject>> Subjects(string sql, string value, CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(sql);
        command.Parameters.Add(Sql.Text(value));
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var found = new List<PersonalSubject>();
        while (await rows.ReadAsync(cancel))
            found.Add(new(rows.GetString(0), rows.GetFieldValue<DateTimeOffset>(1), rows.IsDBNull(2) ? null : rows.GetFieldValue<DateTimeOffset>(2)));
        return found;
    }

    private byte[] Wrapped(string subject, byte[] key)
    {
        using var master = Master();
        return SealedText.Encrypt(key, master, Encoding.UTF8.GetBytes(subject));
    }

    private byte[] Unwrapped(string subject, byte[] wrapped)
    {
        using var master = Master();
        try
        {
            return SealedText.Decrypt(wrapped, master, Encoding.UTF8.GetBytes(subject));
        }
        catch (CryptographicException wrong)
        {
            throw new WrongMasterKeyException(wrong);
        }
    }

    private AesGcm Master() => new(
        Options.MasterKey ?? throw new InvalidOperationException("There is sealed personal data, but no master key is set: options.Personal.MasterKey."), SealedText.TagSize);
}
