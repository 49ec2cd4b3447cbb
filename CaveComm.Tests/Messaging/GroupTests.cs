using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>W4: one at a time and in order within a group, side by side otherwise.</summary>
public class GroupTests
{
    [Fact]
    public async Task Concurrent_commits_to_a_group_run_in_the_order_of_their_numbers_one_at_a_time()
    {
        await using var world = await MessagingWorld.Create();
        TestNode[] nodes = [await world.StartNode(), await world.StartNode()];

        await Task.WhenAll(Enumerable.Range(0, 200).Select(number => nodes[number % 2].Publish(new Step("group", number))));
        await Eventually.Holds("all is done", async () => await world.Stored() == 0);

        (await world.BookedIn("group")).Order().ShouldBe(Enumerable.Range(0, 200));
        world.Journal.Seen<Step>().Select(step => step.Number).ShouldBe(await world.BookedIn("group"));
    }

    [Fact]
    public async Task A_publisher_to_a_group_waits_for_the_commit_of_the_one_before()
    {
        await using var world = await MessagingWorld.Create();
        var node = await world.StartNode();
        await using var connection = await world.Database.Open();
        await using var slow = await connection.BeginTransactionAsync();
        await using (var scope = node.Scope())
        await using (var batch = new NpgsqlBatch(connection, slow))
        {
            var first = scope.ServiceProvider.GetRequiredService<MessageFactory>().Create(new Step("group", 1), null, null);
            MessageInserts.AddTo(batch, [first], world.Node().Kernel); // Of a node that takes nothing into hand.
            await batch.ExecuteNonQueryAsync();
        }

        var second = node.Publish(new Step("group", 2));
        await Eventually.Holds("the second waits", async () => await world.Database.Scalar<bool>(
            "select exists (select from pg_locks l join pg_database d on d.oid = l.database where d.datname = current_database() and l.locktype = 'advisory' and not l.granted)"));
        second.IsCompleted.ShouldBeFalse();
        await slow.CommitAsync();
        await second;
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        (await world.BookedIn("group")).ShouldBe([1, 2]);
    }

    [Fact]
    public async Task A_waiting_retry_holds_up_its_group_and_no_other()
    {
        await using var world = await MessagingWorld.Create();
        world.Journal.When<Step>((step, envelope) =>
        {
            if (step is { Group: "a", Number: 1 } && envelope.Attempt == 1)
            {
                throw new HttpRequestException("Later.");
            }
        });
        var node = await world.StartNode(options => options.Backoff = [TimeSpan.FromSeconds(1)]);

        await node.Publish(new Step("a", 1));
        await node.Publish(new Step("a", 2));
        await node.Publish(new Step("b", 1));
        await Eventually.Holds("all is done", async () => await world.Stored() == 0);

        (await world.BookedIn("a")).ShouldBe([1, 2]);
        var order = world.Journal.Seen<Step>().ToList();
        order.IndexOf(new Step("b", 1)).ShouldBeLessThan(order.IndexOf(new Step("a", 2)));
    }

    [Fact]
    public async Task A_scheduled_message_does_not_hold_up_its_group_and_comes_in_where_it_falls_due()
    {
        await using var world = await MessagingWorld.Create();
        var clock = new SteppingClock();
        var node = await world.StartNode(clock: clock);

        await node.Publish(new Step("group", 1), new DeliveryOptions { ScheduleDelay = TimeSpan.FromHours(1) });
        await node.Publish(new Step("group", 2));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);
        (await world.BookedIn("group")).ShouldBe([2]);
        clock.Advance(TimeSpan.FromHours(1));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);
        await node.Publish(new Step("group", 3));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        (await world.BookedIn("group")).ShouldBe([2, 1, 3]);
    }
}
