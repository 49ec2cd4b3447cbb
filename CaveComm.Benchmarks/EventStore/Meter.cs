using CaveComm.EventStore;
using Npgsql;

namespace CaveComm.Benchmarks.EventStore;

/// <summary>What the event store is measured with: readings of meters.</summary>
/// <param name="At">When the meter was read.</param>
public sealed record MeterRead(string Meter, long Value, string Note, DateTimeOffset At);

/// <summary>An event that no view shows.</summary>
public sealed record MeterChecked(string Meter);

public sealed record MeterView(string Id, long Value, int Readings);

public sealed class MeterProjection : SingleStreamProjection<MeterView, string>
{
    public override MeterView? Evolve(MeterView? view, string id, IEvent happened) =>
        happened.Data is MeterRead read ? new(id, read.Value, (view?.Readings ?? 0) + 1) : view;
}

/// <summary>The state of a meter, folded when it is asked for.</summary>
public sealed record MeterTotal(string Id, long Sum, int Readings);

public sealed class MeterTotals : SingleStreamProjection<MeterTotal, string>
{
    public override MeterTotal? Evolve(MeterTotal? total, string id, IEvent happened) =>
        happened.Data is MeterRead read ? new(id, (total?.Sum ?? 0) + read.Value, (total?.Readings ?? 0) + 1) : total;
}

/// <summary>A store over meters in a database of its own.</summary>
internal sealed class MeterStore : IAsyncDisposable
{
    public const string Correlation = "4bf92f3577b34da6a3ce929d0e0e4736";
    public const string Headers = """{"actor":"caretaker"}""";

    private readonly BenchmarkDatabase database;

    private MeterStore(BenchmarkDatabase database)
    {
        this.database = database;
        Store = DocumentStore.For(options =>
        {
            options.Connection(database.ConnectionString);
            options.Events.MapEventType<MeterRead>("meter.read");
            options.Events.MapEventType<MeterChecked>("meter.checked");
            options.Projections.Add<MeterProjection>(ProjectionLifecycle.Async);
            options.Projections.Add<MeterTotals>(ProjectionLifecycle.Live);
        });
    }

    public DocumentStore Store { get; }

    public string ConnectionString => database.ConnectionString;

    public static async Task<MeterStore> Create(BenchmarkServer server, CancellationToken cancel)
    {
        var it = new MeterStore(await server.NewDatabase(cancel));
        await it.Store.ApplyAllConfiguredChangesToDatabaseAsync(cancel);
        await using var connection = await it.Open();
        await using var command = new NpgsqlCommand(
            "create table message (id uuid primary key, body jsonb not null, due timestamptz not null, locked_until timestamptz)", connection);
        await command.ExecuteNonQueryAsync(cancel);
        return it;
    }

    /// <summary>A session that says who acts and for what, as every request's does.</summary>
    public static IDocumentSession Session(DocumentStore store)
    {
        var session = store.LightweightSession();
        (session.LastModifiedBy, session.CorrelationId) = ("caretaker", Correlation);
        return session;
    }

    /// <summary>A connection for the plain way: held, never reset, its statements prepared.</summary>
    public async Task<NpgsqlConnection> Open()
    {
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false };
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    public static MeterRead Reading(string meter) => new(meter, Random.Shared.Next(), "read by the caretaker on the ground floor", DateTimeOffset.UnixEpoch);

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await database.DisposeAsync();
    }
}

/// <summary>A row that stands for an outgoing message.</summary>
internal sealed class MessageRow(string body) : ITransactionParticipant
{
    public const string Insert = "insert into message (id, body, due, locked_until) values ($1, $2, $3, $3)";

    public void AddTo(NpgsqlBatch batch) => batch.BatchCommands.Add(Command(body));

    public Exception? Translate(PostgresException error) => null;

    public void Committed()
    {
    }

    public static NpgsqlBatchCommand Command(string body) => new(Insert)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid> { TypedValue = Guid.CreateVersion7() },
            new NpgsqlParameter<string> { TypedValue = body, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Jsonb },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = DateTimeOffset.UtcNow, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz },
        },
    };
}
