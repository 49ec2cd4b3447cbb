using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>One commission can be followed from its request through webhooks to the payout.</summary>
public sealed class CommissionTraceTests(Office office) : IClassFixture<Office>
{
    private static readonly string[] Followed = ["CaveComm.Commissions", "CaveComm.Messaging", "Microsoft.AspNetCore"];

    [Fact]
    public async Task From_the_request_every_later_step_is_reached_by_its_trace_or_by_links_from_it()
    {
        var spans = new List<Activity>();
        using var listener = Listen(spans);
        var story = await new Story(office).Publish("onDelivery", "stripe");
        string trace;
        using (var customer = new Activity("customer").SetIdFormat(ActivityIdFormat.W3C).Start())
        {
            trace = customer.TraceId.ToString();
            await story.Request("stripe");
        }

        await story.Accept();
        await story.Upload();
        await story.Pay();
        await story.Reaches("paidOut");

        var events = (await office.Auditor.GetFromJsonAsync<JsonObject>($"audit/streams/commission:{story.RequestId}"))!["events"]!.AsArray();
        CorrelationOf(events, "commission.requested").ShouldBe(trace);
        CorrelationOf(events, "commission.payment-received").ShouldBe(trace, "what follows from the webhook goes on in the commission's trace");
        CorrelationOf(events, "commission.payout-requested").ShouldBe(trace);
        CorrelationOf(events, "commission.paid-out").ShouldBe(trace);

        var reached = Reached(trace);
        foreach (var happened in events)
        {
            reached.ShouldContain((string)happened!["correlationId"]!, (string)happened["type"]!);
        }

        // The webhook is a request of its own, and a span in the commission's trace leads to it.
        var told = Spans().Where(span => span.TraceId.ToString() == trace && span.DisplayName.StartsWith("stripe told", StringComparison.Ordinal)).ToList();
        told.ShouldNotBeEmpty();
        var webhooks = told.SelectMany(span => span.Links).Select(link => link.Context.TraceId.ToString()).ToHashSet();
        webhooks.ShouldNotContain(trace);
        Spans().ShouldContain(span => webhooks.Contains(span.TraceId.ToString()) && span.DisplayName == "handle provider-event-stored");
        foreach (var handled in new[] { "handle check-invoice", "handle payout-due", "handle send-payout" })
        {
            Spans().ShouldContain(span => span.TraceId.ToString() == trace && span.DisplayName == handled, handled);
        }

        List<Activity> Spans()
        {
            lock (spans)
            {
                return [.. spans];
            }
        }

        HashSet<string> Reached(string from)
        {
            var all = Spans();
            var found = new HashSet<string> { from };
            var next = new Queue<string>(found);
            while (next.TryDequeue(out var at))
            {
                foreach (var linked in all.Where(span => span.TraceId.ToString() == at).SelectMany(span => span.Links).Select(link => link.Context.TraceId.ToString()))
                {
                    if (found.Add(linked))
                    {
                        next.Enqueue(linked);
                    }
                }
            }

            return found;
        }
    }

    private static string CorrelationOf(JsonArray events, string type) =>
        (string)events.Last(it => (string)it!["type"]! == type)!["correlationId"]!;

    private static ActivityListener Listen(List<Activity> spans)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => Followed.Contains(source.Name),
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
        return listener;
    }
}
