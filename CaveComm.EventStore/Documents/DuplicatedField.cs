using System.Linq.Expressions;
using System.Reflection;
using System.Text.Json;
using NpgsqlTypes;

namespace CaveComm.EventStore;

/// <summary>A member of a document that has a column of its own.</summary>
internal sealed class DuplicatedField
{
    private readonly List<PropertyInfo> path = [];

    public DuplicatedField(LambdaExpression expression, JsonSerializerOptions json)
    {
        for (var at = Unboxed(expression.Body); at is MemberExpression { Member: PropertyInfo property } member; at = Unboxed(member.Expression!))
            path.Insert(0, property);
        if (path.Count == 0)
            throw new ArgumentException($"{expression} does not name a property.");

        var type = Nullable.GetUnderlyingType(path[^1].PropertyType) ?? path[^1].PropertyType;
        IsEnum = type.IsEnum;
        (SqlType, NpgsqlType, ArrayType) = Types(type, expression);
        Column = string.Join('_', path.Select(it => TypeNames.Snake(it.Name)));
        JsonPath = string.Join(',', path.Select(it => json.PropertyNamingPolicy?.ConvertName(it.Name) ?? it.Name));
    }

    public string Column { get; }

    public string SqlType { get; }

    public NpgsqlDbType NpgsqlType { get; }

    /// <summary>The element type of an array that carries the column's values.</summary>
    public Type ArrayType { get; }

    /// <summary>Where the member is in the JSON, as a text array of PostgreSQL.</summary>
    public string JsonPath { get; }

    private bool IsEnum { get; }

    public object? Value(object document)
    {
        object? at = document;
        foreach (var step in path)
            at = at is null ? null : step.GetValue(at);
        return at switch
        {
            null => null,
            DateTimeOffset instant => instant.ToUniversalTime(),
            _ when IsEnum => at.ToString(),
            _ => at,
        };
    }

    private static Expression Unboxed(Expression it) => it is UnaryExpression { NodeType: ExpressionType.Convert } convert ? convert.Operand : it;

    private static (string, NpgsqlDbType, Type) Types(Type type, LambdaExpression expression) => type switch
    {
        _ when type == typeof(string) || type.IsEnum => ("varchar", NpgsqlDbType.Varchar, typeof(string)),
        _ when type == typeof(Guid) => ("uuid", NpgsqlDbType.Uuid, typeof(Guid?)),
        _ when type == typeof(int) => ("integer", NpgsqlDbType.Integer, typeof(int?)),
        _ when type == typeof(long) => ("bigint", NpgsqlDbType.Bigint, typeof(long?)),
        _ when type == typeof(bool) => ("boolean", NpgsqlDbType.Boolean, typeof(bool?)),
        _ when type == typeof(decimal) => ("numeric", NpgsqlDbType.Numeric, typeof(decimal?)),
        _ when type == typeof(double) => ("double precision", NpgsqlDbType.Double, typeof(double?)),
        _ when type == typeof(DateTimeOffset) => ("timestamp with time zone", NpgsqlDbType.TimestampTz, typeof(DateTimeOffset?)),
        _ when type == typeof(DateOnly) => ("date", NpgsqlDbType.Date, typeof(DateOnly?)),
        _ => throw new ArgumentException($"{expression}: a {type} cannot have a column of its own."),
    };
}
