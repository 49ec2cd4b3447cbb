using System.Text.Json;
using CaveComm.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace CaveComm.Benchmarks.EventStore;

/// <summary>Starts a stream with one event and one outgoing message, beside three prepared inserts on held connections.</summary>
/// <remarks>A third line does by hand all that an append must do here: the same inserts with the hash, and the event's place in the log read back. What lies between that line and ours is ours to win.</remarks>
public sealed class AppendBenchmark(int writers) : IBenchmark
{
    private const string InsertStream = "insert into mt_streams (id, type, version, timestamp) values ($1, $2, 1, $3)";
    private const string InsertEvent = """
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, headers)
        values (nextval('mt_events_sequence'), $1, $2, 1, $3, $4, $5, $6, $7, $8)
        """;

    private const string InsertEventWithHash = """
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, headers)
        select nextval('mt_events_sequence'), $1, $2, 1, $3, $4, $5, $6, $7,
            ('{"hash":"' || encode(sha256(convert_to($9 || $3::text, 'UTF8')), 'hex') || $8)::jsonb
        returning seq_id
        """;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };
    private int number;

    public string Name => $"append.{writers}-writers";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var meters = await MeterStore.Create(server, cancel);
        var connections = new List<NpgsqlConnection>();
        for (var i = 0; i < 2 * writers; i++)
            connections.Add(await meters.Open());
        var (plain, ours, ratio) = await Measure.InTurns(
            rounds: 5, each: TimeSpan.FromSeconds(2), writers, writer => Plain(connections[writer]), _ => () => Ours(meters.Store));
        var (_, byHand, ofByHand) = await Measure.InTurns(
            rounds: 5, each: TimeSpan.FromSeconds(1), writers, writer => Plain(connections[writer]), writer => WithHash(connections[writers + writer]));
        foreach (var connection in connections)
            await connection.DisposeAsync();
        return
        [
            new($"{Name}.plain", plain.PerSecond, "appends/s", plain.P50, plain.P99),
            new($"{Name}.by-hand", byHand.PerSecond, "appends/s", byHand.P50, byHand.P99, Ratio: ofByHand),
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

    private Func<Task> WithHash(NpgsqlConnection connection)
    {
        var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(InsertStream) { Parameters = { Text(), Text(), Instant() } },
                new(InsertEventWithHash) { Parameters = { Id(), Text(), JsonText(), Text(), Instant(), Text(), Text(), Text(), Text() } },
                MessageRow.Command("{}"),
            },
        };
        batch.Prepare();
        return async () =>
        {
            var key = $"meter/{Interlocked.Increment(ref number)}";
            var (now, id) = (DateTimeOffset.UtcNow, Guid.CreateVersion7());
            Set(batch.BatchCommands[0], key, "meter", now);
            Set(batch.BatchCommands[1], id, key, JsonSerializer.Serialize(MeterStore.Reading(key), Json), "meter.read", now,
                "CaveComm.Benchmarks.EventStore.MeterRead, CaveComm.Benchmarks", MeterStore.Correlation, "\",\"actor\":\"caretaker\"}",
                $"\n{now.Ticks}\n9:caretaker\n{key.Length}:{key}\n{id}\n1\n10:meter.read\n");
            Set(batch.BatchCommands[2], Guid.CreateVersion7(), """{"kind":"reading"}""", now);
            await using var rows = await batch.ExecuteReaderAsync();
            await rows.ReadAsync();
            _ = rows.GetInt64(0);
            while (await rows.NextResultAsync())
            {
            }
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
