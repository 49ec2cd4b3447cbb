using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Money that goes out by hand or has nowhere to go yet, and invoices that nobody shall pay any more.</summary>
public sealed class PayoutTests(Office office) : IClassFixture<Office>
{
    [Fact]
    public async Task A_payout_by_hand_waits_for_the_freelancer_to_mark_it()
    {
        var nora = await office.OpenShop("nora");
        await SetDestination(nora, new { manual = true });
        var story = await Delivered(nora);
        await Eventually.Holds("the payout is asked for", async () => (await story.Detail())["payout"] is not null);
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        ((string)(await story.Detail())["status"]!).ShouldBe("delivered");

        using var marked = await story.Post("markPaidOut");

        ((string)(await marked.Content.ReadFromJsonAsync<JsonObject>())!["status"]!).ShouldBe("paidOut");
        using var again = await story.Post("markPaidOut");
        again.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await story.History()).Count(it => it == "commission.paid-out").ShouldBe(1);
        await office.Mail("nora", $"Paid out: \u201c{story.Title}");
    }

    [Fact]
    public async Task A_payout_without_a_destination_waits_until_there_is_one()
    {
        var olga = await office.OpenShop("olga");
        var story = await Delivered(olga);
        await office.Mail("olga", $"Where shall we pay you for \u201c{story.Title}");
        (await story.Detail())["payout"].ShouldBeNull();
        using var early = await story.Post("markPaidOut");
        await early.IsProblem(HttpStatusCode.Conflict, "wrong-stage");

        office.Sandbox.SeedConnectedAccount("acct_olga", "olga@cavecomm.example");
        await SetDestination(olga, new { destination = "acct_olga" });

        await story.Reaches("paidOut");
        (await story.History()).Count(it => it == "commission.payout-requested").ShouldBe(1);
        (await office.Mails("olga")).Count(it => ((string)it["subject"]!).StartsWith("Where shall we pay you", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Theory]
    [InlineData("stripe", "cancel")]
    [InlineData("stripe", "withdraw")]
    [InlineData("btcpay", "cancel")]
    [InlineData("btcpay", "withdraw")]
    public async Task What_is_called_off_can_no_longer_be_paid(string provider, string act)
    {
        var story = await (await (await new Story(office).Publish("upFront", provider)).Request(provider)).Accept();
        var invoice = (string)(await story.Reaches("awaitingPayment"))["invoice"]!["id"]!;

        using var ended = act == "cancel"
            ? await story.Post("cancel", new { reason = "I broke my arm." })
            : await office.Anonymous.PostAsJsonAsync(story.StatusUrl.Replace("?", "/withdraw?", StringComparison.Ordinal), new { });
        ended.StatusCode.ShouldBe(HttpStatusCode.OK, await ended.Content.ReadAsStringAsync());

        await Eventually.Holds("the provider's invoice is void", async () => await Standing(provider, invoice) is "void" or "Invalid");
        await Eventually.Holds("that is on record", async () => (await story.History()).Contains("commission.invoice-voided"));
        (await office.Anonymous.GetFromJsonAsync<JsonObject>(story.StatusUrl))!["payUrl"].ShouldBeNull();
        if (act == "cancel")
        {
            ((string)(await office.Mail(story.CustomerEmail, "was cancelled"))["text"]!).ShouldContain("I broke my arm.");
        }
        else
        {
            await office.Mail(Office.Mira.Handle, story.Title);
        }
    }

    private static async Task SetDestination((string Handle, HttpClient Client) shop, object destination)
    {
        using var set = await shop.Client.PutAsJsonAsync($"freelancer/{shop.Handle}/payoutDestinations/stripe", destination);
        set.StatusCode.ShouldBe(HttpStatusCode.OK, await set.Content.ReadAsStringAsync());
    }

    private async Task<Story> Delivered((string Handle, HttpClient Client) shop)
    {
        var story = await (await (await new Story(office, shop).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");
        ((string)(await story.Upload())["delivery"]!).ShouldBe("sent");
        return story;
    }

    private async Task<string?> Standing(string provider, string invoice)
    {
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Authorization = provider == "stripe"
            ? new AuthenticationHeaderValue("Bearer", office.Sandbox.StripeApiKey)
            : new AuthenticationHeaderValue("token", office.Sandbox.BtcPayApiKey);
        var address = provider == "stripe"
            ? new Uri(office.Sandbox.StripeUrl, $"v1/invoices/{invoice}")
            : new Uri(office.Sandbox.BtcPayUrl, $"api/v1/stores/{office.Sandbox.BtcPayStoreId}/invoices/{invoice}");
        return (string?)(await client.GetFromJsonAsync<JsonObject>(address))!["status"];
    }
}
