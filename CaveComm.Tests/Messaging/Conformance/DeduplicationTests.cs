using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>W6: a deduplication id is kept as long as asked for, by the database and not by a process.</summary>
public class DeduplicationTests
{
    private static readonly TimeSpan Window = TimeSpan.FromDays(30);

    [Fact]
    public async Task An_id_is_taken_once_by_two_nodes_at_once_and_remembered_over_restarts_for_as_long_as_asked()
    {
        await using var world = await MessagingWorld.Create();
        var clock = new SteppingClock();
        static void Tidy(MessagingOptions options) => options.Timings = MessagingWorld.Fast with { Maintenance = TimeSpan.FromMilliseconds(50) };
        TestNode[] nodes = [await world.StartNode(Tidy, clock), await world.StartNode(Tidy, clock)];

        // Plain, grouped and scheduled ones, each told four times by each node.
        var ids = Enumerable.Range(0, Soak.Size(30, 1_000)).ToList();
        await Parallel.ForEachAsync(
            ids.SelectMany(id => Enumerable.Range(0, 8).Select(time => (id, time))),
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (it, _) => await nodes[it.time % 2].Publish(new Ping($"{it.id}"), Once(it.id)));
        clock.Advance(TimeSpan.FromMinutes(1));
        await Eventually.Holds("all have run", async () => await world.Stored() == 0);
        ShouldHaveRun(times: 1);

        // Both nodes end; the messages are long gone, and only the record of the ids knows.
        await nodes[0].Stop();
        nodes[1].Kill();
        nodes = [await world.StartNode(Tidy, clock), await world.StartNode(Tidy, clock)];
        await TellAgain();
        clock.Advance(Window - TimeSpan.FromMinutes(2));
        await TellAgain();
        ShouldHaveRun(times: 1);

        clock.Advance(TimeSpan.FromMinutes(2));
        await Eventually.Holds("the records are gone", async () => await world.Database.Scalar<long>("select count(*) from cavecomm_message_dedup") == 0);
        await TellAgain();
        ShouldHaveRun(times: 2);

        async Task TellAgain()
        {
            foreach (var id in ids)
            {
                await nodes[id % 2].Publish(new Ping($"{id}"), Once(id) with { ScheduleDelay = null });
            }

            await Eventually.Holds("nothing is left", async () => await world.Stored() == 0);
        }

        void ShouldHaveRun(int times) => world.Journal.Seen<Ping>().Select(ping => ping.Text).Order(StringComparer.Ordinal)
            .ShouldBe(ids.SelectMany(id => Enumerable.Repeat($"{id}", times)).Order(StringComparer.Ordinal));
    }

    private static DeliveryOptions Once(int id) => new()
    {
        DeduplicationId = $"evt_{id}",
        DeduplicationWindow = Window,
        GroupId = id % 3 == 1 ? $"group-{id % 5}" : null,
        ScheduleDelay = id % 3 == 2 ? TimeSpan.FromMinutes(1) : null,
    };
}
