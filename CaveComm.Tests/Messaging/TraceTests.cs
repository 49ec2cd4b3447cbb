using System.Diagnostics;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>One trace from the publisher through retries and what follows.</summary>
public class TraceTests
{
    [Fact]
    public async Task A_trace_goes_from_the_publisher_through_retries_to_the_last_handler_and_its_events()
    {
        await using var world = await MessagingWorld.Create();
        var seen = new List<string?>();
        world.Journal.When<Book>((_, envelope) =>
        {
            lock (seen)
            {
                seen.Add(Activity.Current?.TraceId.ToString());
            }

            if (envelope.Attempt == 1)
            {
                throw new HttpRequestException("Later.");
            }
        });
        world.Journal.When<Confirm>((_, _) =>
        {
            lock (seen)
            {
                seen.Add(Activity.Current?.TraceId.ToString());
            }
        });
        var node = await world.StartNode(options => options.Backoff = [TimeSpan.FromMilliseconds(10)]);

        using var request = new Activity("request").SetIdFormat(ActivityIdFormat.W3C).Start();
        var trace = request.TraceId.ToString();
        await node.Publish(new Book("work", 1));
        request.Stop();
        await Eventually.Holds("all is done", async () => await world.Stored() == 0 && seen.Count == 3);

        seen.ShouldBe([trace, trace, trace]);
        await using var session = world.Store.QuerySession();
        var booked = (await session.Events.FetchStreamAsync("work")).ShouldHaveSingleItem();
        booked.CorrelationId.ShouldBe(trace);
        booked.CausationId.ShouldBe(world.Journal.EnvelopesOf<Book>().First().Id.ToString());
        booked.Headers.ShouldNotBeNull()["actor"].ToString().ShouldBe("message:book");
    }

    [Fact]
    public async Task Without_a_trace_one_begins_with_the_message()
    {
        await using var world = await MessagingWorld.Create();
        var node = await world.StartNode();

        await node.Publish(new Book("work", 1));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        var first = world.Journal.EnvelopesOf<Book>().Single();
        first.CorrelationId.Length.ShouldBe(32);
        world.Journal.EnvelopesOf<Confirm>().Single().CorrelationId.ShouldBe(first.CorrelationId);
    }

    [Fact]
    public async Task Listeners_see_one_span_for_each_attempt()
    {
        await using var world = await MessagingWorld.Create();
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == MessagingDiagnostics.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                lock (spans)
                {
                    spans.Add(span);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        var node = await world.StartNode();
        using var request = new Activity("request").SetIdFormat(ActivityIdFormat.W3C).Start();

        await node.Publish(new Ping("hello"));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);

        await Eventually.Holds("both spans ended", () => Mine().Count == 2);
        Mine().Select(span => span.DisplayName).ShouldBe(["publish ping", "handle ping"]);

        List<Activity> Mine()
        {
            lock (spans)
            {
                return [.. spans.Where(span => span.TraceId == request.TraceId)];
            }
        }
    }
}
