using CaveComm.Api.Recurring;
using CaveComm.Domain.Payments;
using CaveComm.Tests.Messaging;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Recurring;

/// <summary>Recurring work over nodes and days: exactly one next round, whatever happens.</summary>
public sealed class RecurringTests
{
    private static readonly TimeSpan Hour = Tally.Usual;

    [Fact]
    public async Task Three_nodes_that_start_together_run_one_series()
    {
        await using var world = await RecurringWorld.Create();
        var nodes = await Task.WhenAll(world.Start(), world.Start(), world.Start());
        await Task.WhenAll(nodes.Select(node => node.Look()));
        await Done(world, rounds: 1);

        for (var hour = 1; hour <= 3; hour++)
        {
            world.Clock.Advance(Hour);
            await Done(world, rounds: hour + 1);
            await Task.WhenAll(nodes.Select(node => node.Look()));
        }

        await nodes[0].Idle();
        world.Tally.Rounds.Count.ShouldBe(4);
        (await world.Planned()).ShouldBe(1);
    }

    [Fact]
    public async Task After_days_of_downtime_there_is_one_catch_up_and_not_one_for_each_hour()
    {
        await using var world = await RecurringWorld.Create();
        var first = await world.Start();
        await first.Look();
        await Done(world, rounds: 1);
        first.Kill();
        world.Clock.Advance(TimeSpan.FromDays(9) + TimeSpan.FromMinutes(20));

        var nodes = await Task.WhenAll(world.Start(), world.Start(), world.Start());
        await Task.WhenAll(nodes.Select(node => node.Look()));
        await Done(world, rounds: 2);
        await Task.WhenAll(nodes.Select(node => node.Look()));
        await nodes[0].Idle();

        world.Tally.Rounds.Count.ShouldBe(2);
        (await world.Planned()).ShouldBe(1);
        var series = (await world.Series())!;
        series.DueAt.ShouldBeGreaterThan(world.Clock.GetUtcNow());
        (series.DueAt - world.Clock.GetUtcNow()).ShouldBeLessThanOrEqualTo(Hour);
    }

    [Fact]
    public async Task A_dead_letter_does_not_end_the_series_and_its_replay_does_not_double_it()
    {
        await using var world = await RecurringWorld.Create();
        var node = await world.Start();
        world.Tally.Fails = () => new GatewayRefusedException("test", "never");
        await node.Look();
        await Eventually.Holds("the round lies dead", async () => (await node.Messages.Count(TestContext.Current.CancellationToken)).Dead == 1);

        world.Tally.Fails = () => null;
        await node.Look();
        await node.Idle();
        world.Tally.Rounds.ShouldBeEmpty("a round that was due a moment ago may still be on its way");

        world.Clock.Advance(RecurringSeries.Grace + TimeSpan.FromMinutes(1));
        await node.Look();
        await Done(world, rounds: 1);
        var dead = (await node.Messages.ListDeadLetters(10, null, TestContext.Current.CancellationToken)).ShouldHaveSingleItem();
        (await node.Messages.Replay(dead.Id, TestContext.Current.CancellationToken)).ShouldBeTrue();
        await Eventually.Holds("the replay is done", async () => (await node.Messages.Count(TestContext.Current.CancellationToken)) is { Due: 0, Running: 0, Dead: 0 });

        world.Tally.Rounds.Count.ShouldBe(1);
        (await world.Planned()).ShouldBe(1);
    }

    [Fact]
    public async Task A_round_that_fails_for_a_while_is_tried_again_and_its_series_stays_one()
    {
        await using var world = await RecurringWorld.Create();
        var node = await world.Start();
        var failures = 3;
        world.Tally.Fails = () => Interlocked.Decrement(ref failures) >= 0 ? new InvalidOperationException("not yet") : null;
        await node.Look();

        await Eventually.Holds("the round is done", () =>
        {
            world.Clock.Advance(TimeSpan.FromSeconds(5)); // Retries wait by this clock.
            return Task.FromResult(!world.Tally.Rounds.IsEmpty);
        });
        await node.Look();
        await node.Idle();

        world.Tally.Rounds.Count.ShouldBe(1);
        (await world.Planned()).ShouldBe(1);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(600)]
    public async Task A_changed_interval_takes_effect_with_the_next_start(int minutes)
    {
        await using var world = await RecurringWorld.Create();
        var old = await world.Start();
        await old.Look();
        await Done(world, rounds: 1);
        old.Kill();
        world.Clock.Advance(TimeSpan.FromMinutes(1));

        var changed = await world.Start(TimeSpan.FromMinutes(minutes));
        await changed.Look();
        await Eventually.Holds("the plan is changed", async () => (await world.Series())!.Every == TimeSpan.FromMinutes(minutes));
        world.Clock.Advance(TimeSpan.FromMinutes(minutes - 2));
        await changed.Look();
        await changed.Idle();
        world.Tally.Rounds.Count.ShouldBe(1, "it is not time yet, whatever was planned before");
        world.Clock.Advance(TimeSpan.FromMinutes(2));

        await Done(world, rounds: 2);
    }

    private static async Task Done(RecurringWorld world, int rounds)
    {
        await Eventually.Holds($"{rounds} rounds are done", () => world.Tally.Rounds.Count >= rounds, MessagingWorld.Patience);
        await Eventually.Holds("the next is planned", async () => await world.Planned() == 1, MessagingWorld.Patience);
        world.Tally.Rounds.Count.ShouldBe(rounds);
    }
}
