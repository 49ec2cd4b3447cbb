using System.Reflection;
using System.Text;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace CaveComm.EventStore;

/// <summary>A document that shall be written.</summary>
/// <param name="Version">The stream's version for the view of one stream; it means nothing for others.</param>
internal readonly record struct DocumentWrite(string Id, object Document, long Version);

/// <summary>The table of one document type, and the constant SQL that reads and writes it.</summary>
internal sealed class DocumentMapping
{
    private readonly JsonSerializerOptions json;
    private readonly PropertyInfo? identity;
    private readonly string insert;
    private readonly string upsert;

    /// <param name="table">Another table than the type's own, of the same columns.</param>
    public DocumentMapping(Type type, StoreOptions options, ProjectionBase? projection, string? table = null)
    {
        Type = type;
        json = options.JsonSerializerOptions;
        identity = type.GetProperty("Id", BindingFlags.Instance | BindingFlags.Public) is { } id && id.PropertyType == typeof(string) ? id : null;
        IsView = projection is not null;
        HasStreamVersion = projection is { IsSingleStream: true };
        Table = table ?? TableOf(type, projection?.Version ?? 1);
        QualifiedTable = $"{options.DatabaseSchemaName}.{Table}";
        Fields = [.. options.Schema.DuplicatesOf(type).Select(it => new DuplicatedField(it, json)).DistinctBy(it => it.Column)];
        SelectOne = $"select data from {QualifiedTable} where id = $1";
        SelectMany = $"select id, data, {(HasStreamVersion ? "mt_version" : "0::bigint")} from {QualifiedTable} where id = any($1)";
        SelectForUpdate = $"{SelectMany} order by id for update";
        DeleteMany = $"delete from {QualifiedTable} where id = any($1)";
        (insert, upsert) = WriteTexts();
    }

    public Type Type { get; }

    /// <summary>Whether a projection writes it: <c>mt_version</c> is a number then, as in Marten, and random otherwise.</summary>
    public bool IsView { get; }

    /// <summary>Whether <c>mt_version</c> is the version of the view's stream, as it is for the view of one stream.</summary>
    public bool HasStreamVersion { get; }

    public string Table { get; }

    public string QualifiedTable { get; }

    public IReadOnlyList<DuplicatedField> Fields { get; }

    public string SelectOne { get; }

    public string SelectMany { get; }

    public string SelectForUpdate { get; }

    private string DeleteMany { get; }

    public string IdOf(object document) => identity?.GetValue(document) as string
        ?? throw new InvalidOperationException($"{Type} needs a string property Id with a value to be stored as a document.");

    public object Read(byte[] data) =>
        JsonSerializer.Deserialize(data, Type, json) ?? throw new JsonException($"A row of {QualifiedTable} holds no document.");

    /// <returns>Null where the row does not fit its type, and why.</returns>
    public object? TryRead(byte[] data, out string? reason)
    {
        try
        {
            reason = null;
            return Read(data);
        }
        catch (Exception unfit) when (unfit is not OutOfMemoryException)
        {
            reason = unfit.Message;
            return null;
        }
    }

    /// <exception cref="UnwritableDocumentException"/>
    public byte[] Json(string id, object document)
    {
        try
        {
            return JsonSerializer.SerializeToUtf8Bytes(document, Type, json);
        }
        catch (Exception unfit) when (unfit is not OutOfMemoryException)
        {
            throw new UnwritableDocumentException(id, unfit);
        }
    }

    /// <summary>What a document's row has in a column of its own.</summary>
    /// <exception cref="UnwritableDocumentException"/>
    public static object? Value(DuplicatedField field, string id, object document)
    {
        try
        {
            var value = field.Value(document);
            return value is string text && !StorableText.IsWhole(text)
                ? throw new InvalidOperationException($"{field.Column} holds half of a surrogate pair.") // It would break the connection in the middle of a message.
                : value;
        }
        catch (Exception unfit)
        {
            throw new UnwritableDocumentException(id, unfit is TargetInvocationException { InnerException: { } thrown } ? thrown : unfit);
        }
    }

    /// <summary>One command that writes many documents; no id may occur twice.</summary>
    /// <exception cref="UnwritableDocumentException"/>
    public NpgsqlBatchCommand Write(IReadOnlyCollection<DocumentWrite> writes) => Write(upsert, writes);

    /// <summary>As <see cref="Write(IReadOnlyCollection{DocumentWrite})"/>; fails where one of them is there.</summary>
    public NpgsqlBatchCommand Insert(IReadOnlyCollection<DocumentWrite> writes) => Write(insert, writes);

    private NpgsqlBatchCommand Write(string statement, IReadOnlyCollection<DocumentWrite> writes)
    {
        var ids = new string[writes.Count];
        var data = new string[writes.Count];
        var versions = new long[writes.Count];
        var columns = Fields.Select(it => Array.CreateInstance(it.ArrayType, writes.Count)).ToArray();
        var row = 0;
        foreach (var write in writes)
        {
            ids[row] = write.Id;
            data[row] = Data(write);
            versions[row] = write.Version;
            for (var i = 0; i < columns.Length; i++)
                columns[i].SetValue(Value(Fields[i], write.Id, write.Document), row);
            row++;
        }

        var command = new NpgsqlBatchCommand(statement)
        {
            Parameters = { Sql.Texts(ids), Sql.Json(data), Sql.Text(Type.FullName!), Sql.Numbers(versions) },
        };
        for (var i = 0; i < columns.Length; i++)
            command.Parameters.Add(new NpgsqlParameter { Value = columns[i], NpgsqlDbType = NpgsqlDbType.Array | Fields[i].NpgsqlType });
        return command;
    }

    private string Data(DocumentWrite write)
    {
        try
        {
            return JsonSerializer.Serialize(write.Document, Type, json);
        }
        catch (Exception unfit) when (unfit is not OutOfMemoryException)
        {
            throw new UnwritableDocumentException(write.Id, unfit);
        }
    }

    public NpgsqlBatchCommand Delete(string[] ids) => new(DeleteMany) { Parameters = { Sql.Texts(ids) } };

    /// <summary>Where the documents of a type are; a view of a version above 1 has a table of its own.</summary>
    internal static string TableOf(Type type, uint version) => $"mt_doc_{TypeNames.DocumentAlias(type)}" + (version > 1 ? $"_{version}" : "");

    private (string Insert, string Upsert) WriteTexts()
    {
        var columns = new StringBuilder();
        var arrays = new StringBuilder();
        var updates = new StringBuilder();
        for (var i = 0; i < Fields.Count; i++)
        {
            columns.Append($", \"{Fields[i].Column}\"");
            arrays.Append($", ${i + 5}");
            updates.Append($", \"{Fields[i].Column}\" = excluded.\"{Fields[i].Column}\"");
        }

        // A view of many streams has no version of its own: Marten counts there, and goes on from any number. Other documents have a random one, made anew by each write.
        var version = HasStreamVersion ? "d.mt_version" : IsView ? "0" : "gen_random_uuid()";
        var insertText = $"""
            insert into {QualifiedTable} as t (id, data, mt_last_modified, mt_dotnet_type, mt_version{columns})
            select d.id, d.data, transaction_timestamp(), $3, {version}{columns.ToString().Replace(", \"", ", d.\"", StringComparison.Ordinal)}
            from unnest($1, $2, $4{arrays}) as d (id, data, mt_version{columns})
            """;
        return (insertText, $"""
            {insertText}
            on conflict (id) do update set data = excluded.data, mt_last_modified = excluded.mt_last_modified,
                mt_dotnet_type = excluded.mt_dotnet_type, mt_version = excluded.mt_version{updates}
            """);
    }
}
