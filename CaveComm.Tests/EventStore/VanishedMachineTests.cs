using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.EventStore;

/// <summary>What a machine that lost its power had begun, the server ends within seconds: it asks after it, on each kind of connection.</summary>
public sealed class VanishedMachineTests : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.Create();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task The_server_asks_after_those_that_write()
    {
        await using var store = StoreUnderTest.Over(database.ConnectionString, StoreUnderTest.Async);
        await using var connection = await store.DataSource.OpenConnectionAsync(Cancel);

        (await SecondsUntilItAsks(connection)).ShouldBeInRange(1, 5);
    }

    [Fact]
    public async Task The_server_asks_after_those_that_hold_locks_of_their_own()
    {
        await using var store = StoreUnderTest.Over(database.ConnectionString, StoreUnderTest.Async);
        await using var connection = await store.OpenDedicated("rebuild", Cancel);

        (await SecondsUntilItAsks(connection)).ShouldBeInRange(1, 5);
    }

    [Fact]
    public async Task A_poolers_connections_stay_as_they_are()
    {
        await using var store = StoreUnderTest.Over(database.ConnectionString, options =>
        {
            StoreUnderTest.Async(options);
            options.DirectConnection(database.ConnectionString);
        });
        await using var connection = await store.DataSource.OpenConnectionAsync(Cancel);

        (await SecondsUntilItAsks(connection)).ShouldBeGreaterThan(60);
    }

    private static async Task<int> SecondsUntilItAsks(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("select current_setting('tcp_keepalives_idle')::integer", connection);
        return (int)(await command.ExecuteScalarAsync(Cancel))!;
    }
}
