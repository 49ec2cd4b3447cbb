using System.Net;
using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Sandbox.Stripe;

public sealed class StripeConnectTests
{
    private const string Artist = "acct_1Artist42";

    [Fact]
    public async Task A_share_is_transferred_and_paid_out()
    {
        await using var receiver = await WebhookReceiver.Start();
        await using var stripe = await StripeSandbox.Start();
        stripe.SetWebhookUrl(receiver.Url);
        stripe.SeedAccount(Artist);
        var charge = await PaidCharge(stripe);

        var transfer = await stripe.Post(
            "/v1/transfers",
            ("amount", "3600"),
            ("currency", "eur"),
            ("destination", Artist),
            ("source_transaction", charge),
            ("transfer_group", "commission_42"),
            ("metadata[commission_id]", "42"));
        ((string?)(await stripe.Get("/v1/transfers?transfer_group=commission_42"))["data"]![0]!["id"]).ShouldBe((string?)transfer["id"]);
        ((long)(await stripe.Get("/v1/balance", Artist))["available"]![0]!["amount"]!).ShouldBe(3600);

        var payout = await stripe.PostAs(Artist, "/v1/payouts", ("amount", "3600"), ("currency", "eur"), ("metadata[payout_id]", "9"));
        ((string?)payout["status"]).ShouldBe("pending");
        await StripeSandbox.Eventually(() => receiver.Types.Contains("payout.paid"), "the payout to arrive");
        var told = receiver.All.Single(it => it.Type == "payout.paid").Event;
        ((string?)told["account"]).ShouldBe(Artist);
        ((string?)told["data"]!["object"]!["metadata"]!["payout_id"]).ShouldBe("9");
        ((string?)(await stripe.Get($"/v1/payouts/{payout["id"]}", Artist))["status"]).ShouldBe("paid");
        ((long)(await stripe.Get("/v1/balance", Artist))["available"]![0]!["amount"]!).ShouldBe(0);

        using var withoutAccount = await stripe.Send(HttpMethod.Get, $"/v1/payouts/{payout["id"]}");
        withoutAccount.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        ((string?)(await stripe.Get("/v1/events?type=payout.paid", Artist))["data"]![0]!["id"]).ShouldBe((string?)told["id"]);
        (await stripe.Get("/v1/events?types[]=payout.paid"))["data"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task More_than_the_charge_is_not_transferred()
    {
        await using var stripe = await StripeSandbox.Start();
        stripe.SeedAccount(Artist);
        var charge = await PaidCharge(stripe);
        (string, string)[] most = [("amount", "4500"), ("currency", "eur"), ("destination", Artist), ("source_transaction", charge)];
        await stripe.Post("/v1/transfers", most);
        var (status, error) = await stripe.Refused("/v1/transfers", [("amount", "1"), .. most[1..]]);
        status.ShouldBe(HttpStatusCode.BadRequest);
        ((string?)error["code"]).ShouldBe("balance_insufficient");
    }

    [Fact]
    public async Task A_payout_to_a_closed_bank_account_fails_and_the_money_comes_back()
    {
        await using var stripe = await StripeSandbox.Start();
        stripe.SeedAccount(Artist);
        await stripe.Post(
            "/v1/transfers", ("amount", "3600"), ("currency", "eur"), ("destination", Artist), ("source_transaction", await PaidCharge(stripe)));
        await stripe.Control(new { failPayouts = true });
        var payout = await stripe.PostAs(Artist, "/v1/payouts", ("amount", "3600"), ("currency", "eur"));
        JsonObject? now = null;
        await StripeSandbox.Eventually(
            async () => (string?)(now = await stripe.Get($"/v1/payouts/{payout["id"]}", Artist))["status"] == "failed", "the payout to fail");
        ((string?)now!["failure_code"]).ShouldBe("account_closed");
        ((long)(await stripe.Get("/v1/balance", Artist))["available"]![0]!["amount"]!).ShouldBe(3600);
    }

    [Fact]
    public async Task A_payout_on_its_way_arrives_after_a_restart()
    {
        await using var stripe = await StripeSandbox.Start(options => options with { PayoutTakes = TimeSpan.FromSeconds(1) });
        stripe.SeedAccount(Artist);
        await stripe.Post(
            "/v1/transfers", ("amount", "3600"), ("currency", "eur"), ("destination", Artist), ("source_transaction", await PaidCharge(stripe)));
        var payout = await stripe.PostAs(Artist, "/v1/payouts", ("amount", "3600"), ("currency", "eur"));
        await stripe.Restart();
        await StripeSandbox.Eventually(
            async () => (string?)(await stripe.Get($"/v1/payouts/{payout["id"]}", Artist))["status"] == "paid", "the payout to arrive");
    }

    [Fact]
    public async Task A_new_account_is_set_up_by_its_link()
    {
        await using var stripe = await StripeSandbox.Start();
        var account = await stripe.Post(
            "/v1/accounts",
            ("type", "express"),
            ("country", "DE"),
            ("email", "art@example.com"),
            ("business_type", "individual"),
            ("capabilities[transfers][requested]", "true"),
            ("settings[payouts][schedule][interval]", "manual"),
            ("metadata[freelancer_id]", "42"));
        ((bool)account["payouts_enabled"]!).ShouldBeFalse();
        var link = await stripe.Post(
            "/v1/account_links",
            ("account", (string)account["id"]!),
            ("type", "account_onboarding"),
            ("refresh_url", "http://127.0.0.1/again"),
            ("return_url", "http://127.0.0.1/done"));
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("action", "complete")]);
        using var done = await stripe.Http.PostAsync((string)link["url"]!, form, TestContext.Current.CancellationToken);
        done.Headers.Location!.OriginalString.ShouldBe("http://127.0.0.1/done");
        using var used = await stripe.Http.GetAsync((string)link["url"]!, TestContext.Current.CancellationToken);
        used.Headers.Location!.OriginalString.ShouldBe("http://127.0.0.1/again");
        using var unknown = await stripe.Http.GetAsync((string)link["url"]! + "x", TestContext.Current.CancellationToken);
        unknown.StatusCode.ShouldBe(HttpStatusCode.NotFound);

        var ready = await stripe.Get($"/v1/accounts/{account["id"]}");
        ((bool)ready["payouts_enabled"]!).ShouldBeTrue();
        ((string?)ready["capabilities"]!["transfers"]).ShouldBe("active");
    }

    private static async Task<string> PaidCharge(StripeSandbox stripe)
    {
        await stripe.Press(await stripe.OpenInvoice(), "pay");
        return (string)(await stripe.Get("/v1/charges"))["data"]![0]!["id"]!;
    }
}
