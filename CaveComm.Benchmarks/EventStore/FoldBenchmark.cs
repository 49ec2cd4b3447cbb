using System.Text.Json;
using CaveComm.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace CaveComm.Benchmarks.EventStore;

/// <summary>Folds one stream as it is stored, beside a prepared query whose rows are parsed and added up by hand.</summary>
public sealed class FoldBenchmark(int events) : IBenchmark
{
    private const int Streams = 20;
    private int number;

    public string Name => $"fold.{events}-events";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var meters = await MeterStore.Create(server, cancel);
        for (var i = 0; i < Streams; i++)
        {
            await using var session = MeterStore.Session(meters.Store);
            session.Events.StartStream<MeterView>(Key(i), [.. Enumerable.Range(0, events).Select(_ => MeterStore.Reading(Key(i)))]);
            await session.SaveChangesAsync(cancel);
        }

        await using var connection = await meters.Open();
        await using (var analyse = new NpgsqlCommand("analyze mt_events", connection))
            await analyse.ExecuteNonQueryAsync(cancel);
        var (plain, ours, ratio) = await Measure.InTurns(
            rounds: 5, each: TimeSpan.FromSeconds(1), writers: 1, _ => Plain(connection), _ => () => Ours(meters.Store));
        return
        [
            new($"{Name}.plain", 1000 * plain.P50, "microseconds", plain.P50, plain.P99),
            new(Name, 1000 * ours.P50, "microseconds", ours.P50, ours.P99, Limit: 0.77, Ratio: ratio),
        ];
    }

    private static string Key(int stream) => $"meter/{stream % Streams}";

    private Func<Task> Plain(NpgsqlConnection connection)
    {
        var command = new NpgsqlCommand(ReadMeter.Select, connection) { Parameters = { new() { NpgsqlDbType = NpgsqlDbType.Varchar } } };
        command.Prepare();
        return async () =>
        {
            command.Parameters[0].Value = Key(number++);
            await using var rows = await command.ExecuteReaderAsync();
            Expect((await ReadMeter.Total(rows)).Readings);
        };
    }

    private async Task Ours(DocumentStore store)
    {
        await using var session = store.QuerySession();
        Expect((await session.Events.AggregateStreamAsync<MeterTotal>(Key(number++)))?.Readings);
    }

    private void Expect(int? readings)
    {
        if (readings != events)
            throw new InvalidOperationException($"{readings} readings of {events} were found.");
    }
}

/// <summary>The plain way to read a meter's stream.</summary>
internal static class ReadMeter
{
    public const string Select = """
        select seq_id, id, version, data, type, timestamp, headers from mt_events where stream_id = $1 order by version
        """;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static async Task<(long Version, long Sum, int Readings)> Total(NpgsqlDataReader rows)
    {
        var (version, sum, readings) = (0L, 0L, 0);
        while (await rows.ReadAsync())
        {
            version = rows.GetInt64(2);
            if (rows.GetString(4) == "meter.read")
            {
                sum += JsonSerializer.Deserialize<MeterRead>(rows.GetFieldValue<byte[]>(3), Json)!.Value;
                readings++;
            }
        }

        return (version, sum, readings);
    }
}
