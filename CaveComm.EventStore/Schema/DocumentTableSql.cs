namespace CaveComm.EventStore;

/// <summary>How document tables look, for those that a migration makes and those that a rebuild puts in their place.</summary>
/// <remarks>
/// The tables of a projection's earlier versions are never dropped here: nodes with the old code feed and read them. <see cref="RetiredViews"/>
/// drops them once none does.
/// </remarks>
internal static class DocumentTableSql
{
    public static readonly string[] Columns = ["id", "data", "mt_last_modified", "mt_version", "mt_dotnet_type"];

    public static string Table(DocumentMapping mapping) => $"""
        create table {mapping.QualifiedTable} (
            {ColumnTypes(mapping)},
            constraint {KeyName(mapping)} primary key (id))
        """;

    /// <summary>A table that is filled before its key is made.</summary>
    public static string WithoutKey(DocumentMapping mapping) => $"""
        create table {mapping.QualifiedTable} (
            {ColumnTypes(mapping)})
        """;

    public static string KeyName(DocumentMapping mapping) => $"pkey_{mapping.Table}_id";

    public static string IndexName(DocumentMapping mapping, DuplicatedField field) => $"{mapping.Table}_idx_{field.Column}";

    private static string ColumnTypes(DocumentMapping mapping) => $"""
        id varchar not null,
            data jsonb not null,
            mt_last_modified timestamp with time zone null default transaction_timestamp(),
            mt_version {(mapping.IsView ? "bigint not null default 0" : "uuid not null default gen_random_uuid()")},
            mt_dotnet_type varchar null
        """;
}
