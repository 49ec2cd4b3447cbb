using System.Diagnostics;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>W5: nodes that are processes of their own; one is killed with messages in hand, or told to stop.</summary>
public class NodesTests
{
    private const int EachTime = 240;

    [Fact]
    public async Task A_killed_nodes_messages_run_on_the_others_within_fifteen_seconds_none_lost_and_none_twice()
    {
        var kills = Soak.Size(1, 10);
        await using var world = await MessagingWorld.Create();
        await using var outside = await OutsideWorld.Start();
        var publisher = world.Node();
        var nodes = Enumerable.Range(0, 3).Select(_ => Launch()).ToList();
        try
        {
            await Task.WhenAll(nodes.Select(node => node.Up()));
            for (var kill = 0; kill < kills; kill++)
            {
                await Ask(world, publisher, Enumerable.Range(kill * EachTime, EachTime));
                var victim = nodes[kill % 3];
                await Eventually.Holds("it has messages in hand", async () => (await HeldBy(world, victim)).Length >= 4);

                await victim.Kill();
                var died = Stopwatch.StartNew();
                var held = await HeldBy(world, victim);
                held.ShouldNotBeEmpty();
                await Eventually.Holds("the others have run them", async () => !await AnyLeft(world, held));
                died.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(15));

                if (kill + 1 < kills)
                {
                    await victim.DisposeAsync();
                    nodes[kill % 3] = await Launch().Up();
                }
            }

            await Eventually.Holds("all is done", async () => await world.Stored() == 0);
            await Asked.ShouldBeDone(world, outside, pings: false);
        }
        finally
        {
            foreach (var node in nodes)
            {
                await node.DisposeAsync();
            }
        }

        NodeProcess Launch() => NodeProcess.Launch(world, outside, settings => settings with { ProductTimings = true, Parallel = 4, WorkMilliseconds = 50 });
    }

    [Fact]
    public async Task A_node_that_is_told_to_stop_ends_what_it_runs_returns_the_rest_and_repeats_nothing()
    {
        await using var world = await MessagingWorld.Create();
        await using var outside = await OutsideWorld.Start();
        await using var node = NodeProcess.Launch(world, outside, settings => settings with { ProductTimings = true, Parallel = 4, WorkMilliseconds = 100 });
        await node.Up();
        await Ask(world, world.Node(), Enumerable.Range(0, 100));
        await Eventually.Holds("it is at work", () => outside.Done.Count > 4);

        await node.Terminate();
        (await node.Ended()).ShouldBe(0, node.Said);
        (await world.Stored()).ShouldBeGreaterThan(0);
        (await world.Database.Scalar<long>("select count(*) from cavecomm_messages where owner is not null or locked_until is not null")).ShouldBe(0);
        (await world.Database.Scalar<long>("select count(*) from cavecomm_message_nodes")).ShouldBe(0);

        // Nobody has to be taken for dead and no lease has to run out.
        using var effects = new OutsideEffects(outside.Address, TimeSpan.Zero);
        await world.StartNode(options => options.Timings = MessagingWorld.Fast with { Lease = TimeSpan.FromHours(1) }, journal: effects.Journal());
        await Eventually.Holds("all is done", async () => await world.Stored() == 0);
        await Asked.ShouldBeDone(world, outside, pings: false);
        outside.Done.GroupBy(effect => effect.Key).ShouldAllBe(effect => effect.Count() == 1);
    }

    private static async Task Ask(MessagingWorld world, TestNode publisher, IEnumerable<int> numbers)
    {
        foreach (var number in numbers)
        {
            await using var scope = publisher.Scope();
            await using var session = world.Store.LightweightSession();
            var outbox = scope.ServiceProvider.GetRequiredService<IOutbox>();
            outbox.Enroll(session);
            var book = new Book($"work/{number % 4}", number);
            session.Events.Append(Asked.Stream, new Booked(number));
            await outbox.PublishAsync(book, number % 8 < 4 ? new DeliveryOptions { GroupId = book.Stream } : null);
            await session.SaveChangesAsync();
        }
    }

    private static Task<Guid[]> HeldBy(MessagingWorld world, NodeProcess node) =>
        world.Database.Scalar<Guid[]>($"select coalesce(array_agg(id), '{{}}') from cavecomm_messages where owner = '{node.Id}'");

    private static Task<bool> AnyLeft(MessagingWorld world, Guid[] ids) =>
        world.Database.Scalar<bool>($"select exists (select from cavecomm_messages where id = any ('{{{string.Join(',', ids)}}}'))");
}
