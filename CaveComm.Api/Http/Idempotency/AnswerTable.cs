using System.Buffers.Binary;
using Npgsql;

namespace CaveComm.Api.Http.Idempotency;

/// <summary>Where answers are kept, sealed, for a day.</summary>
internal sealed class AnswerTable(NpgsqlDataSource database, TimeProvider clock) : IDisposable
{
    /// <summary>How long a request waits for another node that is at the same one.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>A node that freezes or is cut off between its write and its commit gives its locks back after this long.</summary>
    private static readonly TimeSpan MostSilence = TimeSpan.FromSeconds(60);

    private const long SchemaLock = 0x63617665_616e7377; // "caveansw"

    // Each answer that is kept clears away two that are past, so the table stays as small as a day's requests.
    private const int ClearedAtOnce = 2;

    private const string FindOne = "select answer from cavecomm_http_answer where id = $1 and expires_at > $2";

    private const string Clear =
        """
        delete from cavecomm_http_answer where id in (
            select id from cavecomm_http_answer where expires_at <= $1 order by expires_at limit $2 for update skip locked)
        """;

    // Who holds a key does the rest on other connections: where all of the pool were with those who hold one, nobody would get on.
    private readonly SemaphoreSlim room = new(Math.Max(1, new NpgsqlConnectionStringBuilder(database.ConnectionString).MaxPoolSize / 2));

    /// <summary>Makes the table. Several nodes may start at once.</summary>
    public async Task Ensure(CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                new("select pg_advisory_xact_lock($1)") { Parameters = { new() { Value = SchemaLock } } },
                new("create table if not exists cavecomm_http_answer (id bytea primary key, expires_at timestamptz not null, answer bytea not null)"),
                new("create index if not exists cavecomm_http_answer_expiry on cavecomm_http_answer (expires_at)"),
            },
        };
        await batch.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    public async Task<byte[]?> Find(byte[] row, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(FindOne);
        command.Parameters.Add(new() { Value = row });
        command.Parameters.Add(new() { Value = Now });
        return await command.ExecuteScalarAsync(cancel) as byte[];
    }

    /// <summary>Opens a transaction that holds the key until its end: nobody else carries out the request meanwhile, on whatever node.</summary>
    /// <exception cref="KeyInHandException"/>
    public async Task<LockedRow> Lock(byte[] row, CancellationToken cancel)
    {
        await room.WaitAsync(cancel);
        NpgsqlConnection? connection = null;
        try
        {
            connection = await database.OpenConnectionAsync(cancel);
            var transaction = await connection.BeginTransactionAsync(cancel);
            await using var batch = new NpgsqlBatch(connection, transaction)
            {
                BatchCommands =
                {
                    new("select set_config('lock_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $2, true)")
                    {
                        Parameters = { new() { Value = $"{Patience.TotalMilliseconds:0}ms" }, new() { Value = $"{MostSilence.TotalMilliseconds:0}ms" } },
                    },
                    new("select pg_advisory_xact_lock($1)") { Parameters = { new() { Value = BinaryPrimitives.ReadInt64BigEndian(row) } } },
                    new("set local lock_timeout to default"),
                    new(FindOne) { Parameters = { new() { Value = row }, new() { Value = Now } } },
                },
            };
            await using var results = await batch.ExecuteReaderAsync(cancel);
            await results.NextResultAsync(cancel);
            await results.NextResultAsync(cancel);
            return new LockedRow(transaction, connection, room, await results.ReadAsync(cancel) ? results.GetFieldValue<byte[]>(0) : null);
        }
        catch (Exception failure)
        {
            room.Release();
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }

            if (failure is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable })
            {
                throw new KeyInHandException();
            }

            throw;
        }
    }

    /// <summary>Writes an answer in the transaction that holds its key.</summary>
    public async Task Write(LockedRow held, byte[] row, byte[] sealedAnswer)
    {
        await using var batch = new NpgsqlBatch(held.Transaction.Connection, held.Transaction)
        {
            BatchCommands =
            {
                new(Clear) { Parameters = { new() { Value = Now }, new() { Value = ClearedAtOnce } } },
                new(
                    """
                    insert into cavecomm_http_answer (id, expires_at, answer) values ($1, $2, $3)
                    on conflict (id) do update set expires_at = excluded.expires_at, answer = excluded.answer
                    """)
                {
                    Parameters = { new() { Value = row }, new() { Value = Now + IdempotencyKey.Lifetime }, new() { Value = sealedAnswer } },
                },
            },
        };
        await batch.ExecuteNonQueryAsync(CancellationToken.None);
    }

    /// <summary>Notes in a write's own batch that its request has begun. A row that is there stays, unless it is past.</summary>
    public NpgsqlBatchCommand Note(KeyedRequest request) => new(
        """
        insert into cavecomm_http_answer as kept (id, expires_at, answer) values ($1, $2, $3)
        on conflict (id) do update set expires_at = excluded.expires_at, answer = excluded.answer where kept.expires_at <= $4
        """)
    {
        Parameters =
        {
            new() { Value = request.Row },
            new() { Value = Now + IdempotencyKey.Lifetime },
            new() { Value = request.WithoutAnswer() },
            new() { Value = Now },
        },
    };

    public void Dispose() => room.Dispose();

    private DateTimeOffset Now => clock.GetUtcNow().ToUniversalTime();
}

/// <param name="found">What was kept when the key was taken.</param>
/// <param name="room">Gets back what holding the key has taken of it.</param>
internal sealed class LockedRow(NpgsqlTransaction transaction, NpgsqlConnection connection, SemaphoreSlim room, byte[]? found) : IAsyncDisposable
{
    private bool isOver;

    public NpgsqlTransaction Transaction => transaction;

    public byte[]? Found => found;

    /// <summary>Rolls back what was not committed, and lets go of the key.</summary>
    public async ValueTask DisposeAsync()
    {
        if (isOver)
        {
            return;
        }

        isOver = true;
        try
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }
        finally
        {
            room.Release();
        }
    }
}
