using System.Security.Cryptography;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.Http;

/// <summary>An act of several steps holds its key on a connection, and does its steps on others.</summary>
public sealed class HeldKeysTests : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private TestDatabase database = null!;
    private NpgsqlDataSource pool = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create();
        pool = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = 4, Timeout = 20 });
    }

    public async ValueTask DisposeAsync()
    {
        await pool.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task Many_more_acts_than_the_pool_has_connections_get_to_their_end()
    {
        using var table = new AnswerTable(pool, TimeProvider.System);
        await table.Ensure(Cancel);

        var done = await Task.WhenAll(Enumerable.Range(0, 24).Select(async _ =>
        {
            await using var held = await table.Lock(RandomNumberGenerator.GetBytes(32), Cancel);
            await using var step = pool.CreateCommand("select 1");
            return (int)(await step.ExecuteScalarAsync(Cancel))!;
        }));

        done.Sum().ShouldBe(24);
    }

    [Fact]
    public async Task Who_did_not_get_a_key_leaves_room_for_the_next()
    {
        using var table = new AnswerTable(pool, TimeProvider.System);
        for (var attempt = 0; attempt < 5; attempt++)
        {
            // There is no table yet.
            await Should.ThrowAsync<PostgresException>(() => table.Lock(RandomNumberGenerator.GetBytes(32), Cancel).WaitAsync(TimeSpan.FromSeconds(60), Cancel));
        }

        await table.Ensure(Cancel);
        await using var held = await table.Lock(RandomNumberGenerator.GetBytes(32), Cancel);
        held.Found.ShouldBeNull();
    }
}
