using System.Diagnostics;
using System.Globalization;
using CaveComm.Sandbox.PostgreSql;
using Npgsql;

namespace CaveComm.Api.CommandLine.Backup;

/// <summary>The machine's <c>pg_dump</c> and <c>pg_restore</c>, of the server's version or the next newer one: an older pg_dump refuses, rightly.</summary>
internal sealed class PostgresTools(PostgresBinaries binaries, NpgsqlConnectionStringBuilder server)
{
    public static async Task<PostgresTools> For(string connectionString, CancellationToken cancel)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync(cancel);
        var major = connection.PostgreSqlVersion.Major;
        var fitting = (await PostgresBinaries.FindAll(cancel))
            .Where(it => it.Major >= major && File.Exists(it["pg_dump"]) && File.Exists(it["pg_restore"]))
            .MinBy(it => it.Major);
        return fitting is null
            ? throw new CommandFailure($"The database is PostgreSQL {major}, and this machine has no pg_dump and pg_restore of that version or a newer one. Install PostgreSQL {major}.")
            : new PostgresTools(fitting, server) { ServerVersion = connection.PostgreSqlVersion.ToString() };
    }

    public string ServerVersion { get; private init; } = "";

    public Task Dump(string file, CancellationToken cancel) =>
        Run("pg_dump", ["--format=custom", "--no-owner", "--no-privileges", $"--file={file}", .. Place(server.Database!)], cancel);

    /// <summary>Into a database that is empty. The first error ends it.</summary>
    public Task Restore(string file, string database, CancellationToken cancel) =>
        Run("pg_restore", ["--exit-on-error", "--no-owner", "--no-privileges", "--jobs=2", .. Place(database), file], cancel);

    private string[] Place(string database) =>
        [$"--host={server.Host}", $"--port={server.Port.ToString(CultureInfo.InvariantCulture)}", $"--username={server.Username}", $"--dbname={database}", "--no-password"];

    private async Task Run(string program, IEnumerable<string> arguments, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(binaries[program], arguments) { RedirectStandardError = true, RedirectStandardInput = true };

        // Nothing of the caller's surroundings may lead elsewhere. The password goes by the environment, where other users do not see it.
        foreach (var name in start.Environment.Keys.Where(it => it.StartsWith("PG", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["LC_ALL"] = "C";
        start.Environment["PGPASSWORD"] = server.Password;
        start.Environment["PGSSLMODE"] = server.SslMode switch
        {
            SslMode.Disable => "disable",
            SslMode.Allow => "allow",
            SslMode.Prefer => "prefer",
            SslMode.Require => "require",
            SslMode.VerifyCA => "verify-ca",
            SslMode.VerifyFull => "verify-full",
        };
        if (server.RootCertificate is { } root)
        {
            start.Environment["PGSSLROOTCERT"] = root;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        try
        {
            var said = await process.StandardError.ReadToEndAsync(cancel);
            await process.WaitForExitAsync(cancel);
            if (process.ExitCode != 0)
            {
                throw new CommandFailure($"{program} failed: {said.Trim()}");
            }
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }
    }
}
