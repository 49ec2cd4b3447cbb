using System.Net;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>The customer's browser comes back from paying at the moment when the webhook comes.</summary>
public sealed class ReturnPageTests(Office office) : IClassFixture<Office>
{
    private const int Closest = 50;

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task Return_page_and_webhook_within_a_moment_are_one_payment_and_work_begins(string provider)
    {
        var pairs = Soak.Size(10, 1_000) / 2; // Half of them by each provider.
        var lookalike = provider == "stripe" ? office.Sandbox.StripeUrl : office.Sandbox.BtcPayUrl;
        await office.Control(lookalike, new { dropWebhooks = true });
        var stories = new List<Story>();
        try
        {
            for (var pair = 0; pair < pairs; pair++)
            {
                var story = await (await (await new Story(office).Publish("upFront", provider)).Request(provider)).Accept();
                await story.Pay();
                await Meet(story, provider, TimeSpan.FromMilliseconds((pair * 7) % Closest), pageFirst: pair % 2 == 0);
                stories.Add(story);
            }

            foreach (var story in stories)
            {
                // Bitcoin is confirmed a moment after it was sent; whoever looked too early is told by the next webhook.
                await Eventually.Holds($"{story.RequestId} goes on", async () =>
                {
                    if ((string)(await story.Detail())["status"]! == "inProgress")
                    {
                        return true;
                    }

                    if (provider == "btcpay")
                    {
                        await Tell(story, provider);
                    }

                    return false;
                });
            }
        }
        finally
        {
            await office.Control(lookalike, new { reset = true });
        }

        await office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));
        foreach (var story in stories)
        {
            var detail = await story.Detail();
            ((string)detail["received"]!["amount"]!).ShouldBe("120.00");

            // Whether bitcoin was seen before it was confirmed is a matter of the moment.
            (await story.History()).Where(type => type != "commission.payment-seen").ShouldBe(["commission.requested", "commission.accepted", "commission.invoice-issued", "commission.payment-received"]);
            (await office.Mails(Office.Mira.Handle)).Count(it => ((string)it["subject"]!).StartsWith($"Paid: \u201c{story.Title}", StringComparison.Ordinal)).ShouldBe(1);
        }
    }

    // Both within the moment, either of them first; they overlap as chance has it.
    private async Task Meet(Story story, string provider, TimeSpan apart, bool pageFirst)
    {
        var page = () => Return(story);
        var webhook = () => Tell(story, provider);
        var first = (pageFirst ? page : webhook)();
        await Task.Delay(apart, TestContext.Current.CancellationToken); // The distance itself, not a wait for anything.
        await (pageFirst ? webhook : page)();
        await first;
    }

    private async Task Return(Story story)
    {
        using var answer = await office.Anonymous.GetAsync($"{story.StatusUrl}&returned=1");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private async Task Tell(Story story, string provider)
    {
        var body = Webhook.Paid(provider, $"evt_{Guid.NewGuid():N}", (string)(await story.Detail())["invoice"]!["id"]!, story.RequestId);
        using var answer = await office.Tell(provider, body, office.Sign(provider, body));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }
}
