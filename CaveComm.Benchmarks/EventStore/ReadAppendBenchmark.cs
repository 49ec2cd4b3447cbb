using System.Text.Json;
using CaveComm.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace CaveComm.Benchmarks.EventStore;

/// <summary>Reads a stream of ten events, folds it and appends one event and one message, beside two prepared round trips on held connections.</summary>
public sealed class ReadAppendBenchmark : IBenchmark
{
    private const int Writers = 32;
    private const int Before = 10;
    private const int Streams = 200; // Of each writer, so that they hardly grow.
    private const string UpdateStream = "update mt_streams set version = version + 1, timestamp = $3 where id = $1 and version = $2";
    private const string InsertEvent = """
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, headers)
        values (nextval('mt_events_sequence'), $1, $2, $3, $4, $5, $6, $7, $8, $9)
        """;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };
    private readonly int[] numbers = new int[2 * Writers];

    public string Name => "read-append.32-writers";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var meters = await MeterStore.Create(server, cancel);
        var connections = new List<NpgsqlConnection>();
        for (var i = 0; i < Writers; i++)
            connections.Add(await meters.Open());
        await Parallel.ForAsync(0, 2 * Writers, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (writer, _) => await Begin(meters.Store, writer));
        await using (var analyse = new NpgsqlCommand("analyze mt_streams, mt_events", connections[0]))
            await analyse.ExecuteNonQueryAsync(cancel);
        var (plain, ours, ratio) = await Measure.InTurns(
            rounds: 5, each: TimeSpan.FromSeconds(2), Writers, writer => Plain(writer, connections[writer]),
            writer => () => Ours(meters.Store, Writers + writer));
        foreach (var connection in connections)
            await connection.DisposeAsync();
        return
        [
            new($"{Name}.plain", plain.PerSecond, "appends/s", plain.P50, plain.P99),
            new(Name, ours.PerSecond, "appends/s", ours.P50, ours.P99, Limit: 0.85, Ratio: ratio),
        ];
    }

    private static string Key(int writer, int number) => $"meter/{writer}/{number % Streams}";

    private static async Task Begin(DocumentStore store, int writer)
    {
        foreach (var numbers in Enumerable.Range(0, Streams).Chunk(50))
        {
            await using var session = MeterStore.Session(store);
            foreach (var key in numbers.Select(number => Key(writer, number)))
                session.Events.StartStream<MeterView>(key, [.. Enumerable.Range(0, Before).Select(_ => MeterStore.Reading(key))]);
            await session.SaveChangesAsync();
        }
    }

    private Func<Task> Plain(int writer, NpgsqlConnection connection)
    {
        var read = new NpgsqlCommand(ReadMeter.Select, connection) { Parameters = { Of(NpgsqlDbType.Varchar) } };
        read.Prepare();
        var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(UpdateStream) { Parameters = { Of(NpgsqlDbType.Varchar), Of(NpgsqlDbType.Bigint), Of(NpgsqlDbType.TimestampTz) } },
                new(InsertEvent)
                {
                    Parameters =
                    {
                        Of(NpgsqlDbType.Uuid), Of(NpgsqlDbType.Varchar), Of(NpgsqlDbType.Bigint), Of(NpgsqlDbType.Jsonb), Of(NpgsqlDbType.Varchar),
                        Of(NpgsqlDbType.TimestampTz), Of(NpgsqlDbType.Varchar), Of(NpgsqlDbType.Varchar), Of(NpgsqlDbType.Jsonb),
                    },
                },
                MessageRow.Command("{}"),
            },
        };
        batch.Prepare();
        return async () =>
        {
            var key = Key(writer, numbers[writer]++);
            read.Parameters[0].Value = key;
            long version;
            await using (var rows = await read.ExecuteReaderAsync())
                version = (await ReadMeter.Total(rows)).Version;
            var now = DateTimeOffset.UtcNow;
            Set(batch.BatchCommands[0], key, version, now);
            Set(batch.BatchCommands[1], Guid.CreateVersion7(), key, version + 1, JsonSerializer.Serialize(MeterStore.Reading(key), Json),
                "meter.read", now, "CaveComm.Benchmarks.EventStore.MeterRead, CaveComm.Benchmarks", MeterStore.Correlation, MeterStore.Headers);
            Set(batch.BatchCommands[2], Guid.CreateVersion7(), """{"kind":"reading"}""", now);
            await batch.ExecuteNonQueryAsync();
        };
    }

    private async Task Ours(DocumentStore store, int writer)
    {
        var key = Key(writer, numbers[writer]++);
        await using var session = MeterStore.Session(store);
        var stream = await session.Events.FetchForWriting<MeterTotal>(key);
        stream.AppendOne(MeterStore.Reading(key));
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
