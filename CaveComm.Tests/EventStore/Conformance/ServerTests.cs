using System.Diagnostics;
using CaveComm.EventStore;
using CaveComm.Sandbox.PostgreSql;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore.Conformance;

/// <summary>The server under the store goes away, or is another one: E3 and E4 hold, and a restored dump needs no repair.</summary>
public sealed class ServerTests
{
    private static readonly PrivatePostgresOptions Options = new() { Database = "postgres" };

    [Fact]
    public async Task A_restart_of_PostgreSQL_loses_and_repeats_nothing()
    {
        using var folder = new TestFolder();
        var server = await PrivatePostgres.Start(folder.Path, Options, CancellationToken.None);
        try
        {
            await using var store = StoreUnderTest.Over(server.ConnectionString, StoreUnderTest.Async);
            await store.ApplyAllConfiguredChangesToDatabaseAsync();
            await using var daemon = store.BuildProjectionDaemon();
            await daemon.StartAllAsync();
            for (var round = 0; round < Soak.Size(2, 10); round++)
            {
                for (var i = 0; i < 50; i++)
                    await AppendOnce(store, $"parcel/{i % 5}", version: (round * 10) + (i / 5) + 1, round == 0 && i < 5 ? new Packed("anna", 1) : new Weighed(i));
                await server.DisposeAsync();
                server = await PrivatePostgres.Start(folder.Path, Options, CancellationToken.None);
            }

            await Eventually.Holds("the daemon is back", async () =>
            {
                try
                {
                    await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
                    return daemon.Shards.All(shard => shard.State == ShardStatus.Running);
                }
                catch (PostgresException cut) when (cut.SqlState == PostgresErrorCodes.AdminShutdown)
                {
                    return false; // Nobody has used the pool since the last restart, so this may be the first to meet a connection of before it.
                }
            });

            await using var session = store.QuerySession();
            foreach (var parcel in await session.QueryAsync<Parcel>("", CancellationToken.None))
                parcel.Versions.ShouldBe(Enumerable.Range(1, Soak.Size(2, 10) * 10).Select(version => (long)version));
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_dump_restored_into_a_new_cluster_goes_on_where_it_was()
    {
        using var old = new TestFolder();
        using var young = new TestFolder();
        var dump = old["dump"];
        await using (var server = await PrivatePostgres.Start(old.Path, Options, CancellationToken.None))
        {
            await using var store = StoreUnderTest.Over(server.ConnectionString, StoreUnderTest.Async);
            await store.ApplyAllConfiguredChangesToDatabaseAsync();
            await using var daemon = store.BuildProjectionDaemon();
            await daemon.StartAllAsync();
            await Append(store, "parcel/1", new Packed("anna", 1), new Weighed(1));
            await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

            // Dumped in the midst of writing: an append in flight is in it whole or not at all.
            await using var slow = new NpgsqlConnection(server.ConnectionString + ";Pooling=false");
            await slow.OpenAsync();
            await using var transaction = await slow.BeginTransactionAsync();
            await using (var command = new NpgsqlCommand("insert into mt_streams (id, version) values ('parcel/open', 1)", slow))
                await command.ExecuteNonQueryAsync();
            await Append(store, "parcel/2", new Packed("anna", 1));
            await Run("pg_dump", server.ConnectionString, "--format=custom", $"--file={dump}");
        }

        await using (var server = await PrivatePostgres.Start(young.Path, Options, CancellationToken.None))
        {
            await Run("pg_restore", server.ConnectionString, "--no-owner", "--exit-on-error", dump);
            await using var store = StoreUnderTest.Over(server.ConnectionString, StoreUnderTest.Async);
            await store.ApplyAllConfiguredChangesToDatabaseAsync();
            await using var daemon = store.BuildProjectionDaemon();
            await daemon.StartAllAsync();
            await Append(store, "parcel/1", new Weighed(2));
            await Append(store, "parcel/3", new Packed("anna", 1));
            await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

            await using var session = store.QuerySession();
            (await session.LoadAsync<Parcel>("parcel/1"))!.Versions.ShouldBe([1, 2, 3]);
            (await session.LoadAsync<Shelf>("anna"))!.Parcels.ShouldBe(3);
        }
    }

    // A connection of before the restart fails, and whether it did its work is unknown: the version that the append leads to tells, the second time.
    private static async Task AppendOnce(DocumentStore store, string key, int version, object happened)
    {
        while (true)
        {
            try
            {
                await using var session = store.LightweightSession();
                session.Events.Append(key, version, happened);
                await session.SaveChangesAsync();
                return;
            }
            catch (ConcurrencyException)
            {
                return;
            }
            catch (NpgsqlException cut) when (cut is not PostgresException { SqlState: not PostgresErrorCodes.AdminShutdown })
            {
                // Once more.
            }
        }
    }

    private static async Task Append(DocumentStore store, string key, params object[] events)
    {
        await using var session = store.LightweightSession();
        session.Events.Append(key, events);
        await session.SaveChangesAsync();
    }

    private static async Task Run(string program, string connectionString, params string[] arguments)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        var binaries = await PostgresBinaries.Get(null, CancellationToken.None);
        var start = new ProcessStartInfo(binaries[program], [.. arguments, $"--dbname=host={settings.Host} port={settings.Port} user={settings.Username} dbname={settings.Database}"])
        {
            RedirectStandardError = true,
            Environment = { ["PGPASSWORD"] = settings.Password },
        };
        using var process = Process.Start(start)!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, errors);
    }
}
