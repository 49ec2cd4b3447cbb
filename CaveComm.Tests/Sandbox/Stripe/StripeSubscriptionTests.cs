using System.Net;
using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Sandbox.Stripe;

public sealed class StripeSubscriptionTests
{
    [Fact]
    public async Task A_year_of_months_is_twelve_renewals_also_after_a_restart()
    {
        await using var stripe = await StripeSandbox.Start();
        var subscription = await stripe.Subscribe(await stripe.Member(), await stripe.Plan());
        await stripe.Pass(days: 200);
        await stripe.Restart();
        await stripe.Pass(days: 166, hours: 3);
        await StripeSandbox.Eventually(
            async () => (await stripe.InvoicesOf(subscription)).Count(it => (string?)it!["status"] == "paid") == 13, "twelve renewals after the first payment");
        var starts = (await stripe.InvoicesOf(subscription)).Select(it => (long)it!["lines"]!["data"]![0]!["period"]!["start"]!).ToList();
        starts.Distinct().Count().ShouldBe(13);
        (await stripe.Status(subscription)).ShouldBe("active");
    }

    [Fact]
    public async Task A_card_that_fails_later_puts_it_behind_and_a_new_one_brings_it_back()
    {
        await using var receiver = await WebhookReceiver.Start();
        await using var stripe = await StripeSandbox.Start();
        stripe.SetWebhookUrl(receiver.Url);
        var member = await stripe.Member();
        var subscription = await stripe.Subscribe(member, await stripe.Plan());
        await stripe.Post($"/v1/customers/{member}", ("invoice_settings[default_payment_method]", "pm_card_chargeCustomerFail"));
        await stripe.Pass(days: 32);
        await StripeSandbox.Eventually(async () => await stripe.Status(subscription) == "past_due", "the renewal to fail");
        var open = (await stripe.InvoicesOf(subscription)).First(it => (string?)it!["status"] == "open")!;
        ((long)open["attempt_count"]!).ShouldBe(1);
        open["next_payment_attempt"].ShouldNotBeNull();

        await stripe.Post($"/v1/customers/{member}", ("invoice_settings[default_payment_method]", "pm_card_visa"));
        await stripe.Pass(days: 3, hours: 1);
        await StripeSandbox.Eventually(async () => await stripe.Status(subscription) == "active", "the second attempt");
        await StripeSandbox.Eventually(() => receiver.Types.Contains("invoice.payment_failed"), "word of the failure");
    }

    [Fact]
    public async Task After_the_last_attempt_it_ends()
    {
        await using var stripe = await StripeSandbox.Start();
        var member = await stripe.Member();
        var subscription = await stripe.Subscribe(member, await stripe.Plan(interval: "year"));
        await stripe.Post($"/v1/customers/{member}", ("invoice_settings[default_payment_method]", "pm_card_chargeCustomerFail"));
        await stripe.Pass(days: 367);
        foreach (var (attempts, days) in new[] { (1, 3), (2, 5), (3, 7) })
        {
            // Of the renewal: the first invoice was paid at one attempt, too, and stands there until the renewal has been made.
            await StripeSandbox.Eventually(
                async () => (await stripe.InvoicesOf(subscription)).Any(it =>
                    (string?)it!["billing_reason"] == "subscription_cycle" && (long)it["attempt_count"]! == attempts),
                $"attempt {attempts}");
            await stripe.Pass(days, hours: 1);
        }

        await StripeSandbox.Eventually(async () => await stripe.Status(subscription) == "canceled", "the end");
        var ended = await stripe.Get($"/v1/subscriptions/{subscription["id"]}");
        ((string?)ended["cancellation_details"]!["reason"]).ShouldBe("payment_failed");
    }

    [Fact]
    public async Task A_first_payment_that_is_declined_leaves_it_incomplete_and_then_expired()
    {
        await using var stripe = await StripeSandbox.Start();
        var (member, price) = (await stripe.Member("pm_card_chargeCustomerFail"), await stripe.Plan());
        var (status, error) = await stripe.Refused(
            "/v1/subscriptions", ("customer", member), ("items[0][price]", price), ("payment_behavior", "error_if_incomplete"));
        status.ShouldBe(HttpStatusCode.PaymentRequired);
        ((string?)error["code"]).ShouldBe("card_declined");
        (await stripe.Get($"/v1/subscriptions?customer={member}&status=all"))["data"]!.AsArray().ShouldBeEmpty();

        var subscription = await stripe.Subscribe(member, price);
        ((string?)subscription["status"]).ShouldBe("incomplete");
        await stripe.Pass(days: 1);
        await StripeSandbox.Eventually(async () => await stripe.Status(subscription) == "incomplete_expired", "the wait to end");
        ((string?)(await stripe.InvoicesOf(subscription))[0]!["status"]).ShouldBe("void");
    }

    [Fact]
    public async Task A_trial_costs_nothing_until_it_ends()
    {
        await using var stripe = await StripeSandbox.Start();
        var subscription = await stripe.Subscribe(await stripe.Member(), await stripe.Plan(), ("trial_period_days", "14"));
        ((string?)subscription["status"]).ShouldBe("trialing");
        ((long)(await stripe.InvoicesOf(subscription))[0]!["total"]!).ShouldBe(0);
        await stripe.Pass(days: 14, hours: 2);
        await StripeSandbox.Eventually(
            async () => (await stripe.InvoicesOf(subscription)).Sum(it => (long)it!["amount_paid"]!) == 900, "the first period to be paid");
        (await stripe.Status(subscription)).ShouldBe("active");
    }

    [Fact]
    public async Task An_invoiced_subscription_is_mailed_and_overdue_when_nobody_pays()
    {
        await using var stripe = await StripeSandbox.Start();
        var customer = (string)(await stripe.Customer())["id"]!;
        var subscription = await stripe.Subscribe(customer, await stripe.Plan(), ("collection_method", "send_invoice"), ("days_until_due", "7"));
        ((string?)subscription["status"]).ShouldBe("active");
        await stripe.Pass(days: 0, hours: 2);
        await StripeSandbox.Eventually(() => stripe.Mails.Count == 1, "the mail");
        await stripe.Pass(days: 8);
        await StripeSandbox.Eventually(async () => await stripe.Status(subscription) == "past_due", "the due date to pass");
        var invoice = (await stripe.InvoicesOf(subscription))[0]!;
        await stripe.Post($"/v1/invoices/{invoice["id"]}/pay", ("paid_out_of_band", "true"));
        (await stripe.Status(subscription)).ShouldBe("active");
    }

    [Fact]
    public async Task A_smaller_plan_leaves_a_credit_that_the_next_invoice_uses()
    {
        await using var stripe = await StripeSandbox.Start();
        var (member, large, small) = (await stripe.Member(), await stripe.Plan(3000), await stripe.Plan(900));
        var subscription = await stripe.Subscribe(member, large);
        var item = (string)subscription["items"]!["data"]![0]!["id"]!;
        await stripe.Post(
            $"/v1/subscriptions/{subscription["id"]}", ("items[0][id]", item), ("items[0][price]", small), ("proration_behavior", "always_invoice"));
        var credit = (long)(await stripe.Get($"/v1/customers/{member}"))["balance"]!;
        credit.ShouldBeInRange(-2100, -2098);
        await stripe.Pass(days: 32);
        await StripeSandbox.Eventually(async () => (await stripe.InvoicesOf(subscription)).Count == 3 && (string?)(await stripe.InvoicesOf(subscription))[0]!["status"] == "paid", "the renewal");
        ((long)(await stripe.InvoicesOf(subscription))[0]!["amount_due"]!).ShouldBe(0);
        ((long)(await stripe.Get($"/v1/customers/{member}"))["balance"]!).ShouldBe(credit + 900);
    }

    [Fact]
    public async Task A_larger_plan_that_is_not_paid_waits_and_is_dropped()
    {
        await using var stripe = await StripeSandbox.Start();
        var (member, small, large) = (await stripe.Member(), await stripe.Plan(900), await stripe.Plan(3000));
        var subscription = await stripe.Subscribe(member, small);
        var item = (string)subscription["items"]!["data"]![0]!["id"]!;
        await stripe.Post($"/v1/customers/{member}", ("invoice_settings[default_payment_method]", "pm_card_chargeCustomerFail"));
        var waiting = await stripe.Post(
            $"/v1/subscriptions/{subscription["id"]}",
            ("items[0][id]", item),
            ("items[0][price]", large),
            ("proration_behavior", "always_invoice"),
            ("payment_behavior", "pending_if_incomplete"));
        ((string?)waiting["status"]).ShouldBe("active");
        ((string?)waiting["items"]!["data"]![0]!["price"]!["id"]).ShouldBe(small);
        ((string?)waiting["pending_update"]!["subscription_items"]![0]!["price"]!["id"]).ShouldBe(large);
        await stripe.Pass(days: 1);
        JsonObject? now = null;
        await StripeSandbox.Eventually(
            async () => (now = await stripe.Get($"/v1/subscriptions/{subscription["id"]}"))["pending_update"] is null, "the update to be dropped");
        ((string?)now!["items"]!["data"]![0]!["price"]!["id"]).ShouldBe(small);
    }

    [Fact]
    public async Task A_slow_payment_completes_the_checkout_before_the_money_is_there()
    {
        await using var receiver = await WebhookReceiver.Start();
        await using var stripe = await StripeSandbox.Start(options => options with { SlowPaymentTakes = TimeSpan.FromMilliseconds(100) });
        stripe.SetWebhookUrl(receiver.Url);
        var session = await stripe.Checkout();
        var complete = await stripe.PressAt(new Uri((string)session["url"]!).AbsolutePath, "pay-slowly");
        ((string?)complete["status"]).ShouldBe("complete");
        ((string?)complete["payment_status"]).ShouldBe("unpaid");
        await StripeSandbox.Eventually(() => receiver.Types.Contains("checkout.session.async_payment_succeeded"), "the money");
        ((string?)(await stripe.Get($"/v1/checkout/sessions/{session["id"]}"))["payment_status"]).ShouldBe("paid");

        var vain = await stripe.Checkout();
        await stripe.PressAt(new Uri((string)vain["url"]!).AbsolutePath, "pay-slowly-in-vain");
        await StripeSandbox.Eventually(() => receiver.Types.Contains("checkout.session.async_payment_failed"), "word that it failed");
        ((string?)(await stripe.Get($"/v1/checkout/sessions/{vain["id"]}"))["payment_status"]).ShouldBe("unpaid");
    }

    [Fact]
    public async Task A_checkout_is_paid_once_and_ends_by_itself()
    {
        await using var stripe = await StripeSandbox.Start();
        var paid = await stripe.Checkout();
        var page = new Uri((string)paid["url"]!).AbsolutePath;
        await stripe.PressAt(page, "decline");
        await stripe.PressAt(page, "pay");
        await stripe.PressAt(page, "pay");
        (await stripe.Get("/v1/charges"))["data"]!.AsArray().Count(it => (string?)it!["status"] == "succeeded").ShouldBe(1);
        (await stripe.Get("/v1/payment_intents"))["data"]!.AsArray().ShouldHaveSingleItem();

        var left = await stripe.Checkout();
        await stripe.Pass(days: 1, hours: 1);
        await StripeSandbox.Eventually(
            async () => (string?)(await stripe.Get($"/v1/checkout/sessions/{left["id"]}"))["status"] == "expired", "the session's end");
    }
}
