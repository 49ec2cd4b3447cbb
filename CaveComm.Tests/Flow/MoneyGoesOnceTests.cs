using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Api.Freelancers;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>What happens between a provider's work and our note of it, and when people change their mind just then.</summary>
public sealed class MoneyGoesOnceTests(Office office) : IClassFixture<Office>
{
    [Fact]
    public async Task Work_that_is_withdrawn_while_its_invoice_is_being_made_cannot_be_paid()
    {
        var story = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");
        await Control(new { delayMilliseconds = 700 });
        try
        {
            await story.Accept();
            await Eventually.Holds("Stripe is at work on the invoice", async () => (await Invoices(story)).Count == 1);

            using var withdrawn = await office.Anonymous.PostAsJsonAsync(story.StatusUrl.Replace("?token=", "/withdraw?token=", StringComparison.Ordinal), new { });
            withdrawn.StatusCode.ShouldBe(HttpStatusCode.OK, await withdrawn.Content.ReadAsStringAsync());

            await Eventually.Holds(
                "the invoice is void at Stripe and in the history",
                async () => (await Invoices(story)).All(invoice => (string)invoice["status"]! == "void") && (await story.History()).Contains("commission.invoice-voided"));
        }
        finally
        {
            await Control(new { delayMilliseconds = 0 });
        }

        (await Invoices(story)).Count.ShouldBe(1);
        ((string)(await story.Detail())["status"]!).ShouldBe("withdrawn");
    }

    [Fact]
    public async Task A_new_payout_destination_after_a_refusal_does_not_send_the_money_again()
    {
        var story = await (await (await new Story(office).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");
        await Control(new { failPayouts = true });
        try
        {
            await story.Upload();
            await Eventually.Holds("the first payout is refused", async () => await Refusals(story) == 1);

            await SetDestination(DemoShop.StripeAccount(Office.Jonas.Handle));
            await Eventually.Holds("the second one is, too", async () => await Refusals(story) == 2);
            ((string)(await story.Detail())["payout"]!["reason"]!).ShouldContain("already");
        }
        finally
        {
            await Control(new { failPayouts = false });
        }

        await SetDestination(DemoShop.StripeAccount(Office.Mira.Handle));
        await story.Reaches("paidOut");
        (await Transfers(story)).ShouldHaveSingleItem();
    }

    private static async Task<int> Refusals(Story story) => (await story.History()).Count(type => type == "commission.payout-failed");

    private async Task SetDestination(string account)
    {
        using var answer = await office.Freelancer.PutAsJsonAsync($"freelancer/{Office.Mira.Handle}/payoutDestinations/stripe", new { destination = account });
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
    }

    private async Task<List<JsonNode>> Invoices(Story story) =>
        [.. (await List("v1/invoices?limit=100")).Where(invoice => (string?)invoice["metadata"]?["commission_id"] == $"{story.RequestId}")];

    private Task<List<JsonNode>> Transfers(Story story) => List($"v1/transfers?transfer_group=commission_{story.RequestId}");

    private async Task<List<JsonNode>> List(string path)
    {
        using var stripe = new HttpClient { BaseAddress = office.Sandbox.StripeUrl };
        stripe.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", office.Sandbox.StripeApiKey);
        return [.. (await stripe.GetFromJsonAsync<JsonObject>(path))!["data"]!.AsArray().OfType<JsonNode>()];
    }

    private async Task Control(object switches)
    {
        using var stripe = new HttpClient { BaseAddress = office.Sandbox.StripeUrl };
        using var answer = await stripe.PostAsJsonAsync("_control", switches);
        answer.EnsureSuccessStatusCode();
    }
}
