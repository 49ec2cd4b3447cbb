using System.Collections.Concurrent;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>The clock of a node is set back, or is not that of its neighbour.</summary>
public class ClockTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task A_clock_set_back_an_hour_runs_nothing_twice_and_keeps_nothing_waiting_that_is_due()
    {
        await using var world = await MessagingWorld.Create();
        var clock = new SteppingClock();
        using var inHand = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        world.Journal.When<Step>(async (step, _, cancel) =>
        {
            if (step.Number == 1)
            {
                inHand.Release();
                await goOn.WaitAsync(cancel);
            }
        });
        world.Journal.When<Ping>((ping, envelope) =>
        {
            if (ping.Text == "fails once" && envelope.Attempt == 1)
            {
                throw new HttpRequestException("Later.");
            }
        });
        void Narrow(MessagingOptions options)
        {
            options.Queue(MessagingOptions.DefaultQueue, parallel: 1);
            options.Timings = MessagingWorld.Fast with { Lease = TimeSpan.FromSeconds(2), Maintenance = TimeSpan.FromMilliseconds(100) };
            options.Backoff = [TimeSpan.FromSeconds(10)];
        }

        var node = await world.StartNode(Narrow, clock);
        var publisher = world.Node(clock: clock);
        await node.Publish(new Ping("fails once"));
        await Eventually.Holds("it waits for its retry", async () => await world.Database.Scalar<bool>("select exists (select from cavecomm_messages where attempts = 1)"));
        await node.Publish(new Ping("scheduled"), new DeliveryOptions { ScheduledTime = clock.GetUtcNow().AddMinutes(30) });
        await node.Publish(new Step("group", 1));
        (await inHand.WaitAsync(MessagingWorld.Patience)).ShouldBeTrue();

        // The only worker is busy, so these lie in the table, published at a time that is yet to come when the clock has jumped.
        await node.Publish(new Step("group", 2));
        await publisher.Publish(new Ping("waits for a worker"));
        clock.Advance(-Hour);
        await node.Publish(new Step("group", 3));
        await node.Publish(new Ping("scheduled after"), new DeliveryOptions { ScheduleDelay = TimeSpan.FromMinutes(1) });
        await Eventually.Holds("the lease was renewed since", async () => await world.Database.Scalar<bool>(
            "select exists (select from cavecomm_messages where claims > 0 and locked_until > created_at + interval '4 seconds')"));
        goOn.Release();

        await Eventually.Holds("all that is due has run", () => world.Journal.Seen<Step>().Count() == 3 && Texts(world).Contains("waits for a worker"));
        clock.Advance(TimeSpan.FromSeconds(15));
        await Eventually.Holds("the retry has waited its pause and no hour", () => Texts(world).Count(text => text == "fails once") == 2);
        clock.Advance(TimeSpan.FromMinutes(1));
        await Eventually.Holds("what was scheduled after the jump has run", () => Texts(world).Contains("scheduled after"));
        Texts(world).ShouldNotContain("scheduled");
        clock.Advance(TimeSpan.FromMinutes(88));
        await Eventually.Holds("nothing is due", async () => (await node.Messages.Count(CancellationToken.None)).Due == 0);
        Texts(world).ShouldNotContain("scheduled"); // Its time is 12:30, and the clock says 12:29:15.
        clock.Advance(TimeSpan.FromMinutes(1));
        await Eventually.Holds("all is done", async () => await world.Stored() == 0);

        (await world.BookedIn("group")).ShouldBe([1, 2, 3]);
        world.Journal.Seen<Step>().Select(step => step.Number).ShouldBe([1, 2, 3]);
        Texts(world).Order().ShouldBe(["fails once", "fails once", "scheduled", "scheduled after", "waits for a worker"]);
    }

    [Fact]
    public async Task A_node_whose_clock_is_behind_runs_at_once_what_a_neighbour_publishes()
    {
        await using var world = await MessagingWorld.Create();
        var (early, late) = (new SteppingClock(), new SteppingClock());
        late.Advance(-Hour);
        var node = await world.StartNode(clock: late);
        var publisher = world.Node(clock: early);

        await publisher.Publish(new Ping("plain"));
        await publisher.Publish(new Step("group", 1));
        await publisher.Publish(new Step("group", 2));
        await Eventually.Holds("all is done", async () => await world.Stored() == 0);

        (await world.BookedIn("group")).ShouldBe([1, 2]);
        world.Journal.Seen<Ping>().Count().ShouldBe(1);
        (await node.Messages.Count(CancellationToken.None)).Dead.ShouldBe(0);
    }

    [Fact]
    public async Task A_clock_that_leaps_to_and_fro_runs_each_scheduled_message_once()
    {
        await using var world = await MessagingWorld.Create();
        var clock = new SteppingClock();
        var began = clock.GetUtcNow();
        var early = new ConcurrentQueue<string>();
        world.Journal.When<Ping>((ping, envelope) =>
        {
            if (clock.GetUtcNow() < began + TimeSpan.FromMinutes(int.Parse(ping.Text, System.Globalization.CultureInfo.InvariantCulture)))
            {
                early.Enqueue(ping.Text);
            }
        });
        var node = await world.StartNode(clock: clock);
        await world.StartNode(clock: clock);
        for (var minute = 1; minute <= 60; minute++)
        {
            await node.Publish(new Ping($"{minute}"), new DeliveryOptions { ScheduledTime = began.AddMinutes(minute) });
        }

        for (var minute = 10; minute <= 60; minute += 10)
        {
            clock.Advance(TimeSpan.FromMinutes(10));
            await Eventually.Holds("what is due has run", () => Texts(world).Count >= minute);
            if (minute == 30)
            {
                clock.Advance(-Hour);
                await node.Publish(new Step("group", 1));
                await Eventually.Holds("others run", () => world.Journal.Seen<Step>().Any());
                clock.Advance(Hour);
            }
        }

        await Eventually.Holds("all is done", async () => await world.Stored() == 0);
        Texts(world).Order().ShouldBe(Enumerable.Range(1, 60).Select(minute => $"{minute}").Order());
        early.ShouldBeEmpty();
    }

    private static List<string> Texts(MessagingWorld world) => [.. world.Journal.Seen<Ping>().Select(ping => ping.Text)];
}
