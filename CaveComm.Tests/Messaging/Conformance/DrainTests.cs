using System.Collections.Concurrent;
using System.Diagnostics;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>W2: what falls due in one second.</summary>
public class DrainTests
{
    [Fact]
    public async Task Thousands_due_in_one_second_drain_once_each_and_the_other_queue_does_not_notice()
    {
        var mass = Soak.Size(3_000, 10_000);
        await using var world = await MessagingWorld.Create();
        var clock = new SteppingClock();
        var published = new ConcurrentDictionary<int, long>();
        var delays = new ConcurrentQueue<TimeSpan>();
        world.Journal.When<Ping>((_, _, cancel) => Task.Delay(TimeSpan.FromMilliseconds(5), cancel));
        world.Journal.When<CallProvider>((call, _) => delays.Enqueue(Stopwatch.GetElapsedTime(published[call.Number])));
        static void Two(MessagingOptions options)
        {
            options.Queue("other", parallel: 4);
            options.RouteTo<CallProvider>("other");
        }

        TestNode[] nodes = [await world.StartNode(Two, clock), await world.StartNode(Two, clock)];
        var publisher = world.Node(Two, clock);
        await world.Database.Execute(
            $"""
            insert into cavecomm_messages (id, type, queue, group_key, body, due_at)
            select gen_random_uuid(), 'ping', 'default', case when n % 2 = 0 then 'key-' || n % 200 end, jsonb_build_object('text', 'mass ' || n),
                timestamptz '2026-03-01T13:00:00Z' + n % 1000 * interval '1 millisecond'
            from generate_series(1, {mass}) n
            """);
        clock.Advance(TimeSpan.FromHours(1) + TimeSpan.FromSeconds(1));

        // One after another: each has to be picked up while the mass drains, from memory or from the table.
        var number = 0;
        while (await world.Stored() > mass / 4)
        {
            published[++number] = Stopwatch.GetTimestamp();
            await (number % 2 == 0 ? publisher : nodes[0]).Publish(new CallProvider(number));
            await Eventually.Holds("it was picked up", () => delays.Count == number);
        }

        await Eventually.Holds("all have run", async () => await world.Stored() == 0);
        world.Journal.Seen<Ping>().Select(ping => ping.Text).Order(StringComparer.Ordinal)
            .ShouldBe(Enumerable.Range(1, mass).Select(n => $"mass {n}").Order(StringComparer.Ordinal));
        number.ShouldBeGreaterThan(5);
        delays.Order().ElementAt(number / 2).ShouldBeLessThan(TimeSpan.FromMilliseconds(250));
    }
}
