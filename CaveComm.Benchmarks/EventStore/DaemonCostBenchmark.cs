using CaveComm.EventStore;

namespace CaveComm.Benchmarks.EventStore;

/// <summary>What a running daemon costs the writers, beyond folding itself: appends to a store whose daemon follows the log with a view that shows nothing of it, beside appends without a daemon.</summary>
public sealed class DaemonCostBenchmark : IBenchmark
{
    private const int Writers = 8;
    private int number;

    public string Name => $"append.{Writers}-writers-followed";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var alone = await MeterStore.Create(server, cancel);
        await using var followed = await MeterStore.Create(server, cancel);
        await using var daemon = followed.Store.BuildProjectionDaemon();
        await daemon.StartAllAsync();
        var (plain, ours, ratio) = await Measure.InTurns(
            rounds: 5, each: TimeSpan.FromSeconds(2), Writers, _ => () => Append(alone.Store, cancel), _ => () => Append(followed.Store, cancel));
        return
        [
            new($"{Name}.unfollowed", plain.PerSecond, "appends/s", plain.P50, plain.P99),
            new(Name, ours.PerSecond, "appends/s", ours.P50, ours.P99, Ratio: ratio),
        ];
    }

    private async Task Append(DocumentStore store, CancellationToken cancel)
    {
        var key = $"other/{Interlocked.Increment(ref number)}";
        await using var session = store.LightweightSession();
        session.Events.StartStream<MeterView>(key, new MeterChecked(key));
        await session.SaveChangesAsync(cancel);
    }
}
