using System.Collections.Concurrent;
using CaveComm.EventStore;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>W4: within a key the order of the commits, whoever publishes, whoever runs it, and whatever fails in between.</summary>
public class OrderTests
{
    private static readonly int Keys = Soak.Size(100, 500);
    private static readonly int PerKey = Soak.Size(6, 30);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Sixteen_workers_keep_the_order_of_commits_within_each_of_many_keys(int seed)
    {
        await using var world = await MessagingWorld.Create();
        var running = new ConcurrentDictionary<string, int>();
        var overlaps = 0;
        var given = new ConcurrentBag<Step>();
        world.Journal.When<Step>(async (step, envelope, _) =>
        {
            if (running.AddOrUpdate(step.Group, 1, (_, count) => count + 1) > 1)
            {
                Interlocked.Increment(ref overlaps);
            }

            await Task.Yield();
            running.AddOrUpdate(step.Group, 0, (_, count) => count - 1);

            // Chance that can be repeated: it hangs on the seed, the message and the attempt alone.
            switch (new Random(HashOf(seed, step.Group, step.Number, envelope.Attempt)).Next(30))
            {
                case 0: throw new HttpRequestException("Later.");
                case 1: throw new ConcurrencyException("At once.");
                case 2 when envelope.Attempt == 1:
                    given.Add(step);
                    throw new ArgumentException("Never.");
            }
        });
        void Eight(MessagingOptions options)
        {
            options.Queue(MessagingOptions.DefaultQueue, parallel: 8);
            options.Backoff = [TimeSpan.FromMilliseconds(15)];
            options.OnException<ArgumentException>(e => new FailureAction.DeadLetter(e.Message));
        }

        // Two nodes with eight workers each, and a third that only publishes.
        TestNode[] nodes = [await world.StartNode(Eight), await world.StartNode(Eight), world.Node(Eight)];
        var random = new Random(seed);
        var plan = Enumerable.Range(0, Keys * PerKey).Select(number => (Key: $"key-{number % Keys}", Number: number, Node: nodes[random.Next(3)])).ToArray();
        random.Shuffle(plan);
        await Parallel.ForEachAsync(plan, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (it, _) => await Say(world, it.Node, it.Key, it.Number));
        await Eventually.Holds("all is done", async () => await world.Stored() == 0, Soak.Size(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10)));

        overlaps.ShouldBe(0);
        given.ShouldNotBeEmpty();
        var dead = given.Select(step => step.Number).ToHashSet();
        for (var key = 0; key < Keys; key++)
        {
            var said = await world.BookedIn($"key-{key}/said");
            said.Length.ShouldBe(PerKey);
            (await world.BookedIn($"key-{key}")).ShouldBe(said.Where(number => !dead.Contains(number)), $"key-{key}");
        }
    }

    [Fact]
    public async Task Of_two_that_fall_due_the_second_waits_while_another_node_has_the_first_in_its_hands()
    {
        await using var world = await MessagingWorld.Create();
        var clock = new SteppingClock();
        var node = await world.StartNode(clock: clock);
        await node.Publish(new Step("group", 1), new DeliveryOptions { ScheduleDelay = TimeSpan.FromMinutes(1) });
        await node.Publish(new Step("group", 2), new DeliveryOptions { ScheduleDelay = TimeSpan.FromMinutes(2) });
        await node.Publish(new Step("other", 1), new DeliveryOptions { ScheduleDelay = TimeSpan.FromMinutes(2) });

        // As another node's poll, which has locked the first row and not yet asked for the group's lock.
        await using var connection = await world.Database.Open();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var take = connection.CreateCommand();
            take.CommandText = "select id from cavecomm_messages where group_key = 'group' order by due_at limit 1 for update";
            await take.ExecuteScalarAsync();
            clock.Advance(TimeSpan.FromMinutes(2));
            await Eventually.Holds("a poll has gone by", () => world.Journal.Seen<Step>().Contains(new Step("other", 1)));
            await transaction.RollbackAsync();
        }

        await Eventually.Holds("all is done", async () => await world.Stored() == 0);
        (await world.BookedIn("group")).ShouldBe([1, 2]);
    }

    // The stream's row and the group's lock are both held until the commit, so the one's order is the other's.
    private static async Task Say(MessagingWorld world, TestNode node, string key, int number)
    {
        await using var scope = node.Scope();
        await using var session = world.Store.LightweightSession();
        var outbox = scope.ServiceProvider.GetRequiredService<IOutbox>();
        outbox.Enroll(session);
        session.Events.Append($"{key}/said", new Booked(number));
        await outbox.PublishAsync(new Step(key, number));
        await session.SaveChangesAsync();
    }

    private static int HashOf(int seed, string key, int number, int attempt) =>
        key.Aggregate((((seed * 397) + number) * 397) + attempt, (hash, letter) => unchecked((hash * 31) + letter));
}
