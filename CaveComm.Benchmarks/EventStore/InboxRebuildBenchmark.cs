using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using CaveComm.Api;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.EventStore;
using CaveComm.Projections.Commissions;
using Npgsql;
using NpgsqlTypes;

namespace CaveComm.Benchmarks.EventStore;

/// <summary>A rebuild of the inbox, the product's own view, beside one raw pass over the same log. Once with the customers' texts open, once sealed as the product seals them.</summary>
/// <remarks>The raw pass always reads a log with open texts: it has no keys. <c>CAVECOMM_BENCH_EVENTS=1000000</c> sets the size.</remarks>
public sealed class InboxRebuildBenchmark(bool isSealed) : IBenchmark
{
    private const int Rounds = 3;
    private const int Together = 100; // Commissions of one save while the log is filled.
    private const int OfOneCustomer = 4;

    private static readonly int Commissions =
        (int.TryParse(Environment.GetEnvironmentVariable("CAVECOMM_BENCH_EVENTS"), CultureInfo.InvariantCulture, out var events) ? events : 200_000) / Life(0).Length;

    public string Name => $"rebuild.inbox{(isSealed ? "-sealed" : "")}.{Commissions * Life(0).Length / 1000}k-events";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var database = await server.NewDatabase(cancel);
        await using var store = DocumentStore.For(options =>
        {
            options.Connection(database.ConnectionString);
            foreach (var (type, alias) in EventAliases.All)
                options.Events.MapEventType(type, alias);
            options.Projections.Add<InboxProjection>(ProjectionLifecycle.Async);
            options.Schema.For<InboxItem>().Duplicate(it => it.Freelancer).Duplicate(it => it.Status).Duplicate(it => it.CustomerId);
            options.Personal.MasterKey = new byte[PersonalOptions.KeySize];
            if (isSealed)
                options.Personal.Seal<CommissionEvent.Requested>(it => $"customer:{it.Customer.Id}", "customer.name", "customer.email", "answers");
        });
        await store.ApplyAllConfiguredChangesToDatabaseAsync(cancel);
        await Fill(store, cancel);
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false, CommandTimeout = 0 }.ConnectionString);
        await connection.OpenAsync(cancel);
        await Execute(connection, "vacuum analyze mt_events", cancel);
        await using var daemon = store.BuildProjectionDaemon();

        var (plain, ours, ratios) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round <= Rounds; round++)
        {
            var raw = await Timed(() => RawPass(connection, store.Options, cancel));
            var rebuild = await Timed(() => daemon.RebuildProjectionAsync<InboxItem>(cancel));
            if (round == 0)
                continue; // Not counted: code is compiled and the database read into memory.
            plain.Add(Commissions * Life(0).Length / raw.TotalSeconds);
            ours.Add(Commissions * Life(0).Length / rebuild.TotalSeconds);
            ratios.Add(raw / rebuild);
        }

        await CheckComplete(connection, cancel);
        return
        [
            new($"{Name}.plain", Measure.Percentile(plain, 0.5), "events/s"),
            new(Name, Measure.Percentile(ours, 0.5), "events/s", Limit: isSealed ? null : 0.9, Ratio: Measure.Percentile(ratios, 0.5)),
        ];
    }

    // Read, parse, fold by the very projection, and write what came of it.
    private static async Task RawPass(NpgsqlConnection connection, StoreOptions options, CancellationToken cancel)
    {
        var projection = new InboxProjection();
        var views = new Dictionary<string, (InboxItem? View, long Version)>(StringComparer.Ordinal);
        await using (var command = new NpgsqlCommand("select stream_id, version, type, data, timestamp, id, seq_id from mt_events order by seq_id", connection))
        await using (var rows = await command.ExecuteReaderAsync(cancel))
        {
            while (await rows.ReadAsync(cancel))
            {
                var (stream, version) = (rows.GetString(0), rows.GetInt64(1));
                var happened = options.Events.Read(rows.GetString(2), rows.GetFieldValue<byte[]>(3), options.JsonSerializerOptions);
                happened.Version = version;
                happened.Timestamp = rows.GetFieldValue<DateTimeOffset>(4);
                happened.Id = rows.GetGuid(5);
                happened.Sequence = rows.GetInt64(6);
                views[stream] = (projection.Evolve(views.GetValueOrDefault(stream).View, stream, happened), version);
            }
        }

        await Execute(connection, "drop table if exists raw_view", cancel);
        await Execute(
            connection,
            "create table raw_view (id varchar primary key, data jsonb not null, version bigint not null, freelancer varchar, status varchar, customer_id uuid)",
            cancel);
        await using (var copy = await connection.BeginBinaryImportAsync("copy raw_view from stdin (format binary)", cancel))
        {
            foreach (var (stream, (view, version)) in views)
            {
                await copy.StartRowAsync(cancel);
                await copy.WriteAsync(stream, NpgsqlDbType.Varchar, cancel);
                await copy.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(view, options.JsonSerializerOptions), NpgsqlDbType.Jsonb, cancel);
                await copy.WriteAsync(version, NpgsqlDbType.Bigint, cancel);
                await copy.WriteAsync(view!.Freelancer, NpgsqlDbType.Varchar, cancel);
                await copy.WriteAsync(view.Status, NpgsqlDbType.Varchar, cancel);
                await copy.WriteAsync(view.CustomerId, NpgsqlDbType.Uuid, cancel);
            }

            await copy.CompleteAsync(cancel);
        }

        // What the view's table has too, or the comparison would be with less.
        await Execute(connection, "create index on raw_view (freelancer); create index on raw_view (status); create index on raw_view (customer_id); analyze raw_view", cancel);
    }

    // A view that is fast and wrong would be no use.
    private static async Task CheckComplete(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "select count(*) from raw_view r full join mt_doc_inboxitem_3 o on o.id = r.id where o.mt_version is distinct from r.version or o.status is distinct from r.status",
            connection);
        if ((long)(await command.ExecuteScalarAsync(cancel))! is not 0 and var different)
            throw new InvalidOperationException($"{different} lines of the inbox differ from those that were folded by hand.");
    }

    // Many commissions live at a time: a stretch of the log has events of many streams.
    private static async Task Fill(DocumentStore store, CancellationToken cancel) =>
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Commissions).Chunk(Together),
            new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = cancel },
            async (numbers, stop) =>
            {
                for (var step = 0; step < Life(0).Length; step++)
                {
                    await using var session = MeterStore.Session(store);
                    foreach (var number in numbers)
                        session.Events.Append($"commission:{Id(number, 1)}", Life(number)[step]);
                    await session.SaveChangesAsync(stop);
                }
            });

    private static CommissionEvent[] Life(int number)
    {
        var (freelancer, price) = ($"shop-{number % 200}", new Money(120_00 + (number % 100), "EUR"));
        var customer = new Customer(Id(number / OfOneCustomer, 2), "Grace Hopper", $"grace-{number / OfOneCustomer}@example.com");
        var template = new TemplateSnapshot(
            "portrait", 1, "A portrait", price, PaymentTerms.UpFront, [new("subject", "What shall I draw?", QuestionKind.LongText, Required: true)], "No resale.", 3, 14);
        var at = DateTimeOffset.UnixEpoch.AddSeconds(number);
        return
        [
            new CommissionEvent.Requested(freelancer, customer, template, "stripe", new Dictionary<string, string> { ["subject"] = "Two cats and a dog in the style of an old photograph" }, AcceptedTerms: true),
            new CommissionEvent.Accepted(),
            new CommissionEvent.InvoiceIssued(1, "stripe", $"in_{number}", $"CAVE-{number}", price, $"https://pay.example/in_{number}", at.AddDays(14), freelancer),
            new CommissionEvent.PaymentReceived($"in_{number}", $"pi_{number}", price, price, at, Late: false, $"ch_{number}", freelancer),
            new CommissionEvent.ProductUploaded(1, [new(Id(number, 3), "portrait.png", 1_234_567, new string('a', 64), "image/png")]),
            new CommissionEvent.Delivered(1),
            new CommissionEvent.ProductDownloaded(1, Id(number, 3)),
            new CommissionEvent.PayoutRequested(1, "stripe", "acct_1", price, new Money(0, "EUR"), $"ch_{number}"),
            new CommissionEvent.PaidOut($"tr_{number}", price, new Money(0, "EUR"), freelancer),
        ];
    }

    private static Guid Id(int number, short of) => new(number, of, 0x7000, 0x80, 0, 0, 0, 0, 0, 0, 1);

    private static async Task<TimeSpan> Timed(Func<Task> work)
    {
        var began = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(began);
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
