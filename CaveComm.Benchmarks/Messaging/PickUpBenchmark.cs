using System.Diagnostics;
using CaveComm.Messaging;

namespace CaveComm.Benchmarks.Messaging;

/// <summary>From the commit of a message to its handler, at 50 a second.</summary>
/// <param name="elsewhere">Published by a process that runs no handlers.</param>
/// <param name="grouped">Each with a group key, ten of them in turn.</param>
public sealed class PickUpBenchmark(bool elsewhere, bool grouped) : IBenchmark
{
    public string Name => (elsewhere ? "messages.pick-up-elsewhere" : "messages.pick-up") + (grouped ? "-grouped" : "");

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var database = await server.NewDatabase(cancel);
        var mailbox = new Mailbox();
        await using var worker = new PostOffice(database.ConnectionString, mailbox);
        await worker.Start(cancel);
        await using var stranger = new PostOffice(database.ConnectionString, mailbox);
        var publisher = elsewhere ? stranger : worker;

        var took = new List<double>();
        using var beat = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var number = 0; number < 600; number++)
        {
            await beat.WaitForNextTickAsync(cancel);
            var arrival = mailbox.Await(number);
            await publisher.Publish(new Post(number, "hello"), grouped ? new DeliveryOptions { GroupId = $"group-{number % 10}" } : null);
            var committed = Stopwatch.GetTimestamp();
            var waited = Math.Max(0, Stopwatch.GetElapsedTime(committed, await arrival).TotalMilliseconds);
            if (number >= 100) // Not counted before: code is compiled and statements are prepared.
            {
                took.Add(waited);
            }
        }

        return [new(Name, Measure.Percentile(took, 0.5), "ms", Measure.Percentile(took, 0.5), Measure.Percentile(took, 0.99), Limit: elsewhere ? 10 : 2)];
    }
}
