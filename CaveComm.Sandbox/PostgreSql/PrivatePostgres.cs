using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using CaveComm.Sandbox.Storage;
using Npgsql;

namespace CaveComm.Sandbox.PostgreSql;

/// <summary>A PostgreSQL server of CaveComm's own, run from the machine's binaries on a folder under --data.</summary>
/// <remarks>
/// Several processes may use one data folder at once. Each holds a shared lock, and the last that lets go stops the server; locks end with
/// their process, so a kill -9 leaves the server running and nothing else, and the next start adopts it. Durable by default: people keep
/// real data in it.
/// </remarks>
public sealed class PrivatePostgres : IAsyncDisposable
{
    private const string User = "cavecomm";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly PostgresCluster cluster;
    private readonly string startLock;
    private readonly string usersLock;
    private FileLock? use;

    private PrivatePostgres(PostgresCluster cluster, string dataFolder, FileLock use, string connectionString, bool adopted)
    {
        this.cluster = cluster;
        this.use = use;
        startLock = StartLock(dataFolder);
        usersLock = UsersLock(dataFolder);
        ConnectionString = connectionString;
        Adopted = adopted;
    }

    /// <summary>For Npgsql: Host, Port, Username, Password, Database.</summary>
    public string ConnectionString { get; }

    /// <summary>It was running already: another process uses it, or a kill -9 left it behind.</summary>
    public bool Adopted { get; }

    /// <summary>Where the server's port and password are kept, readable by the owner only.</summary>
    public static string SettingsFile(string dataFolder) => Path.Combine(dataFolder, "postgres.json");

    public static Task<PrivatePostgres> Start(string dataFolder, CancellationToken cancel) =>
        Start(dataFolder, new PrivatePostgresOptions(), cancel);

    /// <summary>Starts the server of this data folder, making it on the first time, or takes the one that runs.</summary>
    /// <exception cref="PrivatePostgresException">It cannot run here; the message says why and what to do.</exception>
    public static async Task<PrivatePostgres> Start(string dataFolder, PrivatePostgresOptions options, CancellationToken cancel)
    {
        dataFolder = Path.GetFullPath(dataFolder);
        Directory.CreateDirectory(dataFolder);
        using (await FileLock.Take(StartLock(dataFolder), shared: false, cancel))
        {
            var use = await FileLock.Take(UsersLock(dataFolder), shared: true, cancel);
            PostgresCluster? cluster = null;
            try
            {
                cluster = await PostgresCluster.Open(Path.Combine(dataFolder, "postgres"), cancel);
                var (connection, adopted) = await Run(cluster, dataFolder, options, cancel);
                await EnsureDatabase(connection, cancel);
                return new PrivatePostgres(cluster, dataFolder, use, connection.ConnectionString, adopted);
            }
            catch
            {
                use.Dispose();
                if (cluster is not null)
                {
                    await StopUnlessUsed(cluster, UsersLock(dataFolder));
                }

                throw;
            }
        }
    }

    /// <summary>Lets go of the server without stopping it, as a kill -9 would.</summary>
    public void Leave() => Interlocked.Exchange(ref use, null)?.Dispose();

    /// <summary>Stops the server, unless another process still uses it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref use, null) is not { } mine)
        {
            return;
        }

        // Whoever starts right now either sees this server running and keeps it, or waits until it is down.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            using (await FileLock.Take(startLock, shared: false, patience.Token))
            {
                mine.Dispose();
                await StopUnlessUsed(cluster, usersLock);
            }
        }
        catch (OperationCanceledException)
        {
            mine.Dispose(); // Another process is starting on it, and will be the one that stops it.
        }
    }

    private static string StartLock(string dataFolder) => Path.Combine(dataFolder, "postgres.start.lock");

    private static string UsersLock(string dataFolder) => Path.Combine(dataFolder, "postgres.users.lock");

    private static async Task StopUnlessUsed(PostgresCluster cluster, string usersLock)
    {
        using var alone = FileLock.TryTake(usersLock);
        if (alone is not null && Postmaster.Read(cluster.Data)?.Look() == Postmaster.Life.Running)
        {
            await cluster.Stop(TimeSpan.FromSeconds(3));
        }
    }

    private static async Task<(NpgsqlConnectionStringBuilder Connection, bool Adopted)> Run(
        PostgresCluster cluster, string dataFolder, PrivatePostgresOptions options, CancellationToken cancel)
    {
        var kept = await LoadSettings(dataFolder, cancel);
        if (cluster.Exists && kept is null)
        {
            throw new PrivatePostgresException(
                $"The database in {dataFolder} is there, but {SettingsFile(dataFolder)} with its password is not. Put that file back from a backup.");
        }

        kept ??= new Settings(FreePort(), RandomNumberGenerator.GetHexString(40, lowercase: true));
        if (!cluster.Exists)
        {
            await SaveSettings(dataFolder, kept, cancel);
            await cluster.Make(User, kept.Password, options, cancel);
        }

        var adopted = true;
        var launches = 0;
        var giveUp = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var connection = Connection(kept, options.Database);
            switch (await Ask(cluster, connection, cancel))
            {
                case Answer.Ready:
                    return (connection, adopted);

                case Answer.Absent when launches == 3:
                    throw new PrivatePostgresException($"The private PostgreSQL did not start:\n{cluster.Complaint()}");

                case Answer.Absent:
                    adopted = false;
                    launches++;
                    if (!IsFree(kept.Port))
                    {
                        kept = kept with { Port = FreePort() };
                        await SaveSettings(dataFolder, kept, cancel);
                    }

                    await cluster.Launch(kept.Port, options);
                    break;

                case Answer.Stranger:
                    Postmaster.Forget(cluster.Data);
                    break;

                case Answer.Busy when TimeProvider.System.GetElapsedTime(giveUp) > Patience:
                    throw new PrivatePostgresException($"The private PostgreSQL runs but takes no connections:\n{cluster.Complaint()}");

                case Answer.Busy:
                    await Task.Delay(TimeSpan.FromMilliseconds(50), cancel); // Recovering after a crash, or still shutting down.
                    break;
            }
        }
    }

    private static async Task<Answer> Ask(PostgresCluster cluster, NpgsqlConnectionStringBuilder connection, CancellationToken cancel)
    {
        if (Postmaster.Read(cluster.Data) is not { } postmaster)
        {
            return Answer.Absent;
        }

        switch (postmaster.Look())
        {
            case Postmaster.Life.Gone:
                return Answer.Absent;
            case Postmaster.Life.Taken:
                return Answer.Stranger;
        }

        // The password is this cluster's alone, so who takes it is the right server, whatever its process number.
        connection.Port = postmaster.Port;
        try
        {
            await using var link = new NpgsqlConnection(Maintenance(connection));
            await link.OpenAsync(cancel);
            return Answer.Ready;
        }
        catch (PostgresException refused) when (refused.SqlState is PostgresErrorCodes.InvalidPassword or "28000")
        {
            return Answer.Stranger;
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.CannotConnectNow)
        {
            return Answer.Busy;
        }
        catch (NpgsqlException)
        {
            return postmaster.IsSomeoneElse() ? Answer.Stranger : Answer.Busy;
        }
    }

    private static async Task EnsureDatabase(NpgsqlConnectionStringBuilder connection, CancellationToken cancel)
    {
        await using var link = new NpgsqlConnection(Maintenance(connection));
        await link.OpenAsync(cancel);
        await using var find = new NpgsqlCommand("select 1 from pg_database where datname = $1", link);
        find.Parameters.Add(new() { Value = connection.Database! });
        if (await find.ExecuteScalarAsync(cancel) is null)
        {
            var name = new NpgsqlCommandBuilder().QuoteIdentifier(connection.Database!);
            await using var create = new NpgsqlCommand($"create database {name}", link);
            await create.ExecuteNonQueryAsync(cancel);
        }
    }

    private static string Maintenance(NpgsqlConnectionStringBuilder connection) =>
        new NpgsqlConnectionStringBuilder(connection.ConnectionString) { Database = "postgres", Pooling = false, Timeout = 5 }.ConnectionString;

    private static NpgsqlConnectionStringBuilder Connection(Settings settings, string database) => new()
    {
        Host = "127.0.0.1",
        Port = settings.Port,
        Username = User,
        Password = settings.Password,
        Database = database,
    };

    private static async Task<Settings?> LoadSettings(string dataFolder, CancellationToken cancel)
    {
        var path = SettingsFile(dataFolder);
        return File.Exists(path)
            ? JsonSerializer.Deserialize<Settings>(await File.ReadAllTextAsync(path, cancel), JsonSerializerOptions.Web)
            : null;
    }

    private static Task SaveSettings(string dataFolder, Settings settings, CancellationToken cancel) =>
        PrivateFile.Write(SettingsFile(dataFolder), JsonSerializer.Serialize(settings, JsonSerializerOptions.Web), cancel);

    // Below the ports that the system hands out to anyone, so that it stays free from one start to the next.
    private static int FreePort()
    {
        for (var tries = 0; tries < 200; tries++)
        {
            var port = RandomNumberGenerator.GetInt32(20_000, 32_000);
            if (IsFree(port))
            {
                return port;
            }
        }

        throw new PrivatePostgresException("No free port was found between 20000 and 32000 on 127.0.0.1.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private enum Answer
    {
        Absent,
        Stranger,
        Busy,
        Ready,
    }

    private sealed record Settings(int Port, string Password);
}
