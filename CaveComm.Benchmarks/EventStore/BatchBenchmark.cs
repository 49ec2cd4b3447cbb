using System.Security.Cryptography;
using System.Text.Json;
using CaveComm.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace CaveComm.Benchmarks.EventStore;

/// <summary>A hundred events in one transaction, beside one prepared insert from <c>unnest</c> on held connections.</summary>
/// <remarks>The plain line gives all events the same headers. A third line writes by hand the rows that ours are, each with a hash in its headers, which it is given and need not compute.</remarks>
public sealed class BatchBenchmark : IBenchmark
{
    private const int Writers = 8;
    private const int Events = 100;
    private const string InsertStream = "insert into mt_streams (id, type, version, timestamp) values ($1, $2, $3, $4)";
    private const string InsertEvents = """
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, headers)
        select nextval('mt_events_sequence'), e.id, $1, e.place, e.data, $2, $3, $4, $7, $8
        from unnest($5, $6) with ordinality as e (id, data, place)
        """;

    private const string InsertSameRows = """
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, headers)
        select nextval('mt_events_sequence'), e.id, $1, e.place, e.data, $2, $3, $4, $7, e.headers
        from unnest($5, $6, $8) with ordinality as e (id, data, headers, place)
        """;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };
    private int number;

    public string Name => "batch.100-events.8-writers";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var meters = await MeterStore.Create(server, cancel);
        var connections = new List<NpgsqlConnection>();
        for (var i = 0; i < 2 * Writers; i++)
            connections.Add(await meters.Open());
        var (plain, ours, ratio) = await Measure.InTurns(
            rounds: 5, each: TimeSpan.FromSeconds(2), Writers, writer => Plain(connections[writer]), _ => () => Ours(meters.Store));
        var (_, byHand, ofByHand) = await Measure.InTurns(
            rounds: 5, each: TimeSpan.FromSeconds(1), Writers, writer => Plain(connections[writer]), writer => SameRows(connections[Writers + writer]));
        foreach (var connection in connections)
            await connection.DisposeAsync();
        return
        [
            new($"{Name}.plain", plain.PerSecond * Events, "events/s", plain.P50, plain.P99),
            new($"{Name}.by-hand", byHand.PerSecond * Events, "events/s", byHand.P50, byHand.P99, Ratio: ofByHand),
            new(Name, ours.PerSecond * Events, "events/s", ours.P50, ours.P99, Limit: 0.9, Ratio: ratio),
        ];
    }

    private Func<Task> Plain(NpgsqlConnection connection) => Insert(connection, InsertEvents, NpgsqlDbType.Jsonb, MeterStore.Headers);

    private Func<Task> SameRows(NpgsqlConnection connection) => Insert(
        connection, InsertSameRows, NpgsqlDbType.Array | NpgsqlDbType.Jsonb,
        Enumerable.Range(0, Events).Select(_ => $$"""{"hash":"{{RandomNumberGenerator.GetHexString(64, lowercase: true)}}","actor":"caretaker"}""").ToArray());

    private Func<Task> Insert(NpgsqlConnection connection, string insertEvents, NpgsqlDbType headersType, object headers)
    {
        var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(InsertStream) { Parameters = { Of(NpgsqlDbType.Varchar), Of(NpgsqlDbType.Varchar), Of(NpgsqlDbType.Bigint), Of(NpgsqlDbType.TimestampTz) } },
                new(insertEvents)
                {
                    Parameters =
                    {
                        Of(NpgsqlDbType.Varchar), Of(NpgsqlDbType.Varchar), Of(NpgsqlDbType.TimestampTz), Of(NpgsqlDbType.Varchar),
                        Of(NpgsqlDbType.Array | NpgsqlDbType.Uuid), Of(NpgsqlDbType.Array | NpgsqlDbType.Jsonb),
                        Of(NpgsqlDbType.Varchar), Of(headersType),
                    },
                },
                MessageRow.Command("{}"),
            },
        };
        batch.Prepare();
        return async () =>
        {
            var key = $"meter/{Interlocked.Increment(ref number)}";
            var now = DateTimeOffset.UtcNow;
            var ids = new Guid[Events];
            var data = new string[Events];
            for (var i = 0; i < Events; i++)
                (ids[i], data[i]) = (Guid.CreateVersion7(), JsonSerializer.Serialize(MeterStore.Reading(key), Json));
            Set(batch.BatchCommands[0], key, "meter", (long)Events, now);
            Set(batch.BatchCommands[1], key, "meter.read", now, "CaveComm.Benchmarks.EventStore.MeterRead, CaveComm.Benchmarks", ids, data, MeterStore.Correlation,
                headers);
            Set(batch.BatchCommands[2], Guid.CreateVersion7(), """{"kind":"reading"}""", now);
            await batch.ExecuteNonQueryAsync();
        };
    }

    private async Task Ours(DocumentStore store)
    {
        var key = $"meter/{Interlocked.Increment(ref number)}";
        var events = new object[Events];
        for (var i = 0; i < Events; i++)
            events[i] = MeterStore.Reading(key);
        await using var session = MeterStore.Session(store);
        session.Events.StartStream<MeterView>(key, events);
        ((ISessionTransaction)session).Enlist(new MessageRow("""{"kind":"reading"}"""));
        await session.SaveChangesAsync();
    }

    private static void Set(NpgsqlBatchCommand command, params object[] values)
    {
        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i];
    }

    private static NpgsqlParameter Of(NpgsqlDbType type) => new() { NpgsqlDbType = type };
}
