using System.Diagnostics;

namespace CaveComm.Benchmarks;

/// <summary>Measuring on a machine whose speed changes while it is measured.</summary>
public static class Measure
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);

    /// <summary>Operations of one way of doing a thing.</summary>
    public sealed record Rate(double PerSecond, IReadOnlyList<double> Milliseconds)
    {
        public double P50 => Percentile(Milliseconds, 0.50);

        public double P99 => Percentile(Milliseconds, 0.99);
    }

    /// <summary>Runs both in turns, so that noise meets both, and gives the medians and the median of the ratios.</summary>
    public static async Task<(Rate Plain, Rate Ours, double Ratio)> InTurns(
        int rounds, TimeSpan each, int writers, Func<int, Func<Task>> plain, Func<int, Func<Task>> ours)
    {
        var (plainWork, oursWork) = (Enumerable.Range(0, writers).Select(plain).ToArray(), Enumerable.Range(0, writers).Select(ours).ToArray());

        // Not counted: connections are opened, statements prepared, and code compiled, which beside two busy cores takes some seconds.
        await Round(plainWork, WarmUp);
        await Round(oursWork, WarmUp);
        var (plainRates, oursRates) = (new List<Rate>(), new List<Rate>());
        for (var round = 0; round < rounds; round++)
        {
            // Who goes first changes: the tables grow meanwhile.
            if (round % 2 == 0)
                plainRates.Add(await Round(plainWork, each));
            oursRates.Add(await Round(oursWork, each));
            if (round % 2 == 1)
                plainRates.Add(await Round(plainWork, each));
        }

        var ratios = plainRates.Zip(oursRates, (theirs, our) => our.PerSecond / theirs.PerSecond).ToList();
        return (Joined(plainRates), Joined(oursRates), Percentile(ratios, 0.5));
    }

    public static double Percentile(IReadOnlyList<double> values, double part)
    {
        if (values.Count == 0)
            return 0;
        var sorted = values.Order().ToList();
        return sorted[Math.Min(sorted.Count - 1, (int)(part * sorted.Count))];
    }

    private static async Task<Rate> Round(Func<Task>[] writers, TimeSpan time)
    {
        var began = Stopwatch.GetTimestamp();
        var took = await Task.WhenAll(writers.Select(write => Task.Run(async () =>
        {
            var each = new List<double>();
            while (Stopwatch.GetElapsedTime(began) < time)
            {
                var one = Stopwatch.GetTimestamp();
                await write();
                each.Add(Stopwatch.GetElapsedTime(one).TotalMilliseconds);
            }

            return each;
        })));
        var all = took.SelectMany(it => it).ToList();
        return new(all.Count / Stopwatch.GetElapsedTime(began).TotalSeconds, all);
    }

    private static Rate Joined(List<Rate> rates) =>
        new(Percentile([.. rates.Select(it => it.PerSecond)], 0.5), [.. rates.SelectMany(it => it.Milliseconds)]);
}
