using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>A freelancer without an account at Stripe gets one from the shop's page.</summary>
public sealed class PayoutAccountTests(Office office) : IClassFixture<Office>
{
    [Fact]
    public async Task F19_payouts_wait_until_stripe_knows_the_freelancer_and_go_then()
    {
        var (handle, client) = await office.OpenShop("petra");
        var link = await Open(handle, client);
        var story = await (await (await new Story(office, (handle, client)).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");
        await story.Upload();
        await office.Mail(handle, $"One thing is missing before we can pay you for \u201c{story.Title}");
        (await story.Detail())["payout"].ShouldBeNull();
        (await Account(handle, client))["ready"]!.GetValue<bool>().ShouldBeFalse();

        // Whoever leaves without finishing is where they were.
        using var left = await Press(link, "leave");
        left.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        using var back = await client.GetAsync(left.Headers.Location);
        back.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        back.Headers.Location!.ToString().ShouldBe($"/freelancer/{handle}/templates#payouts");
        await office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));
        (await Account(handle, client))["ready"]!.GetValue<bool>().ShouldBeFalse();

        // A link works once; the account stays the same.
        using var used = await Press(link, "complete");
        used.Headers.Location.ShouldBe(left.Headers.Location, "the look-alike leads back to where a new link can be had");
        (await Account(handle, client))["ready"]!.GetValue<bool>().ShouldBeFalse();
        using var finished = await Press(await Open(handle, client), "complete");
        finished.StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        await story.Reaches("paidOut");
        (await Account(handle, client))["ready"]!.GetValue<bool>().ShouldBeTrue();
        var accounts = (await Shop(handle, client))["payoutAccounts"]!.AsArray();
        (await office.StripeRecords("transfers")).Single(it => (string?)it["metadata"]!["commission_id"] == story.RequestId.ToString())["destination"]!
            .GetValue<string>().ShouldBe((string)accounts[0]!["account"]!);
        (await story.History()).Count(it => it == "commission.payout-requested").ShouldBe(1);
    }

    [Fact]
    public async Task Coming_back_is_enough_when_the_webhook_is_lost()
    {
        var (handle, client) = await office.OpenShop("pavel");
        var link = await Open(handle, client);
        await office.Control(office.Sandbox.StripeUrl, new { dropWebhooks = true });
        try
        {
            using var finished = await Press(link, "complete");
            using var back = await client.GetAsync(finished.Headers.Location);

            await Eventually.Holds("the account is ready", async () => (await Account(handle, client))["ready"]!.GetValue<bool>());
        }
        finally
        {
            await office.Control(office.Sandbox.StripeUrl, new { dropWebhooks = false });
        }
    }

    [Fact]
    public async Task A_form_is_sent_on_to_stripe_and_the_page_allows_that()
    {
        var (handle, client) = await office.OpenShop("pola");
        var browser = office.Client(client.DefaultRequestHeaders.Authorization!.Parameter, "text/html");
        using var page = await browser.GetAsync($"freelancer/{handle}/templates");
        (await page.Content.ReadAsStringAsync()).ShouldContain("Set it up at Stripe");
        var policy = page.Headers.GetValues("Content-Security-Policy").Single();
        policy.ShouldContain("form-action 'self' https://connect.stripe.com ");
        policy.ShouldContain(office.Sandbox.StripeUrl.GetLeftPart(UriPartial.Authority));

        using var form = new FormUrlEncodedContent([new("country", "de")]);
        using var sent = await browser.PostAsync($"freelancer/{handle}/payoutAccounts/stripe", form);

        sent.StatusCode.ShouldBe(HttpStatusCode.SeeOther, await sent.Content.ReadAsStringAsync());
        sent.Headers.Location!.AbsoluteUri.ShouldStartWith(office.Sandbox.StripeUrl.AbsoluteUri);
        using var shop = await browser.GetAsync($"freelancer/{handle}/templates");
        (await shop.Content.ReadAsStringAsync()).ShouldContain("Go on at Stripe");
    }

    [Fact]
    public async Task Only_the_freelancer_opens_an_account_and_only_where_one_is_made()
    {
        var (handle, client) = await office.OpenShop("piet");
        using var stranger = await office.Second.PostAsJsonAsync($"freelancer/{handle}/payoutAccounts/stripe", new { });
        stranger.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        using var elsewhere = await client.PostAsJsonAsync($"freelancer/{handle}/payoutAccounts/btcpay", new { });
        await elsewhere.IsProblem(HttpStatusCode.NotFound, "no-such-provider");
        using var nonsense = await client.PostAsJsonAsync($"freelancer/{handle}/payoutAccounts/stripe", new { country = "Germany" });
        await nonsense.IsProblem(HttpStatusCode.UnprocessableEntity, "invalid", "country");
        (await Shop(handle, client))["payoutAccounts"]!.AsArray().ShouldBeEmpty();
    }

    private static async Task<Uri> Open(string handle, HttpClient client)
    {
        using var answer = await client.PostAsJsonAsync($"freelancer/{handle}/payoutAccounts/stripe", new { country = "DE" });
        answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
        return new Uri((string)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["url"]!);
    }

    private static async Task<JsonObject> Shop(string handle, HttpClient client) => (await client.GetFromJsonAsync<JsonObject>($"freelancer/{handle}/profile"))!;

    private static async Task<JsonObject> Account(string handle, HttpClient client) => (await Shop(handle, client))["payoutAccounts"]!.AsArray().ShouldHaveSingleItem()!.AsObject();

    private static async Task<HttpResponseMessage> Press(Uri link, string action)
    {
        using var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var form = new FormUrlEncodedContent([new("action", action)]);
        return await browser.PostAsync(link, form);
    }
}
