using System.Collections.Concurrent;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>W3: thousands of dead letters sent again to a handler that still fails for a tenth of them.</summary>
public class ReplayTests
{
    private static readonly int Letters = Soak.Size(400, 5_000);
    private static readonly int PerSecond = Soak.Size(100, 500);
    private static readonly int Keys = Soak.Size(20, 100);

    [Fact]
    public async Task A_replay_is_no_flood_and_no_loop_and_keeps_the_order_of_each_key()
    {
        await using var world = await MessagingWorld.Create();
        var clock = new SteppingClock();
        var repaired = false;
        var again = new ConcurrentQueue<Step>();
        world.Journal.When<Step>((step, _) =>
        {
            if (repaired)
            {
                again.Enqueue(step);
            }

            if (!repaired || StillFails(step))
            {
                throw new ArgumentException("No such account.");
            }
        });
        static void Permanent(MessagingOptions options) => options.OnException<ArgumentException>(e => new FailureAction.DeadLetter(e.Message));
        TestNode[] nodes = [await world.StartNode(Permanent, clock), await world.StartNode(Permanent, clock)];
        await Task.WhenAll(Enumerable.Range(0, Keys).Select(async key =>
        {
            for (var number = key; number < Letters; number += Keys)
            {
                await nodes[number % 2].Publish(new Step($"key-{key}", number));
            }
        }));
        await Eventually.Holds("all are dead", async () => await Dead(nodes[0]) == Letters);
        repaired = true;

        (await nodes[0].Messages.ReplayAll("step", PerSecond, CancellationToken.None)).ShouldBe(Letters);
        for (var second = 0; second < Letters / PerSecond; second++)
        {
            // The clock stands still, so no more than this may ever come.
            await Eventually.Holds("this second's share has run", async () => again.Count >= (second * PerSecond) + 1 && (await nodes[1].Messages.Count(CancellationToken.None)).Due == 0);
            again.Count.ShouldBeInRange((second * PerSecond) + 1, (second * PerSecond) + 1);
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        await Eventually.Holds("all have run", async () => again.Count == Letters && await world.Stored() == 0);

        // What failed again lies there again, once replayed, and stays there however long one waits.
        var failed = again.Where(StillFails).ToList();
        failed.Count.ShouldBe(Letters / 10);
        clock.Advance(TimeSpan.FromDays(2));
        await nodes[0].Publish(new Ping("after"));
        await Eventually.Holds("others run", () => world.Journal.Seen<Ping>().Any());
        again.Count.ShouldBe(Letters);
        var letters = await nodes[0].Messages.ListDeadLetters(Letters, null, CancellationToken.None);
        letters.Count.ShouldBe(failed.Count);
        letters.ShouldAllBe(letter => letter.Replays == 1 && letter.Errors.Count == 2);

        foreach (var key in again.GroupBy(step => step.Group))
        {
            key.Select(step => step.Number).ShouldBeInOrder(SortDirection.Ascending);
            (await world.BookedIn(key.Key)).ShouldBe(key.Where(step => !StillFails(step)).Select(step => step.Number));
        }
    }

    private static bool StillFails(Step step) => step.Number % 10 == 3;

    private static async Task<long> Dead(TestNode node) => (await node.Messages.Count(CancellationToken.None)).Dead;
}
