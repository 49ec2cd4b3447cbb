using CaveComm.EventStore;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>W1: a handler that changes no stream and no document may still have work that goes with the end of its message.</summary>
public class HandlerTransactionTests
{
    public enum Way
    {
        Publishes,
        Enlists,
    }

    /// <summary>Does its work without writing anything to its session.</summary>
    public sealed record Act(Way Way);

    public static class ActHandler
    {
        public static async Task Handle(Act act, IDocumentSession session, IMessageBus bus, Journal journal, Envelope envelope, CancellationToken cancel)
        {
            if (act.Way == Way.Publishes)
            {
                await bus.PublishAsync(new Confirm("work", 1));
            }
            else
            {
                ((ISessionTransaction)session).Enlist(new Row());
            }

            await journal.Note(act, envelope, cancel);
        }
    }

    /// <summary>Saves something in a session of its own, and sends two messages on: one with that session, one as its answer.</summary>
    public sealed record Split(string Text);

    public static class SplitHandler
    {
        public static async Task<Ping> Handle(Split split, IDocumentSession session, IDocumentStore store, IOutbox outbox, CancellationToken cancel)
        {
            _ = session;
            await using var other = store.LightweightSession();
            outbox.Enroll(other);
            await outbox.PublishAsync(new Ping(split.Text + " by the other session"));
            await other.SaveChangesAsync(cancel);
            return new Ping(split.Text + " as the answer");
        }
    }

    [Theory]
    [InlineData(Way.Publishes, 1)]
    [InlineData(Way.Publishes, 2)]
    [InlineData(Way.Publishes, 3)]
    [InlineData(Way.Enlists, 1)]
    [InlineData(Way.Enlists, 2)]
    [InlineData(Way.Enlists, 3)]
    public async Task A_kill_between_two_steps_leaves_the_work_exactly_once(Way way, int step)
    {
        await using var world = await World();
        TestNode? first = null;
        first = await StartNode(world, options =>
        {
            options.Timings = MessagingWorld.Watchful;
            options.Probe = async (reached, _) =>
            {
                if ((int)reached == step && !first!.Kernel.IsKilled)
                {
                    first.Kill();
                    await Task.FromCanceled(new CancellationToken(true));
                }
            };
        });
        await first.Publish(new Act(way));
        await Eventually.Holds("the first node dies", () => first.Kernel.IsKilled);

        var second = await StartNode(world, options => options.Timings = MessagingWorld.Watchful);
        await second.Messages.WaitForIdle(MessagingWorld.Patience);

        (await Done(world, way)).ShouldBe(1);
        (await world.Stored()).ShouldBe(0);
    }

    [Theory]
    [InlineData(Way.Publishes)]
    [InlineData(Way.Enlists)]
    public async Task What_a_failed_attempt_wanted_to_do_is_not_done(Way way)
    {
        await using var world = await World();
        world.Journal.When<Act>((_, envelope) =>
        {
            if (envelope.Attempt < 3)
            {
                throw new TimeoutException("Not yet.");
            }
        });
        var node = await StartNode(world, options => options.OnException<TimeoutException>(_ => new FailureAction.RetryNow(5)));

        await node.Publish(new Act(way));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        world.Journal.Seen<Act>().Count().ShouldBe(3);
        (await Done(world, way)).ShouldBe(1);
    }

    [Theory]
    [InlineData(Way.Publishes)]
    [InlineData(Way.Enlists)]
    public async Task Who_lost_the_message_meanwhile_does_nothing(Way way)
    {
        await using var world = await World();
        using var inHand = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        world.Journal.When<Act>(async (_, _, cancel) =>
        {
            inHand.Release();
            await goOn.WaitAsync(cancel);
        });
        var node = await StartNode(world, options => options.Queue(MessagingOptions.DefaultQueue, parallel: 1));
        await node.Publish(new Act(way));
        await inHand.WaitAsync(MessagingWorld.Patience);

        await world.Database.Execute("update cavecomm_messages set owner = gen_random_uuid(), claims = claims + 1, locked_until = now() + interval '1 hour'");
        goOn.Release();
        await node.Publish(new Ping("after"));
        await Eventually.Holds("the worker goes on", () => world.Journal.Seen<Ping>().Any());

        (await Done(world, way)).ShouldBe(0);
        (await world.Stored()).ShouldBe(1);
    }

    [Fact]
    public async Task An_answer_goes_with_its_message_although_another_session_was_enrolled_meanwhile()
    {
        await using var world = await World();
        var node = await StartNode(world);

        await node.Publish(new Split("hello"));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        world.Journal.Seen<Ping>().Select(ping => ping.Text).Order().ShouldBe(["hello as the answer", "hello by the other session"]);
    }

    private static async Task<MessagingWorld> World()
    {
        var world = await MessagingWorld.Create();
        await world.Database.Execute("create table acts (at timestamptz)");
        return world;
    }

    private static Task<TestNode> StartNode(MessagingWorld world, Action<MessagingOptions>? configure = null) => world.StartNode(options =>
    {
        options.IncludeHandler(typeof(ActHandler));
        options.IncludeHandler(typeof(SplitHandler));
        configure?.Invoke(options);
    });

    private static async Task<long> Done(MessagingWorld world, Way way) =>
        way == Way.Publishes ? (await world.BookedIn("work/confirmed")).Length : await world.Database.Scalar<long>("select count(*) from acts");

    private sealed class Row : ITransactionParticipant
    {
        public void AddTo(NpgsqlBatch batch) => batch.BatchCommands.Add(new("insert into acts values (now())"));

        public Exception? Translate(PostgresException error) => null;

        public void Committed()
        {
        }
    }
}
