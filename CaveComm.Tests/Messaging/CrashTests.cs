using System.Diagnostics;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>W1 and W5: a node that is killed between any two steps neither loses nor doubles what the database holds.</summary>
public class CrashTests
{
    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    [InlineData(3, true)]
    public async Task A_kill_between_two_steps_leaves_the_effects_exactly_once(int step, bool grouped)
    {
        await using var world = await MessagingWorld.Create();
        TestNode? first = null;
        first = await world.StartNode(options =>
        {
            options.Timings = MessagingWorld.Watchful;
            options.Probe = async (reached, _) =>
            {
                if ((int)reached == step && !first!.Kernel.IsKilled)
                {
                    first.Kill();
                    await Task.FromCanceled(new CancellationToken(true));
                }
            };
        });
        await first.Publish(new Book("work", 1), grouped ? new DeliveryOptions { GroupId = "work" } : null);
        if (!(grouped && step == 0)) // A grouped message is never handed over from memory.
        {
            await Eventually.Holds("the first node dies", () => first.Kernel.IsKilled);
        }

        var second = await world.StartNode(options => options.Timings = MessagingWorld.Watchful);
        first.Kill();
        await second.Messages.WaitForIdle(MessagingWorld.Patience);

        (await world.BookedIn("work")).ShouldBe([1]);
        (await world.BookedIn("work/confirmed")).ShouldBe([1]);
    }

    [Fact]
    public async Task A_node_that_lost_its_message_while_it_worked_commits_nothing()
    {
        await using var world = await MessagingWorld.Create();
        using var inHand = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        world.Journal.When<Book>(async (_, _, cancel) =>
        {
            inHand.Release();
            await goOn.WaitAsync(cancel);
        });

        // One worker: when it has run the next message, it is done with this one.
        var node = await world.StartNode(options => options.Queue(MessagingOptions.DefaultQueue, parallel: 1));
        await node.Publish(new Book("work", 1));
        await inHand.WaitAsync(MessagingWorld.Patience);

        // As another node would, once the lease ran out; this one will not give it back.
        await world.Database.Execute("update cavecomm_messages set owner = gen_random_uuid(), claims = claims + 1, locked_until = now() + interval '1 hour'");
        goOn.Release();
        await node.Publish(new Ping("after"));
        await Eventually.Holds("the worker goes on", () => world.Journal.Seen<Ping>().Any());

        (await world.BookedIn("work")).ShouldBeEmpty();
        (await world.Stored()).ShouldBe(1);
    }

    [Fact]
    public async Task A_long_handler_keeps_its_message()
    {
        await using var world = await MessagingWorld.Create();
        static void ShortLease(MessagingOptions options) => options.Timings = MessagingWorld.Fast with { Lease = TimeSpan.FromSeconds(3) };
        world.Journal.When<Book>((_, _, cancel) => Task.Delay(TimeSpan.FromSeconds(7), cancel));
        var node = await world.StartNode(ShortLease);
        await world.StartNode(ShortLease);

        await node.Publish(new Book("work", 1));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        (await world.BookedIn("work")).ShouldBe([1]);
        world.Journal.Seen<Book>().Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_graceful_stop_finishes_what_runs_and_returns_the_rest_at_once()
    {
        await using var world = await MessagingWorld.Create();
        using var inHand = new SemaphoreSlim(0);
        var slow = new Journal().When<Book>(async (_, _, cancel) =>
        {
            inHand.Release();
            await Task.Delay(TimeSpan.FromMilliseconds(500), cancel);
        });
        void Narrow(MessagingOptions options)
        {
            options.Queue(MessagingOptions.DefaultQueue, parallel: 1);
            options.Timings = new MessagingTimings();
        }

        var first = await world.StartNode(Narrow, journal: slow);
        for (var number = 1; number <= 5; number++)
        {
            await first.Publish(new Book("work", number));
        }

        await inHand.WaitAsync(MessagingWorld.Patience);
        await first.Stop();
        (await world.BookedIn("work")).Length.ShouldBe(1);

        var second = await world.StartNode(Narrow);
        var began = Stopwatch.StartNew();
        await second.Messages.WaitForIdle(MessagingWorld.Patience);
        began.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(7)); // Well before the dead are noticed or a lease runs out.
        (await world.BookedIn("work")).Order().ShouldBe([1, 2, 3, 4, 5]);
    }

    [Fact]
    public async Task A_handler_that_does_not_end_with_the_node_is_fenced_off_and_runs_elsewhere()
    {
        await using var world = await MessagingWorld.Create();
        using var inHand = new SemaphoreSlim(0);
        var released = new TaskCompletionSource();
        var deaf = new Journal().When<Book>(async (_, _, _) =>
        {
            inHand.Release();
            await released.Task;
        });
        var first = await world.StartNode(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(100), journal: deaf);
        await first.Publish(new Book("work", 1));
        await inHand.WaitAsync(MessagingWorld.Patience);
        await first.Stop();

        var second = await world.StartNode();
        await second.Messages.WaitForIdle(MessagingWorld.Patience);
        released.SetResult();
        await second.Publish(new Book("work", 2));
        await second.Messages.WaitForIdle(MessagingWorld.Patience);

        (await world.BookedIn("work")).ShouldBe([1, 2]);
    }
}
