using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Statements that ask for one value or none, on a connection that somebody holds.</summary>
internal static class Statements
{
    public static async Task Execute(this NpgsqlConnection connection, string sql, CancellationToken cancel, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>The first column of the first row; there must be one.</summary>
    public static async Task<T> Scalar<T>(this NpgsqlConnection connection, string sql, CancellationToken cancel, params NpgsqlParameter[] parameters)
        where T : notnull
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        return (T)(await command.ExecuteScalarAsync(cancel))!;
    }
}
