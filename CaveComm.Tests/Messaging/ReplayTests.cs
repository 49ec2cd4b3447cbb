using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>W3: replay by filter: throttled, in order, one at a time, and never in a loop.</summary>
public class ReplayTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    private static void GiveUp(MessagingOptions options) => options.OnException<ArgumentException>(e => new FailureAction.DeadLetter(e.Message));

    [Fact]
    public async Task What_dies_again_is_not_taken_again_and_the_rest_keeps_its_order()
    {
        await using var world = await MessagingWorld.Create();
        var repaired = false;
        world.Journal.When<Step>((step, _) => FailIf(!repaired || step.Number % 5 == 0));
        var node = await world.StartNode(GiveUp);
        await Die(world, node, groups: 3, each: 10);
        var before = world.Journal.Seen<Step>().Count();
        repaired = true;

        var run = (await node.Messages.Replay(Guid.CreateVersion7(), new ReplayFilter("step"), perSecond: 500, Never)).ShouldNotBeNull();

        run.Total.ShouldBe(30);
        await Eventually.Holds("it is done", async () => (run = await node.Messages.FindReplay(run.Id, Never))!.State == "done");
        run.ShouldSatisfyAllConditions(it => it.Handled.ShouldBe(24), it => it.DeadAgain.ShouldBe(6), it => it.Waiting.ShouldBe(0), it => it.Fraction.ShouldBe(1));
        (world.Journal.Seen<Step>().Count() - before).ShouldBe(30, "each was taken once");
        foreach (var group in new[] { "group-1", "group-2", "group-3" })
        {
            (await world.BookedIn(group)).ShouldBe([1, 2, 3, 4, 6, 7, 8, 9]);
        }

        // What a person does with the six later changes nothing in what is told of this run.
        (await node.Messages.Discard((await node.Messages.ListDeadLetters(1, null, Never)).Single().Id, "Enough.", Never)).ShouldBeTrue();
        (await node.Messages.FindReplay(run.Id, Never)).ShouldBe(run);
    }

    [Fact]
    public async Task A_reason_that_no_column_takes_as_it_is_buries_its_letter_all_the_same()
    {
        await using var world = await MessagingWorld.Create();
        world.Journal.When<Step>((_, _) => throw new ArgumentException($"\0{new string('x', 1_998)}\U0001F600 and more"));
        var node = await world.StartNode(GiveUp);

        await Die(world, node, groups: 1, each: 2);

        var letters = await node.Messages.ListDeadLetters(10, null, Never);
        letters.Count.ShouldBe(2);
        letters.ShouldAllBe(it => it.Reason == new string('x', 1_998) && it.Errors.Single().Message == it.Reason);
    }

    [Fact]
    public async Task A_second_replay_is_refused_while_the_first_still_sends()
    {
        await using var world = await MessagingWorld.Create();
        world.Journal.When<Step>((_, _) => FailIf(true));
        var node = await world.StartNode(GiveUp);
        await Die(world, node, groups: 1, each: 4);
        var first = (await node.Messages.Replay(Guid.CreateVersion7(), new ReplayFilter(), perSecond: 1, Never)).ShouldNotBeNull();

        var refused = await Should.ThrowAsync<ReplayRunningException>(() => node.Messages.Replay(Guid.CreateVersion7(), new ReplayFilter(), 100, Never));

        refused.Run.Id.ShouldBe(first.Id);
        refused.Run.Waiting.ShouldBeGreaterThan(0);
        (first.SentBy - first.StartedAt).ShouldBe(TimeSpan.FromSeconds(3), TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public async Task Only_what_fits_the_filter_is_sent_again()
    {
        await using var world = await MessagingWorld.Create();
        world.Journal.When<Step>((step, _) => throw new ArgumentException($"Refused for reason {step.Number}."));
        world.Journal.When<Ping>((_, _) => throw new ArgumentException("No."));
        var node = await world.StartNode(GiveUp);
        await Die(world, node, groups: 1, each: 3);
        await node.Publish(new Ping("hello"));
        await Eventually.Holds("it died, too", async () => (await node.Messages.Count(Never)).Dead == 4);

        (await Fitting(new ReplayFilter())).ShouldBe(4);
        (await Fitting(new ReplayFilter(MessageType: "ping"))).ShouldBe(1);
        (await Fitting(new ReplayFilter(ExceptType: "ping"))).ShouldBe(3);
        (await Fitting(new ReplayFilter(MessageType: "ping", ExceptType: "ping"))).ShouldBe(1);
        (await Fitting(new ReplayFilter(Error: "REASON 2"))).ShouldBe(1);
        (await Fitting(new ReplayFilter(Error: "%"))).ShouldBe(0);
        (await Fitting(new ReplayFilter(Queue: "elsewhere"))).ShouldBe(0);
        (await Fitting(new ReplayFilter(Since: DateTimeOffset.UtcNow.AddMinutes(1)))).ShouldBe(0);
        (await Fitting(new ReplayFilter(Since: DateTimeOffset.UtcNow.AddHours(-1)))).ShouldBe(4);
        (await node.Messages.Replay(Guid.CreateVersion7(), new ReplayFilter(Queue: "elsewhere"), 10, Never)).ShouldBeNull();
        (await node.Messages.ListReplays(10, Never)).ShouldBeEmpty();

        Task<int> Fitting(ReplayFilter filter) => node.Messages.CountDeadLetters(filter, Never);
    }

    [Fact]
    public async Task Turns_that_passed_while_no_node_ran_are_not_made_up_for_in_a_flood()
    {
        await using var world = await MessagingWorld.Create();
        var clock = new SteppingClock();
        var repaired = false;
        world.Journal.When<Step>((_, _) => FailIf(!repaired));
        var first = await world.StartNode(GiveUp, clock);
        await Die(world, first, groups: 2, each: 5);
        await first.Stop();
        var run = (await first.Messages.Replay(Guid.CreateVersion7(), new ReplayFilter(), perSecond: 1, Never)).ShouldNotBeNull();
        clock.Advance(TimeSpan.FromHours(1));
        repaired = true;

        var second = await world.StartNode(GiveUp, clock);

        await Eventually.Holds("the first is handled", async () => (await Progress()).Handled == 1);
        (await Progress()).ShouldSatisfyAllConditions(it => it.Waiting.ShouldBe(9), it => it.SentBy.ShouldBe(run.SentBy.AddHours(1)));
        clock.Advance(TimeSpan.FromSeconds(9));
        await Eventually.Holds("all are handled", async () => (await Progress()) is { Handled: 10, State: "done" });
        (await world.BookedIn("group-1")).ShouldBe([1, 2, 3, 4, 5]);

        async Task<ReplayRun> Progress() => (await second.Messages.FindReplay(run.Id, Never))!;
    }

    [Fact]
    public async Task A_replay_begins_with_one_connection()
    {
        await using var world = await MessagingWorld.Create();
        world.Journal.When<Step>((_, _) => FailIf(true));
        await Die(world, await world.StartNode(GiveUp), groups: 1, each: 1);
        var small = world.Node(options => options.Connection(
            new NpgsqlConnectionStringBuilder(world.Database.ConnectionString) { MaxPoolSize = 1, Timeout = 60 }.ConnectionString));

        (await small.Messages.Replay(Guid.CreateVersion7(), new ReplayFilter(), perSecond: 1, Never)).ShouldNotBeNull().Total.ShouldBe(1);
    }

    private static void FailIf(bool fails)
    {
        if (fails)
        {
            throw new ArgumentException("No.");
        }
    }

    private static async Task Die(MessagingWorld world, TestNode node, int groups, int each)
    {
        for (var number = 1; number <= each; number++)
        {
            for (var group = 1; group <= groups; group++)
            {
                await node.Publish(new Step($"group-{group}", number));
            }
        }

        await Eventually.Holds("all die", async () => await world.Stored() == 0 && (await node.Messages.Count(Never)).Dead == groups * each);
    }
}
