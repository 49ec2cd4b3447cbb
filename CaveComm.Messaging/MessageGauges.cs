using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.Messaging;

/// <summary>How full the tables are, as gauges. One look now and then serves all of them, and none is taken while nobody listens.</summary>
/// <remarks>The tables are everybody's, so every node tells the same figures: take the largest of the nodes', not the sum.</remarks>
internal sealed class MessageGauges : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Stale = TimeSpan.FromMinutes(1);

    private readonly MessageReading reading;
    private readonly TimeProvider clock;
    private readonly ILogger<MessageGauges> log;
    private readonly Meter meter = new(MessagingDiagnostics.Name);
    private readonly ObservableGauge<long> depth;
    private readonly ObservableGauge<double> oldest;
    private readonly ObservableGauge<long> dead;
    private volatile Sample? last;

    public MessageGauges(MessageReading reading, TimeProvider clock, ILogger<MessageGauges> log)
    {
        this.reading = reading;
        this.clock = clock;
        this.log = log;
        depth = meter.CreateObservableGauge(
            "cavecomm.messages.depth",
            () => Tell(it => it.Queues.Select(queue => new Measurement<long>(queue.Count, new("queue", queue.Queue), new("state", queue.State.ToString().ToLowerInvariant())))),
            description: "Stored messages by queue and state.");
        oldest = meter.CreateObservableGauge(
            "cavecomm.messages.oldest_due",
            () => Tell(it => it.Queues.GroupBy(queue => queue.Queue).Select(queue => new Measurement<double>(queue.Max(of => of.OldestDueAge).TotalSeconds, new KeyValuePair<string, object?>("queue", queue.Key)))),
            "s",
            "How long the oldest message of a queue has been due.");
        dead = meter.CreateObservableGauge(
            "cavecomm.messages.dead_letters",
            () => Tell(it => it.DeadByType.Select(type => new Measurement<long>(type.Value, new KeyValuePair<string, object?>("type", type.Key)))),
            description: "Dead letters that wait for a person, by type.");
    }

    /// <summary>Looks at the tables, if anybody wants to know.</summary>
    public async Task Look(CancellationToken cancel)
    {
        if (depth.Enabled || oldest.Enabled || dead.Enabled)
        {
            last = new Sample(await reading.Measure(cancel), clock.GetTimestamp());
        }
    }

    public override void Dispose()
    {
        meter.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var tick = new PeriodicTimer(Every, clock);
        do
        {
            try
            {
                await Look(stoppingToken);
            }
            catch (Exception down) when (down is NpgsqlException or TimeoutException)
            {
                log.LogWarning(down, "The tables of messages could not be measured");
            }
        }
        while (await tick.WaitForNextTickAsync(stoppingToken));
    }

    // Old figures are worse than none.
    private IEnumerable<Measurement<T>> Tell<T>(Func<MessageFigures, IEnumerable<Measurement<T>>> read)
        where T : struct => last is { } sample && clock.GetElapsedTime(sample.At) < Stale ? read(sample.Figures) : [];

    private sealed record Sample(MessageFigures Figures, long At);
}
