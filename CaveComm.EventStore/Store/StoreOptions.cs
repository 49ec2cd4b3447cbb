using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace CaveComm.EventStore;

/// <summary>How a store is put together.</summary>
public sealed partial class StoreOptions
{
    private string schema = "public";

    /// <summary>Where the store's database is; see <see cref="Connection"/>.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>See <see cref="DirectConnection"/>.</summary>
    public string? DirectConnectionString { get; private set; }

    /// <summary>The database schema that holds the tables.</summary>
    public string DatabaseSchemaName
    {
        get => schema;
        set => schema = Identifier().IsMatch(value) ? value : throw new ArgumentException($"'{value}' cannot name a schema.");
    }

    public EventOptions Events { get; } = new();

    public ProjectionOptions Projections { get; } = new();

    public DocumentOptions Schema { get; } = new();

    /// <summary>Which texts of events are personal data, and how they are kept secret.</summary>
    public PersonalOptions Personal { get; } = new();

    /// <summary>How events and views become JSON: camelCase, enums by name. Messages are written with it too.</summary>
    public JsonSerializerOptions JsonSerializerOptions { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>The clock that events are dated by; the container's <see cref="TimeProvider"/> unless set.</summary>
    public TimeProvider? Time { get; set; }

    /// <summary>The database, as an Npgsql connection string.</summary>
    public void Connection(string connectionString) => ConnectionString = connectionString;

    /// <summary>A way to the same database that keeps a session whole, for locks and listening, where <see cref="Connection"/> leads through a pooler such as PgBouncer.</summary>
    public void DirectConnection(string connectionString) => DirectConnectionString = connectionString;

    [GeneratedRegex("^[a-z_][a-z0-9_]{0,50}$")]
    private static partial Regex Identifier();
}
