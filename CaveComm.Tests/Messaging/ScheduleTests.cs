using System.Collections.Concurrent;
using System.Globalization;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>W2: scheduled messages.</summary>
public class ScheduleTests
{
    [Fact]
    public async Task A_scheduled_message_outlives_the_node_that_published_it()
    {
        await using var world = await MessagingWorld.Create();
        var clock = new SteppingClock();
        var first = await world.StartNode(clock: clock);
        await first.Publish(new Book("work", 1), new DeliveryOptions { ScheduledTime = clock.GetUtcNow().AddDays(14) });
        await first.Messages.WaitForIdle(MessagingWorld.Patience);
        first.Kill();
        (await world.BookedIn("work")).ShouldBeEmpty();

        clock.Advance(TimeSpan.FromDays(14));
        var second = await world.StartNode(clock: clock);
        await second.Messages.WaitForIdle(MessagingWorld.Patience);

        (await world.BookedIn("work")).ShouldBe([1]);
    }

    [Fact]
    public async Task It_is_not_run_before_it_is_due()
    {
        await using var world = await MessagingWorld.Create();
        var early = new ConcurrentQueue<TimeSpan>();
        var due = DateTimeOffset.UtcNow.AddMilliseconds(600);
        world.Journal.When<Ping>((_, _) => early.Enqueue(DateTimeOffset.UtcNow - due));
        var node = await world.StartNode();

        await node.Publish(new Ping("ring").ScheduledAt(due));
        await Eventually.Holds("it rings", () => !early.IsEmpty);

        early.ShouldHaveSingleItem().ShouldBeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(-1));
    }

    [Fact]
    public async Task A_node_wakes_for_the_next_due_message_long_before_it_would_poll()
    {
        await using var world = await MessagingWorld.Create();
        var lateness = new ConcurrentQueue<TimeSpan>();
        world.Journal.When<Ping>((ping, _) => lateness.Enqueue(DateTimeOffset.UtcNow - DateTimeOffset.Parse(ping.Text, CultureInfo.InvariantCulture)));
        var node = await world.StartNode(options => options.Timings = new MessagingTimings { Poll = TimeSpan.FromMinutes(10) });
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        foreach (var delay in (int[])[900, 300, 600])
        {
            var due = DateTimeOffset.UtcNow.AddMilliseconds(delay);
            await node.Publish(new Ping($"{due:O}").ScheduledAt(due));
        }

        await Eventually.Holds("all ring", () => lateness.Count == 3);
    }

    [Fact]
    public async Task It_runs_once_though_many_nodes_wake_for_it()
    {
        await using var world = await MessagingWorld.Create();
        TestNode[] nodes = [await world.StartNode(), await world.StartNode(), await world.StartNode()];

        await Task.WhenAll(Enumerable.Range(0, 100).Select(number => nodes[number % 3].Publish(new Ping($"{number}").DelayedFor(TimeSpan.FromMilliseconds(300)))));
        await Eventually.Holds("all is done", async () => await world.Stored() == 0);

        world.Journal.Seen<Ping>().Select(ping => ping.Text).Order().ShouldBe(Enumerable.Range(0, 100).Select(number => $"{number}").Order());
    }
}
