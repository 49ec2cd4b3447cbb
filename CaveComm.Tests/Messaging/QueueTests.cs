using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>W4: nobody starves.</summary>
public class QueueTests
{
    [Fact]
    public async Task A_handler_that_hangs_does_not_stop_others()
    {
        await using var world = await MessagingWorld.Create();
        world.Journal.When<Ping>((ping, _, cancel) => ping.Text == "hang" ? Task.Delay(Timeout.Infinite, cancel) : Task.CompletedTask);
        var node = await world.StartNode();

        await node.Publish(new Ping("hang"));
        await Task.WhenAll(Enumerable.Range(0, 100).Select(number => node.Publish(new Ping($"{number}"))));
        await Eventually.Holds("the others run", () => world.Journal.Seen<Ping>().Count() == 101);
        await Eventually.Holds("only the hanging one is left", async () => await world.Stored() == 1);
    }

    [Fact]
    public async Task A_handler_that_takes_too_long_is_cancelled_and_tried_again()
    {
        await using var world = await MessagingWorld.Create();
        world.Journal.When<Ping>((_, envelope, cancel) => envelope.Attempt == 1 ? Task.Delay(Timeout.Infinite, cancel) : Task.CompletedTask);
        var node = await world.StartNode(options =>
        {
            options.HandlerTimeout = TimeSpan.FromMilliseconds(200);
            options.Backoff = [TimeSpan.FromMilliseconds(20)];
        });

        await node.Publish(new Ping("slow at first"));
        await Eventually.Holds("it is done", async () => world.Journal.Seen<Ping>().Count() == 2 && await world.Stored() == 0);
    }

    [Fact]
    public async Task A_slow_provider_has_its_own_limit_and_starves_nobody()
    {
        await using var world = await MessagingWorld.Create();
        using var goOn = new SemaphoreSlim(0);
        var side = 0;
        var most = 0;
        world.Journal.When<CallProvider>(async (_, _, cancel) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref side));
            await goOn.WaitAsync(cancel);
            Interlocked.Decrement(ref side);
        });
        var node = await world.StartNode(options =>
        {
            options.Queue("provider", parallel: 4);
            options.RouteTo<CallProvider>("provider");
        });

        await Task.WhenAll(Enumerable.Range(0, 300).Select(number => node.Publish(new CallProvider(number))));
        await Task.WhenAll(Enumerable.Range(0, 50).Select(number => node.Publish(new Ping($"{number}"))));
        await Eventually.Holds("the others run", () => world.Journal.Seen<Ping>().Count() == 50);
        await Eventually.Holds("the limit is reached", () => side == 4);
        goOn.Release(1000);
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        most.ShouldBe(4);
        world.Journal.Seen<CallProvider>().Select(call => call.Number).Order().ShouldBe(Enumerable.Range(0, 300));
    }

    [Fact]
    public async Task A_queue_that_only_fails_is_left_alone_for_a_while()
    {
        await using var world = await MessagingWorld.Create();
        var down = true;
        world.Journal.When<CallProvider>((_, _) =>
        {
            if (down)
            {
                throw new HttpRequestException("Down.");
            }
        });
        var node = await world.StartNode(options =>
        {
            options.Queue("provider", parallel: 1).BreakAfter(failures: 3, pause: TimeSpan.FromSeconds(1));
            options.RouteTo<CallProvider>("provider");
            options.Backoff = [TimeSpan.FromMilliseconds(1)];
        });

        await Task.WhenAll(Enumerable.Range(0, 20).Select(number => node.Publish(new CallProvider(number))));
        await Eventually.Holds("it was tried", () => world.Journal.Seen<CallProvider>().Count() >= 3);
        await node.Publish(new Ping("meanwhile"));
        await Eventually.Holds("others run", () => world.Journal.Seen<Ping>().Any());
        world.Journal.Seen<CallProvider>().Count().ShouldBeLessThan(6);

        down = false;
        await Eventually.Holds("all is done", async () => await world.Stored() == 0);
    }

    [Fact]
    public async Task A_queue_that_is_no_more_loses_nothing()
    {
        await using var world = await MessagingWorld.Create();
        await world.StartNode();
        var before = world.Node(options =>
        {
            options.Queue("provider", parallel: 4);
            options.RouteTo<CallProvider>("provider");
        });
        await before.Publish(new CallProvider(1));

        var after = await world.StartNode(options => options.Timings = MessagingWorld.Fast with { Maintenance = TimeSpan.FromMilliseconds(200) });
        await after.Messages.WaitForIdle(MessagingWorld.Patience);
        world.Journal.Seen<CallProvider>().ShouldBe([new CallProvider(1)]);
    }
}
