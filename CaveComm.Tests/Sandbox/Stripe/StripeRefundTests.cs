using System.Net;
using Shouldly;

namespace CaveComm.Tests.Sandbox.Stripe;

public sealed class StripeRefundTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(40);

    [Fact]
    public async Task Two_parts_give_back_the_exact_sum_and_nothing_more()
    {
        await using var stripe = await Start();
        var charge = await PaidCharge(stripe);
        await stripe.Post("/v1/refunds", ("charge", charge), ("amount", "1500"));
        var (tooMuch, why) = await stripe.Refused("/v1/refunds", ("charge", charge), ("amount", "3001"));
        tooMuch.ShouldBe(HttpStatusCode.BadRequest);
        ((string?)why["message"])!.ShouldContain("30.00 EUR");
        await stripe.Post("/v1/refunds", ("charge", charge), ("amount", "3000"));
        ((string?)(await stripe.Refused("/v1/refunds", ("charge", charge))).Error["code"]).ShouldBe("charge_already_refunded");

        var now = await stripe.Get($"/v1/charges/{charge}?expand[]=refunds");
        ((long)now["amount_refunded"]!).ShouldBe(4500);
        ((bool)now["refunded"]!).ShouldBeTrue();
        now["refunds"]!["data"]!.AsArray().Count.ShouldBe(2);
        (await stripe.Get("/v1/balance_transactions?type=refund"))["data"]!.AsArray().Sum(it => (long)it!["net"]!).ShouldBe(-4500);
    }

    [Fact]
    public async Task A_refund_that_fails_later_gives_the_money_back_to_the_charge_and_the_balance()
    {
        await using var receiver = await WebhookReceiver.Start();
        await using var stripe = await Start();
        stripe.SetWebhookUrl(receiver.Url);
        var charge = await PaidCharge(stripe);
        var before = await Available(stripe);
        await stripe.Control(new { refunds = "fail" });
        var refund = await stripe.Post("/v1/refunds", ("charge", charge), ("amount", "1500"));
        ((string?)refund["status"]).ShouldBe("succeeded");

        await StripeSandbox.Eventually(() => receiver.Types.Contains("refund.failed"), "the refund to fail");
        var told = receiver.All.First(it => it.Type == "refund.failed").Event["data"]!["object"]!;
        ((string?)told["status"]).ShouldBe("failed");
        ((string?)told["failure_reason"]).ShouldBe("expired_or_canceled_card");
        ((long)(await stripe.Get($"/v1/charges/{charge}"))["amount_refunded"]!).ShouldBe(0);
        (await Available(stripe)).ShouldBe(before);
        await StripeSandbox.Eventually(
            () => new[] { "refund.created", "charge.refunded", "refund.updated", "charge.refund.updated" }.All(receiver.Types.Contains), "all that tells of it");
    }

    [Fact]
    public async Task A_pending_refund_succeeds_after_a_restart()
    {
        await using var stripe = await StripeSandbox.Start(options => options with { RefundTakes = TimeSpan.FromMilliseconds(500) });
        var charge = await PaidCharge(stripe);
        await stripe.Control(new { refunds = "pending" });
        var refund = await stripe.Post("/v1/refunds", ("charge", charge));
        ((string?)refund["status"]).ShouldBe("pending");
        await stripe.Restart();
        await StripeSandbox.Eventually(async () => (string?)(await stripe.Get($"/v1/refunds/{refund["id"]}"))["status"] == "succeeded", "the refund to arrive");
    }

    [Fact]
    public async Task A_refund_without_cover_waits_for_the_balance()
    {
        await using var stripe = await Start();
        var charge = await PaidCharge(stripe);
        await stripe.Control(new { refunds = "short" });
        var refund = await stripe.Post("/v1/refunds", ("charge", charge));
        ((string?)refund["status"]).ShouldBe("pending");
        ((string?)refund["pending_reason"]).ShouldBe("insufficient_funds"); // The fee was taken from the payment, so all of it is not there.
        await PaidCharge(stripe);
        await StripeSandbox.Eventually(async () => (string?)(await stripe.Get($"/v1/refunds/{refund["id"]}"))["status"] == "succeeded", "the balance to cover it");
    }

    [Fact]
    public async Task A_refund_that_waits_for_the_customer_can_be_cancelled()
    {
        await using var stripe = await Start();
        var charge = await PaidCharge(stripe);
        await stripe.Control(new { refunds = "action" });
        var refund = await stripe.Post("/v1/refunds", ("charge", charge));
        ((string?)(await stripe.Post($"/v1/refunds/{refund["id"]}/cancel"))["status"]).ShouldBe("canceled");
        ((long)(await stripe.Get($"/v1/charges/{charge}"))["amount_refunded"]!).ShouldBe(0);
        (await stripe.Refused($"/v1/refunds/{refund["id"]}/cancel")).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_disputed_charge_is_not_refunded_unless_the_dispute_is_won()
    {
        await using var receiver = await WebhookReceiver.Start();
        await using var stripe = await Start();
        stripe.SetWebhookUrl(receiver.Url);
        var charge = await PaidCharge(stripe);
        var before = await Available(stripe);
        await stripe.Control(new { openDispute = charge });
        ((string?)(await stripe.Refused("/v1/refunds", ("charge", charge))).Error["code"]).ShouldBe("charge_disputed");
        var dispute = (string)(await stripe.Get($"/v1/disputes?charge={charge}"))["data"]![0]!["id"]!;
        (await Available(stripe)).ShouldBe(before - 4500 - 2000);

        await stripe.Post($"/v1/disputes/{dispute}", ("evidence[product_description]", "A portrait"), ("submit", "false"));
        var draft = await stripe.Get($"/v1/disputes/{dispute}");
        ((string?)draft["status"]).ShouldBe("needs_response");
        ((bool)draft["evidence_details"]!["has_evidence"]!).ShouldBeTrue();
        await stripe.Post($"/v1/disputes/{dispute}", ("submit", "true"));
        (await stripe.Refused($"/v1/disputes/{dispute}", ("evidence[receipt]", "again"))).Status.ShouldBe(HttpStatusCode.BadRequest);
        await stripe.Control(new { winDispute = dispute });
        ((string?)(await stripe.Get($"/v1/disputes/{dispute}"))["status"]).ShouldBe("won");
        (await Available(stripe)).ShouldBe(before - 2000);
        await stripe.Post("/v1/refunds", ("charge", charge));
        await StripeSandbox.Eventually(
            () => new[] { "charge.dispute.updated", "charge.dispute.closed", "charge.dispute.funds_reinstated" }.All(receiver.Types.Contains), "the dispute's events");
    }

    [Fact]
    public async Task A_dispute_that_is_accepted_is_lost()
    {
        await using var stripe = await Start();
        var charge = await PaidCharge(stripe);
        await stripe.Control(new { openDispute = charge });
        var dispute = (string)(await stripe.Get($"/v1/disputes?charge={charge}"))["data"]![0]!["id"]!;
        ((string?)(await stripe.Post($"/v1/disputes/{dispute}/close"))["status"]).ShouldBe("lost");
        (await stripe.Refused($"/v1/disputes/{dispute}/close")).Status.ShouldBe(HttpStatusCode.BadRequest);
        ((string?)(await stripe.Refused("/v1/refunds", ("charge", charge))).Error["code"]).ShouldBe("charge_disputed");
    }

    [Fact]
    public async Task A_share_that_was_paid_out_already_can_not_be_taken_back()
    {
        const string Artist = "acct_1Artist42";
        await using var stripe = await Start();
        stripe.SeedAccount(Artist);
        var charge = await PaidCharge(stripe);
        var transfer = await stripe.Post(
            "/v1/transfers", ("amount", "3600"), ("currency", "eur"), ("destination", Artist), ("source_transaction", charge));
        await stripe.PostAs(Artist, "/v1/payouts", ("amount", "3000"), ("currency", "eur"));
        var path = $"/v1/transfers/{transfer["id"]}/reversals";
        ((string?)(await stripe.Refused(path, ("amount", "601"))).Error["code"]).ShouldBe("balance_insufficient");
        await stripe.Post(path, ("amount", "600"));
        var now = await stripe.Get($"/v1/transfers/{transfer["id"]}");
        ((long)now["amount_reversed"]!).ShouldBe(600);
        ((bool)now["reversed"]!).ShouldBeFalse();
        ((long)(await stripe.Get("/v1/balance", Artist))["available"]![0]!["amount"]!).ShouldBe(0);
        await stripe.Post("/v1/transfers", ("amount", "600"), ("currency", "eur"), ("destination", Artist), ("source_transaction", charge));
    }

    private static Task<StripeSandbox> Start() => StripeSandbox.Start(options => options with { RefundTakes = Soon, DisputeTakes = Soon });

    private static async Task<long> Available(StripeSandbox stripe) => (long)(await stripe.Get("/v1/balance"))["available"]![0]!["amount"]!;

    private static async Task<string> PaidCharge(StripeSandbox stripe)
    {
        await stripe.Press(await stripe.OpenInvoice(), "pay");
        return (string)(await stripe.Get("/v1/charges"))["data"]![0]!["id"]!;
    }
}
