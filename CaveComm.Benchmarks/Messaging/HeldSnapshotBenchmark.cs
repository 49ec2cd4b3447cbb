using System.Data;
using System.Diagnostics;
using CaveComm.Messaging;
using Npgsql;

namespace CaveComm.Benchmarks.Messaging;

/// <summary>800 messages a second, half of them in 100 groups, first undisturbed and then while another connection holds a snapshot open.</summary>
/// <remarks>Twenty seconds; <c>CAVECOMM_BENCH_SNAPSHOT_SECONDS</c> says otherwise, such as 120.</remarks>
public sealed class HeldSnapshotBenchmark : IBenchmark
{
    private const int PerSecond = 800;
    private const int Beats = 100;
    private const string TableSize = "select pg_total_relation_size('cavecomm_messages') / 1048576.0";

    private static readonly int Seconds = int.TryParse(Environment.GetEnvironmentVariable("CAVECOMM_BENCH_SNAPSHOT_SECONDS"), out var given) ? given : 20;

    private long number;

    public string Name => "messages.held-snapshot";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var database = await server.NewDatabase(cancel);
        var mailbox = new Mailbox();
        await using var office = new PostOffice(database.ConnectionString, mailbox);
        await office.Start(cancel);
        await using var holder = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString);
        await holder.OpenAsync(cancel);

        await Task.WhenAll(Enumerable.Range(0, PerSecond).Select(_ => Send(office, mailbox))); // Not counted: code is compiled, statements are prepared.
        var calm = await Run(office, mailbox, cancel);
        var sizeBefore = await Size(holder, null, cancel);
        (double Rate, List<double> Took) held;
        await using (var snapshot = await holder.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancel))
        {
            await Size(holder, snapshot, cancel); // The first query takes the snapshot.
            held = await Run(office, mailbox, cancel);
        }

        var sizeAfter = await Size(holder, null, cancel);
        return
        [
            new($"{Name}.calm", calm.Rate, "msg/s", Measure.Percentile(calm.Took, 0.5), Measure.Percentile(calm.Took, 0.99)),
            new($"{Name}.size-before", sizeBefore, "MB"),
            new(Name, held.Rate, "msg/s", Measure.Percentile(held.Took, 0.5), Measure.Percentile(held.Took, 0.99)),
            new($"{Name}.size-after", sizeAfter, "MB"),
        ];
    }

    /// <returns>Messages handled in a second, and milliseconds from commit to handler.</returns>
    private async Task<(double Rate, List<double> Took)> Run(PostOffice office, Mailbox mailbox, CancellationToken cancel)
    {
        var before = mailbox.Count;
        var began = Stopwatch.GetTimestamp();
        using var beat = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / Beats));
        var under = new List<Task<double>>();
        for (var i = 0; i < Seconds * Beats; i++)
        {
            await beat.WaitForNextTickAsync(cancel);
            under.AddRange(Enumerable.Range(0, PerSecond / Beats).Select(_ => Task.Run(() => Send(office, mailbox), cancel)));
        }

        var took = await Task.WhenAll(under).WaitAsync(TimeSpan.FromSeconds(60), cancel);
        return ((mailbox.Count - before) / Stopwatch.GetElapsedTime(began).TotalSeconds, [.. took]);
    }

    private async Task<double> Send(PostOffice office, Mailbox mailbox)
    {
        var mine = Interlocked.Increment(ref number);
        var arrival = mailbox.Await(mine);
        await office.Publish(new Post(mine, "while somebody looks back"), mine % 2 == 0 ? new DeliveryOptions { GroupId = $"group-{mine % 200}" } : null);
        var committed = Stopwatch.GetTimestamp();
        return Math.Max(0, Stopwatch.GetElapsedTime(committed, await arrival).TotalMilliseconds);
    }

    private static async Task<double> Size(NpgsqlConnection connection, NpgsqlTransaction? transaction, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(TableSize, connection, transaction);
        return (double)(decimal)(await command.ExecuteScalarAsync(cancel))!;
    }
}
