using System.Text.Json;
using CaveComm.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace CaveComm.Benchmarks.EventStore;

/// <summary>Starts a stream with one event and one outgoing message, beside three prepared inserts on held connections.</summary>
public sealed class AppendBenchmark(int writers) : IBenchmark
{
    private const string InsertStream = "insert into mt_streams (id, type, version, timestamp) values ($1, $2, 1, $3)";
    private const string InsertEvent = """
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, headers)
        values (nextval('mt_events_sequence'), $1, $2, 1, $3, $4, $5, $6, $7, $8)
        """;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };
    private int number;

    public string Name => $"append.{writers}-writers";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var meters = await MeterStore.Create(server, cancel);
        var connections = new List<NpgsqlConnection>();
        for (var i = 0; i < writers; i++)
            connections.Add(await meters.Open());
        var (plain, ours, ratio) = await Measure.InTurns(
            rounds: 5, each: TimeSpan.FromSeconds(2), writers, writer => Plain(connections[writer]), _ => () => Ours(meters.Store));
        foreach (var connection in connections)
            await connection.DisposeAsync();
        return
        [
            new($"{Name}.plain", plain.PerSecond, "appends/s", plain.P50, plain.P99),
            new(Name, ours.PerSecond, "appends/s", ours.P50, ours.P99, Limit: 0.85, Ratio: ratio),
        ];
    }

    private Func<Task> Plain(NpgsqlConnection connection)
    {
        var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(InsertStream) { Parameters = { Text(), Text(), Instant() } },
                new(InsertEvent) { Parameters = { Id(), Text(), JsonText(), Text(), Instant(), Text(), Text(), JsonText() } },
                MessageRow.Command("{}"),
            },
        };
        batch.Prepare();
        return async () =>
        {
            var key = $"meter/{Interlocked.Increment(ref number)}";
            var now = DateTimeOffset.UtcNow;
            Set(batch.BatchCommands[0], key, "meter", now);
            Set(batch.BatchCommands[1], Guid.CreateVersion7(), key, JsonSerializer.Serialize(MeterStore.Reading(key), Json),
                "meter.read", now, "CaveComm.Benchmarks.EventStore.MeterRead, CaveComm.Benchmarks", MeterStore.Correlation, MeterStore.Headers);
            Set(batch.BatchCommands[2], Guid.CreateVersion7(), """{"kind":"reading"}""", now);
            await batch.ExecuteNonQueryAsync();
        };
    }

    private async Task Ours(DocumentStore store)
    {
        var key = $"meter/{Interlocked.Increment(ref number)}";
        await using var session = MeterStore.Session(store);
        session.Events.StartStream<MeterView>(key, MeterStore.Reading(key));
        ((ISessionTransaction)session).Enlist(new MessageRow("""{"kind":"reading"}"""));
        await session.SaveChangesAsync();
    }

    private static void Set(NpgsqlBatchCommand command, params object[] values)
    {
        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i];
    }

    private static NpgsqlParameter Text() => new() { NpgsqlDbType = NpgsqlDbType.Varchar };

    private static NpgsqlParameter JsonText() => new() { NpgsqlDbType = NpgsqlDbType.Jsonb };

    private static NpgsqlParameter Id() => new() { NpgsqlDbType = NpgsqlDbType.Uuid };

    private static NpgsqlParameter Instant() => new() { NpgsqlDbType = NpgsqlDbType.TimestampTz };
}
