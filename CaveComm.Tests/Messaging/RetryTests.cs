using System.Collections.Concurrent;
using System.Diagnostics;
using CaveComm.EventStore;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>W3: retries by kind of failure, and dead letters.</summary>
public class RetryTests
{
    private sealed class ThrottledException(TimeSpan retryAfter) : Exception("Too many requests.")
    {
        public TimeSpan RetryAfter { get; } = retryAfter;
    }

    private static void Quick(MessagingOptions options)
    {
        options.Backoff = [TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(40)];
        options.MaxAttempts = 4;
        options.OnException<ThrottledException>(e => new FailureAction.RetryAfter(e.RetryAfter));
        options.OnException<ArgumentException>(e => new FailureAction.DeadLetter(e.Message));
    }

    [Fact]
    public async Task A_passing_failure_is_retried_until_it_succeeds()
    {
        await using var world = await MessagingWorld.Create();
        world.Journal.When<Book>((_, envelope) => Fail(envelope.Attempt < 3, new HttpRequestException("Gone for a moment.")));
        var node = await world.StartNode(Quick);

        await node.Publish(new Book("work", 1));
        await Eventually.Holds("it succeeds", () => world.Journal.Seen<Book>().Count() == 3);
        await Eventually.Holds("all is done", async () => await world.Stored() == 0);

        world.Journal.EnvelopesOf<Book>().Select(envelope => envelope.Attempt).ShouldBe([1, 2, 3]);
        (await world.BookedIn("work")).ShouldBe([1]);
    }

    [Fact]
    public async Task A_lost_race_is_retried_at_once_with_a_fresh_session()
    {
        await using var world = await MessagingWorld.Create();
        world.Journal.When<Book>((_, envelope) => Fail(envelope.Attempt < 4, new ConcurrencyException("Somebody was first.")));
        var node = await world.StartNode(options => options.Backoff = [TimeSpan.FromHours(1)]);

        await node.Publish(new Book("work", 1));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        (await world.BookedIn("work")).ShouldBe([1]);
        world.Journal.Seen<Book>().Count().ShouldBe(4);
    }

    [Fact]
    public async Task A_throttled_call_waits_as_long_as_it_was_asked_to()
    {
        await using var world = await MessagingWorld.Create();
        var times = new ConcurrentQueue<long>();
        world.Journal.When<Ping>((_, envelope) =>
        {
            times.Enqueue(Stopwatch.GetTimestamp());
            Fail(envelope.Attempt == 1, new ThrottledException(TimeSpan.FromSeconds(1)));
        });
        var node = await world.StartNode(Quick);

        await node.Publish(new Ping("hello"));
        await Eventually.Holds("it is tried again", () => times.Count == 2);

        Stopwatch.GetElapsedTime(times.First(), times.Last()).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(990));
    }

    [Fact]
    public async Task A_permanent_failure_is_a_dead_letter_at_once()
    {
        await using var world = await MessagingWorld.Create();
        world.Journal.When<Ping>((_, _) => throw new ArgumentException("No such account."));
        var node = await world.StartNode(Quick);

        await node.Publish(new Ping("hello"));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        world.Journal.Seen<Ping>().Count().ShouldBe(1);
        (await node.Messages.ListDeadLetters(10, null, CancellationToken.None)).ShouldHaveSingleItem().Reason.ShouldBe("No such account.");
    }

    [Fact]
    public async Task A_dead_letter_keeps_body_trace_and_every_error_and_can_be_sent_again()
    {
        await using var world = await MessagingWorld.Create();
        var repaired = false;
        world.Journal.When<Ping>((_, envelope) => Fail(!repaired, new HttpRequestException($"Attempt {envelope.Attempt} failed.")));
        var node = await world.StartNode(Quick);

        await node.Publish(new Ping("hello"));
        await Eventually.Holds("it dies", async () => (await node.Messages.Count(CancellationToken.None)).Dead == 1);
        var letter = (await node.Messages.ListDeadLetters(10, null, CancellationToken.None)).ShouldHaveSingleItem();
        letter.MessageType.ShouldBe("ping");
        letter.Body.ShouldBe("""{"text": "hello"}""");
        letter.Attempts.ShouldBe(4);
        letter.Errors.Select(error => error.Message).ShouldBe([.. Enumerable.Range(1, 4).Select(attempt => $"Attempt {attempt} failed.")]);
        letter.Errors.Select(error => error.Attempt).ShouldBe([1, 2, 3, 4]);
        letter.Errors.ShouldAllBe(error => error.Type == typeof(HttpRequestException).FullName);
        letter.TraceId.ShouldBe(world.Journal.EnvelopesOf<Ping>().First().TraceParent.Split('-')[1]);

        // Not repaired yet: it dies again, keeps its history, and is not sent a third time by itself.
        (await node.Messages.Replay(letter.Id, CancellationToken.None)).ShouldBeTrue();
        await Eventually.Holds("it dies again", async () => (await node.Messages.Count(CancellationToken.None)).Dead == 1);
        letter = (await node.Messages.FindDeadLetter(letter.Id, CancellationToken.None)).ShouldNotBeNull();
        letter.Replays.ShouldBe(1);
        letter.Errors.Count.ShouldBe(8);

        repaired = true;
        await node.Messages.Replay(letter.Id, CancellationToken.None);
        await Eventually.Holds("it succeeds", () => world.Journal.Seen<Ping>().Count() == 9);
        await node.Messages.WaitForIdle(MessagingWorld.Patience);
        (await node.Messages.Count(CancellationToken.None)).Dead.ShouldBe(0);
        (await node.Messages.Replay(letter.Id, CancellationToken.None)).ShouldBeFalse();
    }

    [Fact]
    public async Task Replaying_all_keeps_the_order_of_a_group()
    {
        await using var world = await MessagingWorld.Create();
        var repaired = false;
        world.Journal.When<Step>((_, _) => Fail(!repaired, new ArgumentException("No.")));
        var node = await world.StartNode(Quick);
        for (var number = 1; number <= 20; number++)
        {
            await node.Publish(new Step("group", number));
        }

        await Eventually.Holds("all die", async () => (await node.Messages.Count(CancellationToken.None)).Dead == 20);
        repaired = true;
        (await node.Messages.ReplayAll("step", perSecond: 50, CancellationToken.None)).ShouldBe(20);
        await Eventually.Holds("all are done", async () => await world.Stored() == 0);

        (await world.BookedIn("group")).ShouldBe(Enumerable.Range(1, 20));
    }

    [Fact]
    public async Task A_discarded_dead_letter_is_off_the_list_but_readable_with_the_reason()
    {
        await using var world = await MessagingWorld.Create();
        world.Journal.When<Ping>((_, _) => throw new ArgumentException("No."));
        var node = await world.StartNode(Quick);
        await node.Publish(new Ping("hello"));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);
        var letter = (await node.Messages.ListDeadLetters(10, null, CancellationToken.None)).Single();

        (await node.Messages.Discard(letter.Id, "Asked by phone.", CancellationToken.None)).ShouldBeTrue();
        (await node.Messages.Discard(letter.Id, "Again.", CancellationToken.None)).ShouldBeFalse();

        (await node.Messages.ListDeadLetters(10, null, CancellationToken.None)).ShouldBeEmpty();
        (await node.Messages.FindDeadLetter(letter.Id, CancellationToken.None))!.DiscardReason.ShouldBe("Asked by phone.");
        (await node.Messages.Replay(letter.Id, CancellationToken.None)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_type_that_no_node_knows_waits_for_a_deployment_and_then_is_a_dead_letter()
    {
        await using var world = await MessagingWorld.Create();
        var clock = new SteppingClock();
        var node = await world.StartNode(options => options.Timings = MessagingWorld.Fast with { Maintenance = TimeSpan.FromMilliseconds(100) }, clock);
        await world.Database.Execute(
            """
            insert into cavecomm_messages (id, seq, type, queue, body, due_at)
            values (gen_random_uuid(), nextval('cavecomm_messages_seq'), 'from-the-future', 'default', '{}', '2026-03-01T12:00:00Z')
            """);

        await node.Publish(new Ping("others run meanwhile"));
        await Eventually.Holds("others run", () => world.Journal.Seen<Ping>().Any());
        (await node.Messages.Count(CancellationToken.None)).Dead.ShouldBe(0);
        clock.Advance(TimeSpan.FromHours(2));

        await Eventually.Holds("it is given up", async () => (await node.Messages.Count(CancellationToken.None)).Dead == 1);
        (await node.Messages.ListDeadLetters(10, null, CancellationToken.None)).Single().Reason.ShouldContain("from-the-future");
    }

    private static void Fail(bool when, Exception failure)
    {
        if (when)
        {
            throw failure;
        }
    }
}
