using CaveComm.Sandbox.PostgreSql;
using Npgsql;

namespace CaveComm.Api.CommandLine.Doctor;

/// <summary>The configured database, or the private one when it runs.</summary>
internal static class DatabaseChecks
{
    private const string Subject = "Database";
    private static readonly TimeSpan TolerableSkew = TimeSpan.FromSeconds(5);

    public static async Task<IReadOnlyList<Finding>> Run(OperatorConfiguration configuration, string data, CancellationToken cancel)
    {
        if (configuration.Value("ConnectionStrings:CaveComm") is { } configured)
        {
            return await Examine(configured, cancel);
        }

        if (!Directory.Exists(Path.Combine(data, "postgres", "cluster")))
        {
            return [Finding.Good(Subject, "none is configured; a private PostgreSQL will be made under the data folder")];
        }

        return File.Exists(PrivatePostgres.SettingsFile(data))
            ? [Finding.Good(Subject, "a private PostgreSQL under the data folder")]
            : [Finding.Wrong(Subject, $"{PrivatePostgres.SettingsFile(data)} with the private PostgreSQL's password is missing", "Put it back from a backup.")];
    }

    private static async Task<IReadOnlyList<Finding>> Examine(string connectionString, CancellationToken cancel)
    {
        var findings = new List<Finding>();
        try
        {
            var options = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, Timeout = 5 };
            await using var connection = new NpgsqlConnection(options.ConnectionString);
            await connection.OpenAsync(cancel);
            var place = $"{options.Database} at {options.Host}:{options.Port}";
            findings.Add(connection.PostgreSqlVersion.Major >= PostgresBinaries.OldestMajor
                ? Finding.Good(Subject, $"{place}, PostgreSQL {connection.PostgreSqlVersion}")
                : Finding.Wrong(
                    Subject,
                    $"{place} is PostgreSQL {connection.PostgreSqlVersion}",
                    $"Move it to PostgreSQL {PostgresBinaries.OldestMajor} or newer."));
            await using var ask = new NpgsqlCommand(
                """
                select current_setting('server_encoding'), has_schema_privilege('public', 'create'), clock_timestamp(),
                       pg_is_in_recovery(), current_setting('max_connections')::int
                """,
                connection);
            await using (var answer = await ask.ExecuteReaderAsync(cancel))
            {
                await answer.ReadAsync(cancel);
                findings.AddRange(Judge(
                    answer.GetString(0), answer.GetBoolean(1), answer.GetFieldValue<DateTimeOffset>(2), answer.GetBoolean(3), answer.GetInt32(4)));
            }

            findings.AddRange(await LeftoverChecks.InDatabase(connection, cancel));
        }
        catch (Exception refused) when (refused is NpgsqlException or ArgumentException)
        {
            findings.Add(Finding.Wrong(
                Subject,
                $"no connection: {refused.Message}",
                "Check ConnectionStrings__CaveComm (Host=…;Port=…;Username=…;Password=…;Database=…), and that the server runs and lets this machine in."));
        }

        return findings;
    }

    private static IEnumerable<Finding> Judge(string encoding, bool mayCreate, DateTimeOffset clock, bool standby, int connections)
    {
        if (encoding != "UTF8")
        {
            yield return Finding.Wrong(Subject, $"its encoding is {encoding}", "Make it anew: createdb --encoding=UTF8 --template=template0 …");
        }

        if (!mayCreate)
        {
            yield return Finding.Wrong(Subject, "its user may not make tables in public", "grant create, usage on schema public to that user");
        }

        if (standby)
        {
            yield return Finding.Wrong(Subject, "it is a read-only standby", "Point ConnectionStrings__CaveComm to the primary.");
        }

        if (connections < 50)
        {
            yield return Finding.Note(Subject, $"max_connections is {connections}", "Set max_connections to 100 or more, or limit the pool with Maximum Pool Size.");
        }

        var skew = (TimeProvider.System.GetUtcNow() - clock).Duration();
        if (skew > TolerableSkew)
        {
            yield return Finding.Wrong(Subject, $"its clock differs from this machine's by {skew.TotalSeconds:0} s", "Let both follow the same time server.");
        }
    }
}
