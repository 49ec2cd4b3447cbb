using System.Diagnostics;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>W7: a message does not wait for a poll, on the node that publishes it or on another. How fast it is, the benchmarks say.</summary>
public class PickUpTests
{
    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task A_message_is_picked_up_long_before_anybody_polls(bool here, bool grouped)
    {
        await using var world = await MessagingWorld.Create();
        static void NeverPoll(MessagingOptions options) => options.Timings = MessagingWorld.Fast with { Poll = TimeSpan.FromHours(1) };
        var node = await world.StartNode(NeverPoll);
        var publisher = here ? node : world.Node();
        var waits = new List<TimeSpan>();
        for (var number = 1; number <= 25; number++)
        {
            var published = Stopwatch.GetTimestamp();
            var seen = 0L;
            world.Journal.When<Ping>((_, _) => seen = Stopwatch.GetTimestamp());
            await publisher.Publish(new Ping($"{number}"), grouped ? new DeliveryOptions { GroupId = $"group-{number % 3}" } : null);
            await Eventually.Holds("it is done", async () => await world.Stored() == 0);
            waits.Add(Stopwatch.GetElapsedTime(published, seen));
        }

        world.Journal.Seen<Ping>().Select(ping => ping.Text).ShouldBe(Enumerable.Range(1, 25).Select(number => $"{number}"));
        waits.Order().ElementAt(waits.Count / 2).ShouldBeLessThan(TimeSpan.FromMilliseconds(250));
    }
}
