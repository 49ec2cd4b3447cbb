using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using CaveComm.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace CaveComm.Benchmarks.EventStore;

/// <summary>A rebuild of a single-stream view, swap included, beside one raw pass over the log: read, parse, fold, and a binary COPY of the result.</summary>
/// <remarks><c>CAVECOMM_BENCH_EVENTS=1000000</c> sets the size; there are a tenth as many streams as events.</remarks>
public sealed class RebuildBenchmark : IBenchmark
{
    private const int Rounds = 3;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };
    private static readonly int Events =
        int.TryParse(Environment.GetEnvironmentVariable("CAVECOMM_BENCH_EVENTS"), CultureInfo.InvariantCulture, out var events) ? events : 200_000;

    public string Name => $"rebuild.{Events / 1000}k-events";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var database = await server.NewDatabase(cancel);
        await using var store = DocumentStore.For(options =>
        {
            options.Connection(database.ConnectionString);
            foreach (var kind in OrderEvent.Kinds)
                options.Events.MapEventType(kind, OrderEvent.AliasOf(kind));
            options.Projections.Add<OrderProjection>(ProjectionLifecycle.Async);
        });
        await store.ApplyAllConfiguredChangesToDatabaseAsync(cancel);
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancel);
        await Fill(connection, cancel);
        await using var daemon = store.BuildProjectionDaemon();

        var (plain, ours, ratios, grown) = (new List<double>(), new List<double>(), new List<double>(), 0.0);
        for (var round = 0; round <= Rounds; round++)
        {
            var raw = await Timed(() => RawPass(connection, cancel));
            using var memory = new MemoryPeak();
            var rebuild = await Timed(() => daemon.RebuildProjectionAsync<OrderView>(cancel));
            grown = Math.Max(grown, memory.GrownMegabytes);
            if (round == 0)
                continue; // Not counted: code is compiled and the database read into memory.
            plain.Add(Events / raw.TotalSeconds);
            ours.Add(Events / rebuild.TotalSeconds);
            ratios.Add(raw / rebuild);
        }

        await CheckEqual(connection, cancel);
        return
        [
            new($"{Name}.plain", Measure.Percentile(plain, 0.5), "events/s"),
            new(Name, Measure.Percentile(ours, 0.5), "events/s", Limit: 0.9, Ratio: Measure.Percentile(ratios, 0.5)),
            new($"{Name}.peak-memory-growth", grown, "MB"),
        ];
    }

    private static async Task<TimeSpan> Timed(Func<Task> work)
    {
        var began = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(began);
    }

    private static async Task RawPass(NpgsqlConnection connection, CancellationToken cancel)
    {
        var types = OrderEvent.Kinds.ToDictionary(OrderEvent.AliasOf);
        var views = new Dictionary<string, (OrderView? View, long Version)>(StringComparer.Ordinal);
        await using (var command = new NpgsqlCommand("select stream_id, version, type, data from mt_events order by seq_id", connection))
        await using (var rows = await command.ExecuteReaderAsync(cancel))
        {
            while (await rows.ReadAsync(cancel))
            {
                var (stream, version) = (rows.GetString(0), rows.GetInt64(1));
                var data = JsonSerializer.Deserialize(rows.GetFieldValue<byte[]>(3), types[rows.GetString(2)], Json)!;
                views[stream] = (OrderProjection.Fold(views.GetValueOrDefault(stream).View, stream, data), version);
            }
        }

        await using var fresh = new NpgsqlCommand("drop table if exists raw_view; create table raw_view (id varchar primary key, data jsonb not null, version bigint not null)", connection);
        await fresh.ExecuteNonQueryAsync(cancel);
        await using var copy = await connection.BeginBinaryImportAsync("copy raw_view (id, data, version) from stdin (format binary)", cancel);
        foreach (var (stream, (view, version)) in views)
        {
            await copy.StartRowAsync(cancel);
            await copy.WriteAsync(stream, NpgsqlDbType.Varchar, cancel);
            await copy.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(view, Json), NpgsqlDbType.Jsonb, cancel);
            await copy.WriteAsync(version, NpgsqlDbType.Bigint, cancel);
        }

        await copy.CompleteAsync(cancel);
    }

    // A view that is fast and wrong would be no use.
    private static async Task CheckEqual(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            """
            select count(*) from raw_view r full join mt_doc_orderview o on o.id = r.id
            where o.data is distinct from r.data or o.mt_version is distinct from r.version
            """,
            connection);
        if ((long)(await command.ExecuteScalarAsync(cancel))! is not 0 and var different)
            throw new InvalidOperationException($"{different} views differ from those that were folded by hand.");
    }

    private static async Task Fill(NpgsqlConnection connection, CancellationToken cancel)
    {
        var streams = Events / 10;
        await Execute(connection, $"insert into mt_streams (id, type, version) select 'order/' || i, 'order', 10 from generate_series(0, {streams - 1}) i", cancel);
        await using (var copy = await connection.BeginBinaryImportAsync(
            "copy mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, headers) from stdin (format binary)", cancel))
        {
            // The streams live side by side, as they do: a stretch of the log has events of thousands of them.
            for (var i = 0; i < Events; i++)
            {
                var (stream, version) = (i % streams, (i / streams) + 1);
                var kind = OrderEvent.Kinds[(stream + version) % OrderEvent.Kinds.Length];
                object data = Activator.CreateInstance(
                    kind, $"REF-{stream:D8}-{version}", $"customer-{stream % 977}@example.org", (long)(stream * 7 % 9000), "EUR", DateTimeOffset.UnixEpoch.AddSeconds(i),
                    "A portrait of two cats and a dog in the style of an old photograph, with frame, to be sent as a file of high resolution")!;
                await copy.StartRowAsync(cancel);
                await copy.WriteAsync((long)i + 1, NpgsqlDbType.Bigint, cancel);
                await copy.WriteAsync(Guid.CreateVersion7(), NpgsqlDbType.Uuid, cancel);
                await copy.WriteAsync($"order/{stream}", NpgsqlDbType.Varchar, cancel);
                await copy.WriteAsync((long)version, NpgsqlDbType.Bigint, cancel);
                await copy.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(data, kind, Json), NpgsqlDbType.Jsonb, cancel);
                await copy.WriteAsync(OrderEvent.AliasOf(kind), NpgsqlDbType.Varchar, cancel);
                await copy.WriteAsync(DateTimeOffset.UnixEpoch.AddSeconds(i), NpgsqlDbType.TimestampTz, cancel);
                await copy.WriteAsync($"{kind.FullName}, CaveComm.Benchmarks", NpgsqlDbType.Varchar, cancel);
                await copy.WriteAsync("00f067aa0ba902b74bf92f3577b34da6", NpgsqlDbType.Varchar, cancel);
                await copy.WriteAsync("""{"actor": "customer:42", "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}""", NpgsqlDbType.Jsonb, cancel);
            }

            await copy.CompleteAsync(cancel);
        }

        await Execute(connection, $"select setval('mt_events_sequence', {Events}); vacuum analyze mt_events; vacuum analyze mt_streams", cancel);
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        foreach (var statement in sql.Split(';'))
        {
            await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(cancel);
        }
    }

    /// <summary>How far the process grows beyond what it needs when it begins.</summary>
    private sealed class MemoryPeak : IDisposable
    {
        private readonly long before;
        private readonly Timer timer;
        private long highest;

        public MemoryPeak()
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            before = Environment.WorkingSet;
            timer = new(_ => highest = Math.Max(highest, Environment.WorkingSet), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(10));
        }

        public double GrownMegabytes => Math.Max(0, Math.Max(highest, Environment.WorkingSet) - before) / 1024.0 / 1024.0;

        public void Dispose() => timer.Dispose();
    }
}
