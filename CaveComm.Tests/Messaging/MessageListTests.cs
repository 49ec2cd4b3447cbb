using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>What people see of the stored messages.</summary>
public class MessageListTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task Every_message_is_in_one_state_and_tells_what_is_known_of_it()
    {
        await using var world = await MessagingWorld.Create();
        using var hold = new SemaphoreSlim(0);
        world.Journal.When<CallProvider>(async (_, _, cancel) => await hold.WaitAsync(cancel));
        world.Journal.When<Ping>((ping, _) => throw (ping.Text == "dies" ? new ArgumentException("No.") : new HttpRequestException("Later.")));
        var node = await world.StartNode(options =>
        {
            options.Backoff = [TimeSpan.FromHours(1)];
            options.OnException<ArgumentException>(e => new FailureAction.DeadLetter(e.Message));
        });
        await node.Publish(new CallProvider(1));
        await node.Publish(new Ping("dies"));
        await node.Publish(new Ping("fails"));
        await node.Publish(new Confirm("work", 1), new DeliveryOptions { ScheduleDelay = TimeSpan.FromDays(1), GroupId = "a group" });
        IReadOnlyList<StoredMessage> all = [];
        await Eventually.Holds("one is in each state", async () =>
            (all = await node.Messages.List(new MessageFilter(), 10, null, Never)).Select(it => it.State)
                .SequenceEqual([MessageState.Dead, MessageState.Running, MessageState.Retrying, MessageState.Scheduled]));

        all[0].ShouldSatisfyAllConditions(
            it => it.Reason.ShouldBe("No."),
            it => it.Errors.ShouldHaveSingleItem().Type.ShouldBe(typeof(ArgumentException).FullName),
            it => it.DiedAt.ShouldNotBeNull(),
            it => it.DueAt.ShouldBeNull());
        all[1].Node.ShouldBe(Environment.MachineName);
        all[2].ShouldSatisfyAllConditions(it => it.Attempts.ShouldBe(1), it => it.Errors.Single().Message.ShouldBe("Later."), it => it.Node.ShouldBeNull());
        all[3].ShouldSatisfyAllConditions(
            it => it.GroupId.ShouldBe("a group"),
            it => it.MessageType.ShouldBe("confirm"),
            it => it.TraceId.Length.ShouldBe(32),
            it => it.Body.ShouldContain("\"work\""),
            it => (it.DueAt!.Value - it.SentAt).ShouldBeGreaterThan(TimeSpan.FromHours(23)));
        (await node.Messages.Find(all[2].Id, Never)).ShouldNotBeNull().State.ShouldBe(MessageState.Retrying);
        (await node.Messages.Find(Guid.NewGuid(), Never)).ShouldBeNull();
        (await node.Messages.List(new MessageFilter(MessageType: "ping"), 10, null, Never)).Count.ShouldBe(2);
        (await node.Messages.List(new MessageFilter(MessageState.Scheduled, GroupId: "another"), 10, null, Never)).ShouldBeEmpty();
        var figures = await node.Messages.Measure(Never);
        figures.DeadByType.ShouldBe([KeyValuePair.Create("ping", 1L)]);
        figures.Of(MessageState.Retrying).ShouldBe(1);
        hold.Release();
    }

    [Fact]
    public async Task Pages_of_any_size_show_each_message_once_and_in_order()
    {
        await using var world = await MessagingWorld.Create();
        world.Journal.When<Ping>((_, _) => throw new ArgumentException("No."));
        var node = await world.StartNode(options => options.OnException<ArgumentException>(e => new FailureAction.DeadLetter(e.Message)));
        for (var number = 1; number <= 5; number++)
        {
            await node.Publish(new Ping($"{number}"));
            await node.Publish(new Confirm("later", number), new DeliveryOptions { ScheduledTime = DateTimeOffset.UtcNow.AddDays(1) });
        }

        await Eventually.Holds("all died", async () => (await node.Messages.Count(Never)).Dead == 5);
        var whole = await node.Messages.List(new MessageFilter(), 100, null, Never);
        whole.Count.ShouldBe(10);
        whole.Take(5).ShouldAllBe(it => it.State == MessageState.Dead);

        foreach (var size in new[] { 1, 3, 5, 7 })
        {
            var ids = new List<Guid>();
            MessageCursor? after = null;
            while (await node.Messages.List(new MessageFilter(), size, after, Never) is [.., var last] page)
            {
                ids.AddRange(page.Select(it => it.Id));
                after = last.Cursor;
            }

            ids.ShouldBe(whole.Select(it => it.Id), $"pages of {size}");
        }
    }
}
