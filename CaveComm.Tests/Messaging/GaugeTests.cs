using System.Diagnostics.Metrics;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>How full the tables are, for whoever operates this.</summary>
public class GaugeTests
{
    [Fact]
    public async Task Depth_age_and_dead_letters_are_told_by_queue_state_and_type()
    {
        await using var world = await MessagingWorld.Create();
        var clock = new SteppingClock();
        world.Journal.When<Ping>((_, _) => throw new ArgumentException("No."));
        var node = await world.StartNode(options => options.OnException<ArgumentException>(e => new FailureAction.DeadLetter(e.Message)), clock);
        await node.Publish(new Ping("dies"));
        await node.Publish(new Confirm("later", 1), new DeliveryOptions { ScheduleDelay = TimeSpan.FromHours(1) });
        await Eventually.Holds("it died", async () => (await node.Messages.Count(CancellationToken.None)).Dead == 1);
        await node.Stop();
        clock.Advance(TimeSpan.FromHours(3));

        var told = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, it) =>
        {
            if (instrument.Meter.Name == MessagingDiagnostics.Name)
            {
                it.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();
        await using var scope = node.Scope();
        await scope.ServiceProvider.GetRequiredService<MessageGauges>().Look(CancellationToken.None);

        // Other nodes of this process tell their own figures under the same names.
        listener.RecordObservableInstruments();
        lock (told)
        {
            told["cavecomm.messages.depth default due"].ShouldBeGreaterThanOrEqualTo(1);
            told["cavecomm.messages.oldest_due default"].ShouldBeGreaterThanOrEqualTo(7_199);
            told["cavecomm.messages.dead_letters ping"].ShouldBeGreaterThanOrEqualTo(1);
        }

        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var name = instrument.Name;
            foreach (var tag in tags)
            {
                name += $" {tag.Value}";
            }

            lock (told)
            {
                told[name] = Math.Max(value, told.GetValueOrDefault(name));
            }
        }
    }
}
