using System.Diagnostics;

namespace CaveComm.Benchmarks.Messaging;

/// <summary>Measures how fast a given amount of work is done, where there is nobody who asks for the next piece.</summary>
internal static class Rounds
{
    private const int Count = 5;

    /// <summary>Both in turns; the first round is not counted.</summary>
    /// <returns>Medians of the rates, and of the ratios.</returns>
    public static async Task<(double Plain, double Ours, double Ratio)> InTurns(int pieces, Func<Task<Func<Task>>> plain, Func<Task<Func<Task>>> ours)
    {
        var (plainRates, oursRates) = (new List<double>(), new List<double>());
        for (var round = 0; round <= Count; round++)
        {
            var (theirs, our) = round % 2 == 0 ? (await Rate(plain), await Rate(ours)) : Swap(await Rate(ours), await Rate(plain));
            if (round > 0)
            {
                plainRates.Add(theirs);
                oursRates.Add(our);
            }
        }

        return (Median(plainRates), Median(oursRates), Median([.. plainRates.Zip(oursRates, (theirs, our) => our / theirs)]));

        async Task<double> Rate(Func<Task<Func<Task>>> prepare)
        {
            var work = await prepare();
            var began = Stopwatch.GetTimestamp();
            await work();
            return pieces / Stopwatch.GetElapsedTime(began).TotalSeconds;
        }
    }

    private static (double, double) Swap(double ours, double plain) => (plain, ours);

    private static double Median(List<double> values) => Measure.Percentile(values, 0.5);
}
