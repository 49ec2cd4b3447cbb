using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace CaveComm.EventStore;

/// <summary>The new table of a view while it is filled beside the old one, and a table for views that are half folded.</summary>
/// <remarks>
/// The new table gets the columns, names and grants of the old one. An index or a setting that somebody gave the old table by hand does not
/// come along.
/// </remarks>
internal sealed class RebuildTwin
{
    // PostgreSQL cuts names at 63 bytes; two that are cut must not become one.
    private const int LongestName = 36;

    // An index takes 2,704 bytes, packed, and a letter has three at most: what is longer may not fit.
    private const int SurelyFitsAnIndex = 800;
    private readonly DocumentMapping live;
    private readonly string schema;
    private readonly string name;
    private readonly string aside;
    private readonly string copy;

    public RebuildTwin(DocumentStore store, ProjectionBase projection)
    {
        live = store.Documents.For(projection.ViewType);
        schema = store.Options.DatabaseSchemaName;
        name = NameFor(live.Table);
        aside = $"{schema}.{AsideOf(name)}";
        Mapping = new(projection.ViewType, store.Options, projection, name);
        Trial = new(projection.ViewType, store.Options, projection, TrialOf(name));
        var fields = string.Concat(Mapping.Fields.Select(it => $", \"{it.Column}\""));
        copy = $"copy {Mapping.QualifiedTable} (id, data, mt_dotnet_type{(Mapping.HasStreamVersion ? ", mt_version" : "")}{fields}) from stdin (format binary)";
    }

    /// <summary>An empty table with all its indexes, to try views in; see <see cref="CreateTrial"/>.</summary>
    public DocumentMapping Trial { get; }

    /// <summary>Reads and writes the new table.</summary>
    public DocumentMapping Mapping { get; }

    public Task<bool> Exists(NpgsqlConnection connection, CancellationToken cancel) => connection.Scalar<bool>(
        "select to_regclass($1) is not null and to_regclass($2) is not null", cancel, Sql.Text(Mapping.QualifiedTable), Sql.Text(aside));

    /// <summary>What the new table of a view is called until it is in the place of that one.</summary>
    public static string NameFor(string table)
    {
        var view = table["mt_doc_".Length..];
        return "cavecomm_building_" + (view.Length <= LongestName ? view : StableHash.Of(view).ToString("x16", CultureInfo.InvariantCulture));
    }

    public static string AsideOf(string name) => $"{name}_aside";

    public static string TrialOf(string name) => $"{name}_trial";

    /// <summary>Removes what an attempt has left.</summary>
    public string Drop => DropOf(schema, name);

    /// <param name="name">As <see cref="NameFor"/> says it.</param>
    public static string DropOf(string schema, string name) => $"drop table if exists {schema}.{name}, {schema}.{AsideOf(name)}, {schema}.{TrialOf(name)}";

    /// <summary>Makes empty tables in the place of what another attempt has left.</summary>
    public IEnumerable<NpgsqlBatchCommand> Create()
    {
        yield return new(Drop);
        yield return new(DocumentTableSql.WithoutKey(Mapping));
        foreach (var field in Mapping.Fields)
            yield return new($"alter table {Mapping.QualifiedTable} add column \"{field.Column}\" {field.SqlType} null");
        yield return new($"create table {aside} (key varchar not null, data jsonb null, version bigint null, parked boolean not null)");
    }

    /// <summary>Makes the table that views are tried in.</summary>
    public async Task CreateTrial(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new($"drop table if exists {Trial.QualifiedTable}"));
        batch.BatchCommands.Add(new($"create table {Trial.QualifiedTable} (like {Mapping.QualifiedTable} including defaults, primary key (id))"));
        foreach (var field in Trial.Fields)
            batch.BatchCommands.Add(new($"create index on {Trial.QualifiedTable} (\"{field.Column}\")"));
        await batch.ExecuteNonQueryAsync(cancel);
    }

    public async Task DropTrial(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"drop table {Trial.QualifiedTable}", connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Adds finished views.</summary>
    /// <returns>The keys of those that may be too long for an index, of which there is none yet.</returns>
    /// <exception cref="UnwritableDocumentException"/>
    public async Task<IReadOnlyList<string>> Copy(NpgsqlConnection connection, IEnumerable<DocumentWrite> views, CancellationToken cancel)
    {
        var tooLong = new List<string>();
        await using var rows = await connection.BeginBinaryImportAsync(copy, cancel);
        foreach (var (key, view, version) in views)
        {
            await rows.StartRowAsync(cancel);
            await rows.WriteAsync(key, NpgsqlDbType.Varchar, cancel);
            await rows.WriteAsync(Mapping.Json(key, view), NpgsqlDbType.Jsonb, cancel);
            await rows.WriteAsync(Mapping.Type.FullName!, NpgsqlDbType.Varchar, cancel);
            if (Mapping.HasStreamVersion)
                await rows.WriteAsync(version, NpgsqlDbType.Bigint, cancel);
            foreach (var field in Mapping.Fields)
            {
                var value = DocumentMapping.Value(field, key, view);
                if (value is not null)
                    await rows.WriteAsync(value, field.NpgsqlType, cancel);
                else
                    await rows.WriteNullAsync(cancel);
                if (value is string { Length: > SurelyFitsAnIndex })
                    tooLong.Add(key);
            }
        }

        await rows.CompleteAsync(cancel);
        return tooLong;
    }

    /// <summary>Puts half folded views aside, in the place of those that were there.</summary>
    public async Task PutAside(NpgsqlConnection connection, IReadOnlyDictionary<string, RebuildFold.ViewState> states, CancellationToken cancel)
    {
        await ClearAside(connection, cancel);
        await using var rows = await connection.BeginBinaryImportAsync($"copy {aside} (key, data, version, parked) from stdin (format binary)", cancel);
        foreach (var (key, state) in states)
        {
            await rows.StartRowAsync(cancel);
            await rows.WriteAsync(key, NpgsqlDbType.Varchar, cancel);
            if (state.View is { } view)
                await rows.WriteAsync(Mapping.Json(key, view), NpgsqlDbType.Jsonb, cancel);
            else
                await rows.WriteNullAsync(cancel);
            if (state.Version is { } version)
                await rows.WriteAsync(version, NpgsqlDbType.Bigint, cancel);
            else
                await rows.WriteNullAsync(cancel);
            await rows.WriteAsync(state.IsParked, NpgsqlDbType.Boolean, cancel);
        }

        await rows.CompleteAsync(cancel);
    }

    /// <summary>Whether the views that were put aside can be taken up: their type may be one that is written and not read.</summary>
    public async Task<bool> CanBeTakenUp(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"select data from {aside} where data is not null", connection);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            if (Mapping.TryRead(rows.GetFieldValue<byte[]>(0), out _) is null)
                return false;
        }

        return true;
    }

    public async Task TakeUp(NpgsqlConnection connection, RebuildFold fold, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"select key, data, version, parked from {aside}", connection);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            fold.Put(rows.GetString(0), new()
            {
                View = rows.IsDBNull(1) ? null : Mapping.Read(rows.GetFieldValue<byte[]>(1)),
                Version = rows.IsDBNull(2) ? null : rows.GetInt64(2),
                IsChanged = true,
                IsParked = rows.GetBoolean(3),
            });
        }
    }

    public Task ClearAside(NpgsqlConnection connection, CancellationToken cancel) => connection.Execute($"truncate {aside}", cancel);

    /// <summary>What the full table needs before it is changed and read: key, indexes, and the planner's figures.</summary>
    public async Task Complete(NpgsqlConnection connection, CancellationToken cancel)
    {
        if (await connection.Scalar<bool>("select to_regclass($1) is not null", cancel, Sql.Text($"{schema}.{name}_key")))
            return;
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new($"alter table {Mapping.QualifiedTable} add constraint {name}_key primary key (id)"));
        for (var i = 0; i < Mapping.Fields.Count; i++)
            batch.BatchCommands.Add(new($"create index {name}_i{i} on {Mapping.QualifiedTable} (\"{Mapping.Fields[i].Column}\")"));
        batch.BatchCommands.Add(new($"analyze {Mapping.QualifiedTable}"));
        await batch.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Who may read the old table may read the new one.</summary>
    public async Task CopyGrants(NpgsqlConnection connection, CancellationToken cancel)
    {
        var grants = new List<string>();
        await using (var command = new NpgsqlCommand(
            """
            select format('grant %s on %s to %s%s', a.privilege_type, $2,
                case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end, case when a.is_grantable then ' with grant option' else '' end)
            from pg_class c, aclexplode(c.relacl) a where c.oid = $1::regclass and a.grantee <> c.relowner
            """,
            connection)
        { Parameters = { Sql.Text(live.QualifiedTable), Sql.Text(Mapping.QualifiedTable) } })
        {
            await using var rows = await command.ExecuteReaderAsync(cancel);
            while (await rows.ReadAsync(cancel))
                grants.Add(rows.GetString(0));
        }

        foreach (var grant in grants)
            await connection.Execute(grant, cancel);
    }

    /// <summary>Puts the new table in the old one's place, by the names that a migration gives.</summary>
    public IEnumerable<NpgsqlBatchCommand> TakePlace()
    {
        yield return new($"drop table {live.QualifiedTable}");
        yield return new($"drop table {aside}");
        yield return new($"drop table if exists {Trial.QualifiedTable}");
        yield return new($"alter table {Mapping.QualifiedTable} rename to {live.Table}");
        yield return new($"alter index {schema}.{name}_key rename to {DocumentTableSql.KeyName(live)}");
        for (var i = 0; i < live.Fields.Count; i++)
            yield return new($"alter index {schema}.{name}_i{i} rename to \"{DocumentTableSql.IndexName(live, live.Fields[i])}\"");
    }

    /// <summary>Refuses where the old table has a column that this program would leave empty, say one that newer code has added.</summary>
    /// <exception cref="UnknownColumnException">It has.</exception>
    public async Task CheckColumns(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            """
            select attname::text from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname::text <> all ($2)
            """,
            connection)
        { Parameters = { Sql.Text(live.QualifiedTable), Sql.Texts([.. DocumentTableSql.Columns, .. live.Fields.Select(it => it.Column)]) } };
        if (await command.ExecuteScalarAsync(cancel) is string unknown)
            throw new UnknownColumnException(live.Table, unknown);
    }
}

/// <summary>A view's table has a column that this program does not fill.</summary>
public sealed class UnknownColumnException(string table, string column)
    : Exception($"{table} has the column {column}, which this program does not fill: rebuild with the program that does, or drop the column if none does any more.");
