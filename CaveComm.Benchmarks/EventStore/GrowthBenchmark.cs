using System.Diagnostics;
using System.Globalization;
using CaveComm.EventStore;
using Npgsql;

namespace CaveComm.Benchmarks.EventStore;

/// <summary>Start-up, tail and reads of one stream, in a log of ten thousand events and in one of many more: the ratio is how much slower the long one is.</summary>
public sealed class GrowthBenchmark : IBenchmark
{
    private const int Few = 10_000;
    private const int Appended = 100; // Streams that grow while the tail is measured.
    private const int InUse = 500; // Streams that somebody works on; the others rest.

    // A million by default; the full five are said with this variable, since filling takes minutes.
    private static readonly int Many = int.Parse(Environment.GetEnvironmentVariable("CAVECOMM_BENCH_EVENTS") ?? "1000000", CultureInfo.InvariantCulture);

    public string Name => "growth";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        var few = await Of(server, Few, cancel);
        var many = await Of(server, Many, cancel);
        return
        [
            .. Lines("start-up", few.StartUp, many.StartUp),
            .. Lines("tail", few.Tail, many.Tail),
            .. Lines("read-10.plain", few.Raw, many.Raw),
            .. Lines("read-10", few.Read, many.Read),
            .. Lines("read-10.in-use", few.ReadInUse, many.ReadInUse),
        ];
    }

    private BenchmarkResult[] Lines(string what, IReadOnlyList<double> few, IReadOnlyList<double> many)
    {
        var (small, large) = (Measure.Percentile(few, 0.5), Measure.Percentile(many, 0.5));
        return
        [
            new($"{Name}.{what}.{Few}-events", small, "ms", small, Measure.Percentile(few, 0.99)),
            new($"{Name}.{what}.{Many}-events", large, "ms", large, Measure.Percentile(many, 0.99), Ratio: large / small),
        ];
    }

    private static async Task<Figures> Of(BenchmarkServer server, int events, CancellationToken cancel)
    {
        await using var meters = await MeterStore.Create(server, cancel);
        await Fill(meters, events, cancel);
        var (startUp, tail) = (new List<double>(), new List<double>());
        for (var i = 0; i < 7; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await meters.Store.ApplyAllConfiguredChangesToDatabaseAsync(cancel);
            await using var daemon = meters.Store.BuildProjectionDaemon();
            await daemon.StartAllAsync();
            var appended = await Append(meters.Store, "meter/0", cancel);
            await Seen(daemon, appended, cancel);
            startUp.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            for (var n = 0; n < Appended; n++)
            {
                appended = await Append(meters.Store, $"meter/{n}", cancel);
                var committed = Stopwatch.GetTimestamp();
                await Seen(daemon, appended, cancel);
                if (i > 0) // Not counted before: code is compiled and statements are prepared.
                    tail.Add(Stopwatch.GetElapsedTime(committed).TotalMilliseconds);
            }
        }

        var (raw, read) = await Reads(meters, (events / 10) - Appended, cancel);
        var (_, readInUse) = await Reads(meters, InUse, cancel);
        return new(startUp, tail, raw, read, readInUse);
    }

    /// <summary>The plain read of other streams in turn with ours: what both lose in the long log is PostgreSQL's cache, not the way of reading.</summary>
    private static async Task<(List<double> Raw, List<double> Read)> Reads(MeterStore meters, int streams, CancellationToken cancel)
    {
        var (raw, read) = (new List<double>(), new List<double>());
        await using var connection = await meters.Open();
        await using var plain = new NpgsqlCommand(ReadMeter.Select, connection) { Parameters = { new() { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Varchar } } };
        await plain.PrepareAsync(cancel);
        for (var i = 0; i < 4_000; i++)
        {
            plain.Parameters[0].Value = AnyStream(streams);
            var began = Stopwatch.GetTimestamp();
            await using (var rows = await plain.ExecuteReaderAsync(cancel))
                _ = await ReadMeter.Total(rows);
            var between = Stopwatch.GetTimestamp();
            await using var session = meters.Store.QuerySession();
            _ = await session.Events.AggregateStreamAsync<MeterView>(AnyStream(streams), token: cancel);
            if (i >= 2_000)
            {
                raw.Add(Stopwatch.GetElapsedTime(began, between).TotalMilliseconds);
                read.Add(Stopwatch.GetElapsedTime(between).TotalMilliseconds);
            }
        }

        return (raw, read);
    }

    private static string AnyStream(int of) => $"meter/{Appended + Random.Shared.Next(of)}";

    private static async Task Seen(ProjectionDaemon daemon, long sequence, CancellationToken cancel)
    {
        if (!await daemon.WaitForPosition<MeterView>(sequence, TimeSpan.FromSeconds(60), cancel))
            throw new TimeoutException("The view stands still.");
    }

    private static async Task<long> Append(DocumentStore store, string key, CancellationToken cancel)
    {
        await using var session = store.LightweightSession();
        var action = session.Events.Append(key, MeterStore.Reading(key));
        await session.SaveChangesAsync(cancel);
        return action.Events[0].Sequence;
    }

    // Ten events to a stream, as a busy year leaves them: appended in turns, so that a stream's events lie far apart. The views are at the end.
    private static async Task Fill(MeterStore meters, int events, CancellationToken cancel)
    {
        await using var connection = await meters.Open();
        await using var command = new NpgsqlCommand($$"""
            insert into mt_streams (id, type, version, timestamp) select 'meter/' || n, 'meter_view', 10, now() from generate_series(0, {{(events / 10) - 1}}) n;
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type)
                select nextval('mt_events_sequence'), gen_random_uuid(), 'meter/' || n, v,
                    '{"meter":"m","value":7,"note":"read by the caretaker on the ground floor","at":"1970-01-01T00:00:00+00:00"}', 'meter.read', now(), 'x'
                from generate_series(1, 10) v cross join generate_series(0, {{(events / 10) - 1}}) n order by v, n;
            insert into mt_doc_meterview (id, data, mt_version) select id, jsonb_build_object('id', id, 'value', 7, 'readings', 10), 10 from mt_streams;
            insert into mt_event_progression (name, last_seq_id) values ('MeterProjection:All', {{events}});
            analyze mt_streams, mt_events, mt_doc_meterview
            """, connection)
        { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancel);
    }

    private sealed record Figures(List<double> StartUp, List<double> Tail, List<double> Raw, List<double> Read, List<double> ReadInUse);
}
