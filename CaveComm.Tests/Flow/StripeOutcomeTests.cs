using System.Net;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Every way that an invoice of Stripe's can end, over HTTP and with the look-alike (spec: payments.md, "Outcomes that must be right").</summary>
public sealed class StripeOutcomeTests(Office office) : IClassFixture<Office>
{
    [Fact] // P7
    public async Task A_payment_that_failed_is_shown_and_the_next_one_counts()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Invoiced("stripe");

        await story.Pay("decline");
        await MoneyDesk.Happens(story, "payment-failed");
        ((string)(await story.Detail())["status"]!).ShouldBe("awaitingPayment");
        await story.Pay();

        var detail = await story.Reaches("inProgress");
        detail["payments"]!.AsArray().Count.ShouldBe(1);
        (await MoneyDesk.Count(story, "payment-received")).ShouldBe(1);
        (await desk.Mails(story.CustomerEmail, $"Your payment for \u201c{story.Title}\u201d did not go through")).ShouldBe(1);
        (await desk.Mails(desk.Mailbox, $"Paid: \u201c{story.Title}")).ShouldBe(1);
        (await desk.Billing(story)).ShouldBe(["invoiced 120.00 EUR", "received 120.00 EUR"]);
    }

    [Fact]
    public async Task A_card_that_asks_for_the_customers_consent_has_not_paid()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Invoiced("stripe");

        using var tried = await desk.AskStripe(HttpMethod.Post, $"invoices/{await MoneyDesk.InvoiceId(story)}/pay", ("payment_method", "pm_card_authenticationRequired"));
        tried.StatusCode.ShouldBe(HttpStatusCode.PaymentRequired);
        await AskedNow(story);
        var detail = await story.Detail();
        ((string)detail["status"]!).ShouldBe("awaitingPayment");
        detail["payments"]!.AsArray().ShouldBeEmpty();

        await story.Pay();
        await story.Reaches("inProgress");
        (await desk.Billing(story)).ShouldBe(["invoiced 120.00 EUR", "received 120.00 EUR"]);
    }

    [Fact]
    public async Task An_invoice_that_was_voided_at_stripe_is_followed_by_another_when_the_freelancer_says_so()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Invoiced("stripe");
        var first = await MoneyDesk.InvoiceId(story);

        await desk.Stripe(HttpMethod.Post, $"invoices/{first}/void");
        await MoneyDesk.Happens(story, "invoice-voided");
        (await desk.Mails(desk.Mailbox, $"The invoice for \u201c{story.Title}\u201d was voided")).ShouldBe(1);

        using var again = await story.Post("invoice");
        again.StatusCode.ShouldBe(HttpStatusCode.OK, await again.Content.ReadAsStringAsync());
        await MoneyDesk.Happens(story, "invoice-issued", 2);
        (await MoneyDesk.InvoiceId(story)).ShouldNotBe(first);
        using var third = await story.Post("invoice");
        await third.IsProblem(HttpStatusCode.Conflict, "invoice-open");

        await story.Pay();
        await story.Reaches("inProgress");
        (await desk.Billing(story)).ShouldBe(["invoiced -120.00 EUR", "invoiced 120.00 EUR", "invoiced 120.00 EUR", "received 120.00 EUR"]);
    }

    [Fact]
    public async Task An_invoice_that_was_written_off_can_still_be_paid_once()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Invoiced("stripe");
        var page = await story.PayUrl();

        await desk.Stripe(HttpMethod.Post, $"invoices/{await MoneyDesk.InvoiceId(story)}/mark_uncollectible");
        await MoneyDesk.Happens(story, "invoice-voided");
        ((string)(await story.Detail())["invoice"]!["status"]!).ShouldBe("void");
        await MoneyDesk.Press(page, ("action", "pay"));

        await story.Reaches("inProgress");
        (await MoneyDesk.Count(story, "payment-received")).ShouldBe(1);
    }

    [Fact]
    public async Task Money_that_came_past_stripe_counts_and_is_settled_by_hand_both_ways()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Invoiced("stripe");
        var invoice = await MoneyDesk.InvoiceId(story);

        await desk.Stripe(HttpMethod.Post, $"invoices/{invoice}/pay", ("paid_out_of_band", "true"));
        var detail = await story.Reaches("inProgress");
        ((string)detail["payments"]![0]!["id"]!).ShouldBe(invoice);
        ((string)detail["payments"]![0]!["received"]!["amount"]!).ShouldBe("0.00");

        await MoneyDesk.Refund(story, "50.00");
        var refund = (await story.Detail())["refunds"]!.AsArray().ShouldHaveSingleItem()!;
        ((string)refund["provider"]!, (string)refund["status"]!).ShouldBe(("manual", "requested"));
        using var marked = await story.Post("refunds/1/markRefunded");
        marked.StatusCode.ShouldBe(HttpStatusCode.OK, await marked.Content.ReadAsStringAsync());
        (await desk.Mails(story.CustomerEmail, $"A refund for \u201c{story.Title}\u201d was sent")).ShouldBe(1);

        await story.Upload();
        await Eventually.Holds("the payout is asked for", async () => (await story.Detail())["payout"] is not null);
        var payout = (await story.Detail())["payout"]!;
        ((string)payout["provider"]!, (string)payout["amount"]!["amount"]!).ShouldBe(("manual", "66.50"));
        (await desk.Stripe(HttpMethod.Get, $"refunds?limit=100"))["data"]!.AsArray().Count(it => (string?)it!["metadata"]?["commission_id"] == $"{story.RequestId}").ShouldBe(0);
    }

    [Fact]
    public async Task A_credit_note_on_an_open_invoice_makes_it_less()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Invoiced("stripe");

        await desk.Stripe(HttpMethod.Post, "credit_notes", ("invoice", await MoneyDesk.InvoiceId(story)), ("amount", "2000"));
        await MoneyDesk.Happens(story, "invoice-credited");
        ((string)(await story.Detail())["missing"]!["amount"]!).ShouldBe("100.00");
        await story.Pay();
        await story.Reaches("inProgress");
        await story.Upload();

        var detail = await story.Reaches("paidOut");
        ((string)detail["payout"]!["amount"]!["amount"]!).ShouldBe("95.00");
        (await MoneyDesk.Count(story, "invoice-credited")).ShouldBe(1);
        (await desk.Billing(story)).ShouldBe(["fee 5.00 EUR", "invoiced -20.00 EUR", "invoiced 120.00 EUR", "paidOut 95.00 EUR", "received 100.00 EUR"]);
    }

    [Fact]
    public async Task Administrators_ask_the_provider_now_too_and_nobody_else()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Invoiced("stripe");
        var path = $"admin/requests/{story.RequestId}/checkPayment";
        await office.Control(office.Sandbox.StripeUrl, new { dropWebhooks = true });
        try
        {
            await MoneyDesk.Press(await story.PayUrl(), ("action", "pay"));
            using var mira = await office.Freelancer.PostAsync(path, null);
            mira.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            using var asked = await office.Admin.PostAsync(path, null);
            asked.StatusCode.ShouldBe(HttpStatusCode.Accepted, await asked.Content.ReadAsStringAsync());
            await story.Reaches("inProgress");
        }
        finally
        {
            await office.Control(office.Sandbox.StripeUrl, new { dropWebhooks = false });
        }

        using var nothing = await office.Admin.PostAsync($"admin/requests/{Guid.NewGuid()}/checkPayment", null);
        nothing.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private async Task AskedNow(Story story)
    {
        using var asked = await story.Post("checkPayment");
        asked.StatusCode.ShouldBe(HttpStatusCode.Accepted, await asked.Content.ReadAsStringAsync());
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
    }
}
