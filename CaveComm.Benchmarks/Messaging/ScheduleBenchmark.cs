using System.Diagnostics;
using CaveComm.Messaging;

namespace CaveComm.Benchmarks.Messaging;

/// <summary>How late scheduled messages come when little else happens.</summary>
public sealed class ScheduleBenchmark : IBenchmark
{
    private const int Messages = 400;

    public string Name => "messages.scheduled-lateness";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var database = await server.NewDatabase(cancel);
        var mailbox = new Mailbox();
        await using var office = new PostOffice(database.ConnectionString, mailbox);
        await office.Start(cancel);

        var began = Stopwatch.GetTimestamp();
        var start = DateTimeOffset.UtcNow;
        var random = new Random(7);
        var rings = new List<(double DueMilliseconds, Task<long> Arrival)>();
        for (var number = 0; number < Messages; number++)
        {
            var due = 3_000 + (random.NextDouble() * 10_000);
            rings.Add((due, mailbox.Await(number)));
            await office.Publish(new Post(number, "ring"), new DeliveryOptions { ScheduledTime = start.AddMilliseconds(due) });
        }

        var late = new List<double>();
        foreach (var (due, arrival) in rings)
        {
            late.Add(Stopwatch.GetElapsedTime(began, await arrival.WaitAsync(TimeSpan.FromSeconds(60), cancel)).TotalMilliseconds - due);
        }

        return [new(Name, Measure.Percentile(late, 0.99), "ms", Measure.Percentile(late, 0.5), Measure.Percentile(late, 0.99), Limit: 250)];
    }
}
