using System.Diagnostics;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>A trace that began at a publisher goes on in other processes, through retries, what follows, and a replay.</summary>
public class TraceTests
{
    [Fact]
    public async Task A_trace_goes_on_in_another_process_through_retries_and_follow_ups_to_the_outside_world()
    {
        await using var world = await MessagingWorld.Create();
        await using var outside = await OutsideWorld.Start();
        outside.Refuse("work/1/book/1", times: 2);
        await using var node = NodeProcess.Launch(world, outside);
        await node.Up();

        using var request = new Activity("request").SetIdFormat(ActivityIdFormat.W3C).Start();
        var trace = request.TraceId.ToString();
        await world.Node().Publish(new Book("work/1", 1), new DeliveryOptions { ScheduleDelay = TimeSpan.FromMilliseconds(200) });
        request.Stop();
        await Eventually.Holds("all is done", async () => outside.Done.Count == 2 && await world.Stored() == 0);

        outside.Done.ShouldBe([new Effect("work/1/book/1", trace), new Effect("work/1/confirm/1", trace)]);
        await using var session = world.Store.QuerySession();
        foreach (var stream in (string[])["work/1", "work/1/confirmed"])
        {
            (await session.Events.FetchStreamAsync(stream)).ShouldHaveSingleItem().CorrelationId.ShouldBe(trace);
        }
    }

    [Fact]
    public async Task A_dead_letter_that_is_sent_again_goes_on_in_its_own_trace()
    {
        await using var world = await MessagingWorld.Create();
        var traces = new List<string?>();
        world.Journal.When<Book>((_, _) =>
        {
            traces.Add(Activity.Current?.TraceId.ToString());
            if (traces.Count == 1)
            {
                throw new ArgumentException("Never.");
            }
        });
        world.Journal.When<Confirm>((_, _) => traces.Add(Activity.Current?.TraceId.ToString()));
        var node = await world.StartNode(options => options.OnException<ArgumentException>(e => new FailureAction.DeadLetter(e.Message)));
        using var request = new Activity("request").SetIdFormat(ActivityIdFormat.W3C).Start();
        await node.Publish(new Book("work", 1));
        await Eventually.Holds("it is dead", async () => (await node.Messages.Count(CancellationToken.None)).Dead == 1);
        request.Stop();

        using var desk = new Activity("an admin's request").SetIdFormat(ActivityIdFormat.W3C).Start();
        var letter = (await node.Messages.ListDeadLetters(10, null, CancellationToken.None)).Single();
        letter.TraceId.ShouldBe(request.TraceId.ToString());
        await node.Messages.Replay(letter.Id, CancellationToken.None);
        await Eventually.Holds("all is done", async () => traces.Count == 3 && await world.Stored() == 0);

        traces.ShouldAllBe(trace => trace == letter.TraceId);
    }
}
