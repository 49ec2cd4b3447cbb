using Npgsql;
using NpgsqlTypes;

namespace CaveComm.Messaging;

/// <summary>Short ways to add positional parameters.</summary>
internal static class SqlParameters
{
    public static NpgsqlBatchCommand With<T>(this NpgsqlBatchCommand command, T value)
        where T : notnull
    {
        command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
        return command;
    }

    public static NpgsqlBatchCommand WithText(this NpgsqlBatchCommand command, string? value) => command.WithNullable(value, NpgsqlDbType.Text);

    public static NpgsqlBatchCommand WithJson(this NpgsqlBatchCommand command, byte[]? value) => command.WithNullable(value, NpgsqlDbType.Jsonb);

    public static NpgsqlBatchCommand WithNullable(this NpgsqlBatchCommand command, object? value, NpgsqlDbType type)
    {
        command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value, NpgsqlDbType = type });
        return command;
    }

    public static NpgsqlBatchCommand Add(this NpgsqlBatch batch, string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        batch.BatchCommands.Add(command);
        return command;
    }
}
