using CaveComm.EventStore;
using CaveComm.Messaging;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>W1: messages leave only with a commit.</summary>
public class OutboxTests
{
    [Fact]
    public async Task A_message_leaves_when_its_session_commits_and_not_before()
    {
        await using var world = await MessagingWorld.Create();
        var node = await world.StartNode();
        await using var scope = node.Scope();
        await using var session = world.Store.LightweightSession();
        var outbox = scope.ServiceProvider.GetRequiredService<IOutbox>();

        outbox.Enroll(session);
        session.Events.Append("work", new Booked(1));
        await outbox.PublishAsync(new Ping("done"));
        (await world.Stored()).ShouldBe(0);
        await session.SaveChangesAsync();
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        world.Journal.Seen<Ping>().ShouldBe([new Ping("done")]);
        (await world.BookedIn("work")).ShouldBe([1]);
    }

    [Fact]
    public async Task A_session_whose_commit_fails_sends_nothing()
    {
        await using var world = await MessagingWorld.Create();
        var node = await world.StartNode();
        await using var scope = node.Scope();
        await using (var first = world.Store.LightweightSession())
        {
            first.Events.Append("work", new Booked(1));
            await first.SaveChangesAsync();
        }

        await using var session = world.Store.LightweightSession();
        var outbox = scope.ServiceProvider.GetRequiredService<IOutbox>();
        outbox.Enroll(session);
        session.Events.Append("work", 1, new Booked(2)); // The stream is at 1 already, so this writer lost.
        await outbox.PublishAsync(new Ping("plain"));
        await outbox.PublishAsync(new Ping("grouped"), new DeliveryOptions { GroupId = "g" });
        await outbox.PublishAsync(new Ping("later"), new DeliveryOptions { ScheduleDelay = TimeSpan.FromMilliseconds(1) });
        await outbox.PublishAsync(new Ping("once"), new DeliveryOptions { DeduplicationId = "d" });
        await Should.ThrowAsync<EventStreamUnexpectedMaxEventIdException>(() => session.SaveChangesAsync());

        // What is published afterwards runs, so what was to run would have run as well.
        await node.Publish(new Ping("after"));
        await node.Publish(new Ping("once"), new DeliveryOptions { DeduplicationId = "d" });
        await node.Messages.WaitForIdle(MessagingWorld.Patience);
        world.Journal.Seen<Ping>().Select(ping => ping.Text).Order().ShouldBe(["after", "once"]);
    }

    [Fact]
    public async Task An_outbox_serves_every_save_of_its_session()
    {
        await using var world = await MessagingWorld.Create();
        var node = await world.StartNode();
        await using var scope = node.Scope();
        await using var session = world.Store.LightweightSession();
        var outbox = scope.ServiceProvider.GetRequiredService<IOutbox>();
        outbox.Enroll(session);

        await outbox.PublishAsync(new Ping("first"));
        await session.SaveChangesAsync();
        await outbox.PublishAsync(new Ping("second"));
        await session.SaveChangesAsync();
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        world.Journal.Seen<Ping>().Select(ping => ping.Text).Order().ShouldBe(["first", "second"]);
    }

    [Fact]
    public async Task A_handlers_events_and_next_messages_commit_with_the_end_of_its_message()
    {
        await using var world = await MessagingWorld.Create();
        var node = await world.StartNode();

        await node.Publish(new Book("work", 7));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        (await world.BookedIn("work")).ShouldBe([7]);
        (await world.BookedIn("work/confirmed")).ShouldBe([7]);
        (await world.Stored()).ShouldBe(0);
    }

    [Fact]
    public async Task A_message_whose_handler_changed_nothing_ends_without_a_transaction_of_its_own()
    {
        await using var world = await MessagingWorld.Create();
        var node = await world.StartNode();

        foreach (var number in Enumerable.Range(1, 20))
        {
            await node.Publish(new Look("nowhere", number), new DeliveryOptions { GroupId = $"g{number % 2}" });
        }

        await node.Messages.WaitForIdle(MessagingWorld.Patience);
        world.Journal.Seen<Look>().Select(look => look.Number).Order().ShouldBe(Enumerable.Range(1, 20));
        world.Journal.Seen<Look>().Where(look => look.Number % 2 == 0).Select(look => look.Number).ShouldBeInOrder();
        (await world.Stored()).ShouldBe(0);
    }

    [Fact]
    public async Task A_handler_sends_what_it_returns_in_any_form()
    {
        await using var world = await MessagingWorld.Create();
        var node = await world.StartNode();

        await node.Publish(new Spread("hello"));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        world.Journal.Seen<Ping>().Select(ping => ping.Text).Order().ShouldBe(["hello", "hello by the bus", "hello in a group", "hello in a list"]);
    }

    [Fact]
    public async Task A_handler_that_saves_its_own_session_is_told_not_to()
    {
        await using var world = await MessagingWorld.Create();
        var node = await world.StartNode(options => options.OnException<InvalidOperationException>(e => new FailureAction.DeadLetter(e.Message)));

        await node.Publish(new Hasty("work"));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        var letter = (await node.Messages.ListDeadLetters(10, null, CancellationToken.None)).ShouldHaveSingleItem();
        letter.Reason.ShouldContain("does not save its session");
        (await world.BookedIn("work")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Invoking_runs_the_handler_in_the_call_and_its_messages_follow()
    {
        await using var world = await MessagingWorld.Create();
        var node = await world.StartNode();
        await using var scope = node.Scope();

        await scope.ServiceProvider.GetRequiredService<IMessageBus>().InvokeAsync(new Book("work", 3), CancellationToken.None);
        (await world.BookedIn("work")).ShouldBe([3]);
        await node.Messages.WaitForIdle(MessagingWorld.Patience);
        (await world.BookedIn("work/confirmed")).ShouldBe([3]);
    }

    [Fact]
    public async Task What_a_process_without_workers_publishes_runs_elsewhere()
    {
        await using var world = await MessagingWorld.Create();
        var worker = await world.StartNode();
        var publisher = world.Node();

        await publisher.Publish(new Ping("plain"));
        await publisher.Publish(new Ping("grouped"), new DeliveryOptions { GroupId = "g" });
        await worker.Messages.WaitForIdle(MessagingWorld.Patience);

        world.Journal.Seen<Ping>().Select(ping => ping.Text).Order().ShouldBe(["grouped", "plain"]);
    }

    [Fact]
    public async Task A_message_that_nobody_handles_is_refused_at_once()
    {
        await using var world = await MessagingWorld.Create();
        var node = await world.StartNode();

        (await Should.ThrowAsync<MissingHandlerException>(() => node.Publish(new Booked(1)))).Message.ShouldContain(nameof(Booked));
    }

    [Fact]
    public async Task A_second_message_with_the_same_deduplication_id_is_dropped_while_the_first_is_remembered()
    {
        await using var world = await MessagingWorld.Create();
        var clock = new SteppingClock();
        var node = await world.StartNode(clock: clock);
        var once = new DeliveryOptions { DeduplicationId = "evt_1", DeduplicationWindow = TimeSpan.FromHours(1) };

        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => node.Publish(new Ping("first"), once)));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);
        await node.Publish(new Ping("too soon"), once);
        clock.Advance(TimeSpan.FromHours(2));
        await node.Publish(new Ping("remembered no more"), once);
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        world.Journal.Seen<Ping>().Select(ping => ping.Text).ShouldBe(["first", "remembered no more"]);
    }
}
