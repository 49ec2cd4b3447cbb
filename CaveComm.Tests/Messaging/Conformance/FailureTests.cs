using System.Collections.Concurrent;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>W3: handlers that hang, that always fail, and that fail until noon.</summary>
public class FailureTests
{
    [Fact]
    public async Task A_handler_that_is_deaf_to_its_token_is_left_behind_and_can_do_no_harm_when_it_wakes_up()
    {
        await using var world = await MessagingWorld.Create();
        var asleep = new TaskCompletionSource();
        world.Journal.When<Step>((step, envelope, _) => step.Number == 1 && envelope.Attempt == 1 ? asleep.Task : Task.CompletedTask);
        var node = await world.StartNode(options =>
        {
            options.Queue(MessagingOptions.DefaultQueue, parallel: 1); // The worker that waited for it must go on.
            options.HandlerTimeout = TimeSpan.FromMilliseconds(300);
            options.Timings = MessagingWorld.Fast with { Grace = TimeSpan.FromMilliseconds(300), Lease = TimeSpan.FromSeconds(1) };
            options.Backoff = [TimeSpan.FromMilliseconds(20)];
        });

        await node.Publish(new Step("group", 1));
        await node.Publish(new Step("group", 2));
        await node.Publish(new Ping("other"));
        await Eventually.Holds("all is done", async () => await world.Stored() == 0);
        asleep.SetResult();
        await node.Publish(new Step("group", 3));
        await Eventually.Holds("it goes on", async () => await world.Stored() == 0);

        (await world.BookedIn("group")).ShouldBe([1, 2, 3]);
        world.Journal.EnvelopesOf<Step>().Select(envelope => envelope.Attempt).ShouldBe([1, 2, 1, 1]);
        world.Journal.Seen<Ping>().Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_handler_that_always_fails_leaves_a_dead_letter_with_its_whole_story_and_its_group_goes_on()
    {
        await using var world = await MessagingWorld.Create();
        world.Journal.When<Step>((step, envelope) =>
        {
            if (step.Number == 2)
            {
                throw new HttpRequestException($"Attempt {envelope.Attempt} failed.");
            }
        });
        var node = await world.StartNode(options =>
        {
            options.MaxAttempts = 5;
            options.Backoff = [TimeSpan.FromMilliseconds(5)];
        });
        for (var number = 1; number <= 4; number++)
        {
            await node.Publish(new Step("group", number));
        }

        await Eventually.Holds("nothing is left", async () => await world.Stored() == 0);

        (await world.BookedIn("group")).ShouldBe([1, 3, 4]);
        world.Journal.Seen<Step>().Select(step => step.Number).ShouldBe([1, 2, 2, 2, 2, 2, 3, 4]); // In order: the group waited for each retry.
        var letter = (await node.Messages.ListDeadLetters(10, null, CancellationToken.None)).ShouldHaveSingleItem();
        letter.Body.ShouldBe("""{"group": "group", "number": 2}""");
        letter.GroupId.ShouldBe("group");
        letter.Attempts.ShouldBe(5);
        letter.Errors.Select(error => (error.Attempt, error.Message)).ShouldBe(Enumerable.Range(1, 5).Select(attempt => (attempt, $"Attempt {attempt} failed.")));
        letter.Errors.Select(error => error.At).ShouldBeInOrder();
        letter.Errors.ShouldAllBe(error => error.Type == typeof(HttpRequestException).FullName);
        letter.TraceId.ShouldBe(world.Journal.Calls.First(call => call.Message is Step { Number: 2 }).Envelope.TraceParent.Split('-')[1]);
        letter.TraceId.Length.ShouldBe(32);
    }

    [Fact]
    public async Task A_handler_that_fails_until_noon_has_done_its_work_soon_after_and_held_up_only_its_own_group()
    {
        await using var world = await MessagingWorld.Create();
        var clock = new SteppingClock();
        clock.Advance(TimeSpan.FromHours(-6));
        var noon = clock.GetUtcNow().AddHours(6);
        var tries = new ConcurrentQueue<DateTimeOffset>();
        world.Journal.When<Step>((step, _) =>
        {
            if (step is { Group: "a", Number: 1 })
            {
                tries.Enqueue(clock.GetUtcNow());
                if (clock.GetUtcNow() < noon)
                {
                    throw new HttpRequestException("Closed until noon.");
                }
            }
        });
        var node = await world.StartNode(clock: clock); // With the product's own pauses.
        await node.Publish(new Step("a", 1));
        await node.Publish(new Step("a", 2));
        await node.Publish(new Step("b", 1));
        await Eventually.Holds("others run", async () => (await world.BookedIn("b")).Length == 1);

        var seen = 0;
        while ((await world.BookedIn("a")).Length == 0)
        {
            await Eventually.Holds("it is tried and waits, or is done", async () =>
                tries.Count > seen && await world.Database.Scalar<bool>("select not exists (select from cavecomm_messages where owner is not null and attempts > 0)"));
            seen = tries.Count;
            if (tries.Last() < noon)
            {
                var due = await world.Database.Scalar<DateTime>("select min(due_at) from cavecomm_messages where attempts > 0");
                due.ShouldBeGreaterThan(clock.GetUtcNow().UtcDateTime);
                clock.Advance(due - clock.GetUtcNow().UtcDateTime + TimeSpan.FromMilliseconds(1));
            }
        }

        await Eventually.Holds("all is done", async () => await world.Stored() == 0);
        (await world.BookedIn("a")).ShouldBe([1, 2]);
        tries.Count(time => time >= noon).ShouldBe(1);
        tries.Last().ShouldBeLessThan(noon + TimeSpan.FromHours(1.3)); // The longest pause with what it is spread by.
        tries.Count.ShouldBeLessThan(20); // No storm against a door that is closed.
        (await node.Messages.Count(CancellationToken.None)).Dead.ShouldBe(0);
    }
}
