using Npgsql;

namespace CaveComm.Api.CommandLine.Backup;

/// <summary>A database that is filled beside the present one, and takes its name in one transaction.</summary>
internal sealed class RestoredDatabase : IAsyncDisposable
{
    private readonly NpgsqlConnectionStringBuilder present;
    private readonly string name;
    private readonly string replaced;
    private bool tookOver;

    private RestoredDatabase(string connectionString)
    {
        present = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };

        // At most 63 bytes are told apart in a name.
        var short8 = Guid.NewGuid().ToString("N")[..8];
        var prefix = present.Database![..Math.Min(present.Database!.Length, 40)];
        (name, replaced) = ($"{prefix}_restore_{short8}", $"{prefix}_replaced_{short8}");
    }

    public static async Task<RestoredDatabase> Fill(string connectionString, PostgresTools tools, string dump, CancellationToken cancel)
    {
        var made = new RestoredDatabase(connectionString);
        await made.Execute($"create database {Quoted(made.name)} template template0 encoding 'UTF8'", cancel);
        try
        {
            await tools.Restore(dump, made.name, cancel);
            await using var filled = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(made.present.ConnectionString) { Database = made.name });
            await using var command = filled.CreateCommand("analyze");
            await command.ExecuteNonQueryAsync(cancel);
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    /// <summary>Both names change in one transaction, so there is never no database of that name.</summary>
    public async Task TakeOver(CancellationToken cancel)
    {
        await using var connection = await OpenMaintenance(cancel);
        await using (var end = new NpgsqlCommand("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", connection))
        {
            end.Parameters.Add(new NpgsqlParameter<string> { TypedValue = present.Database! });
            await end.ExecuteNonQueryAsync(cancel);
        }

        await using var transaction = await connection.BeginTransactionAsync(cancel);
        foreach (var (from, to) in new[] { (present.Database!, replaced), (name, present.Database!) })
        {
            await using var rename = new NpgsqlCommand($"alter database {Quoted(from)} rename to {Quoted(to)}", connection, transaction);
            await rename.ExecuteNonQueryAsync(cancel);
        }

        await transaction.CommitAsync(cancel);
        tookOver = true;
    }

    /// <summary>Removes the database that is not wanted any more: the replaced one, or the new one if it never took over.</summary>
    /// <remarks>The replaced one only when the server has said that it is: a commit whose answer was lost leaves both.</remarks>
    public async ValueTask DisposeAsync() => await Execute($"drop database if exists {Quoted(tookOver ? replaced : name)} with (force)", CancellationToken.None);

    private static string Quoted(string identifier)
    {
        using var quoting = new NpgsqlCommandBuilder();
        return quoting.QuoteIdentifier(identifier);
    }

    private async Task Execute(string sql, CancellationToken cancel)
    {
        await using var connection = await OpenMaintenance(cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    private async Task<NpgsqlConnection> OpenMaintenance(CancellationToken cancel)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(present.ConnectionString) { Database = "postgres" }.ConnectionString);
        await connection.OpenAsync(cancel);
        return connection;
    }
}
