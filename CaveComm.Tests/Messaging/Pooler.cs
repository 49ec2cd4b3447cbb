using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CaveComm.Sandbox.PostgreSql;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>A PgBouncer of its own that shares few server sessions between transactions.</summary>
internal sealed class Pooler : IAsyncDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("cavecomm-pooler-");
    private readonly int port = FreePort();
    private Process? process;

    private Pooler()
    {
    }

    /// <summary>Debian keeps it where ordinary users do not look.</summary>
    private static string? Program =>
        Environment.GetEnvironmentVariable("CAVECOMM_PGBOUNCER") ?? Shell.Find("pgbouncer") ?? (File.Exists("/usr/sbin/pgbouncer") ? "/usr/sbin/pgbouncer" : null);

    /// <summary>Starts it before the test server; skips the test where there is none.</summary>
    public static async Task<Pooler> Start()
    {
        Assert.SkipWhen(Program is null, "PgBouncer is not here (Debian: apt-get install pgbouncer); CAVECOMM_PGBOUNCER may name the program.");
        var pooler = new Pooler();
        try
        {
            await pooler.Launch();
            return pooler;
        }
        catch
        {
            await pooler.DisposeAsync();
            throw;
        }
    }

    /// <summary>The way to the same database through the pooler.</summary>
    public string Through(string direct) =>
        new NpgsqlConnectionStringBuilder(direct) { Host = "127.0.0.1", Port = port, Username = "anybody", Password = null }.ConnectionString;

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }

        folder.Delete(recursive: true);
    }

    private async Task Launch()
    {
        var server = new NpgsqlConnectionStringBuilder(TestServer.ConnectionString());
        var password = string.IsNullOrEmpty(server.Password) ? "" : $" password={server.Password}";
        var settings = Path.Combine(folder.FullName, "pgbouncer.ini");
        await File.WriteAllTextAsync(settings, string.Create(CultureInfo.InvariantCulture, $"""
            [databases]
            * = host={server.Host} port={server.Port} user={server.Username}{password}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = 4
            max_client_conn = 200
            """));
        string[] command = [Program!, settings];
        if (await PostgresAccount.Choose(folder.FullName, CancellationToken.None) is { } account)
        {
            await account.Own(folder.FullName, CancellationToken.None); // It refuses root, as PostgreSQL does.
            command = [.. account.Wrap(command)];
        }

        process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = folder.FullName, RedirectStandardError = true })!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        await Eventually.Holds("the pooler answers", Answers);
    }

    private async Task<bool> Answers()
    {
        process!.HasExited.ShouldBeFalse();
        try
        {
            await using var connection = new NpgsqlConnection(Through(new NpgsqlConnectionStringBuilder(TestServer.ConnectionString()) { Pooling = false }.ConnectionString));
            await connection.OpenAsync();
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
