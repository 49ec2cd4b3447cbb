using System.Diagnostics;
using CaveComm.EventStore;

namespace CaveComm.Benchmarks.EventStore;

/// <summary>From a commit to the view that shows it, at 50 events a second.</summary>
public sealed class CommitToViewBenchmark : IBenchmark
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(20);

    public string Name => "commit-to-view.50-per-second";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var meters = await MeterStore.Create(server, cancel);
        await using var daemon = meters.Store.BuildProjectionDaemon();
        await daemon.StartAllAsync();
        await One(meters.Store, daemon, 0, cancel);

        var took = new List<double>();
        using var beat = new PeriodicTimer(Every);
        for (var i = 0; i < 600; i++)
        {
            await beat.WaitForNextTickAsync(cancel);
            var one = await One(meters.Store, daemon, i, cancel);
            if (i >= 100) // Not counted before: code is compiled and statements are prepared.
                took.Add(one);
        }

        return
        [
            new(Name, Measure.Percentile(took, 0.5), "ms", Measure.Percentile(took, 0.5), Measure.Percentile(took, 0.99), Limit: 3),
        ];
    }

    private static async Task<double> One(DocumentStore store, ProjectionDaemon daemon, int number, CancellationToken cancel)
    {
        await using var session = store.LightweightSession();
        var appended = session.Events.Append($"meter/{number % 50}", MeterStore.Reading("m"));
        await session.SaveChangesAsync(cancel);
        var committed = Stopwatch.GetTimestamp();
        if (!await daemon.WaitForPosition<MeterView>(appended.Events[0].Sequence, TimeSpan.FromSeconds(30), cancel))
            throw new TimeoutException("The view stands still.");
        return Stopwatch.GetElapsedTime(committed).TotalMilliseconds;
    }
}
