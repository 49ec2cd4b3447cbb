using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Money that goes back by Stripe, before and after the payout, asked for here and at the dashboard.</summary>
public sealed class RefundTests(Office office) : IClassFixture<Office>
{
    [Fact]
    public async Task Two_partial_refunds_to_the_exact_sum_give_all_of_it_back()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Paid("stripe");

        using var first = await MoneyDesk.AskRefund(story, "20.00", reason: "A little late.");
        first.StatusCode.ShouldBe(HttpStatusCode.Created);
        (await first.Content.ReadFromJsonAsync<JsonObject>())!["numbers"]!.ToJsonString().ShouldBe("[1]");
        await MoneyDesk.Happens(story, "refunded");
        ((string)(await story.Detail())["status"]!).ShouldBe("inProgress");
        (await desk.Mails(story.CustomerEmail, $"A refund for \u201c{story.Title}\u201d was sent")).ShouldBe(1);

        var tooMuch = await office.IsRefused(story, () => MoneyDesk.AskRefund(story, "100.01"), HttpStatusCode.UnprocessableEntity, "refund-too-high");
        foreach (var figure in (string[])["120.00 EUR", "20.00 EUR", "100.00 EUR", "100.01 EUR"])
        {
            ((string)tooMuch["detail"]!).ShouldContain(figure);
        }

        await MoneyDesk.Refund(story, "100.00");
        var detail = await story.Reaches("refunded");
        detail["refunds"]!.AsArray().Select(it => $"{it!["number"]} {it["status"]} {it["amount"]!["amount"]}").ShouldBe(["1 refunded 20.00", "2 refunded 100.00"]);
        (await desk.Mails(story.CustomerEmail, $"A refund for \u201c{story.Title}\u201d was sent")).ShouldBe(2);
        (await desk.Billing(story)).ShouldBe(["invoiced 120.00 EUR", "received 120.00 EUR", "refunded 100.00 EUR", "refunded 20.00 EUR"]);
        (await desk.Owed("EUR")).ShouldBe(0);
        await office.IsRefused(story, () => MoneyDesk.AskRefund(story, "0.01"), HttpStatusCode.Conflict, "nothing-to-refund");
        await office.IsRefused(story, () => story.PostProduct(("raven.png", [1])), HttpStatusCode.Conflict, "wrong-stage");
        (await desk.Stripe(HttpMethod.Get, $"charges/{await desk.Charge(story)}"))["amount_refunded"]!.GetValue<long>().ShouldBe(12000);
    }

    [Fact]
    public async Task What_cannot_be_refunded_is_refused_with_the_figures_and_nothing_is_recorded()
    {
        var desk = await MoneyDesk.Open(office);
        var unpaid = await desk.Invoiced("stripe");
        var nothing = await office.IsRefused(unpaid, () => MoneyDesk.AskRefund(unpaid, "1.00"), HttpStatusCode.Conflict, "nothing-to-refund");
        ((string)nothing["detail"]!).ShouldContain("0.00 EUR");

        var story = await desk.Paid("stripe");
        var above = await office.IsRefused(story, () => MoneyDesk.AskRefund(story, "120.01"), HttpStatusCode.UnprocessableEntity, "refund-too-high");
        ((string)above["detail"]!).ShouldContain("120.00 EUR");
        await office.IsRefused(story, () => MoneyDesk.AskRefund(story, "10.00", "USD"), HttpStatusCode.UnprocessableEntity, "currency-mismatch");
        await office.IsRefused(story, () => MoneyDesk.AskRefund(story, "0.00"), HttpStatusCode.UnprocessableEntity, "invalid", "amount");
        await office.IsRefused(story, () => MoneyDesk.AskRefund(story, "-5.00"), HttpStatusCode.UnprocessableEntity, "invalid", "amount.amount");
        await office.IsRefused(story, () => story.Post("refunds", new { reason = "none" }), HttpStatusCode.UnprocessableEntity, "invalid", "amount");
        await office.IsRefused(story, () => story.Post("refunds/7/markRefunded"), HttpStatusCode.NotFound, "no-such-refund");
        await office.IsRefused(story, () => story.Post("honour"), HttpStatusCode.Conflict, "nothing-to-honour");
        await office.IsRefused(story, () => story.Post("invoice"), HttpStatusCode.Conflict, "wrong-stage");
        using var stranger = await office.Second.PostAsJsonAsync($"{story.Path}/refunds", new { amount = new { amount = "1.00", currency = "EUR" } });
        stranger.StatusCode.ShouldBeOneOf(HttpStatusCode.Forbidden, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_form_that_is_sent_twice_refunds_once()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Paid("stripe");
        using var asked = new HttpRequestMessage(HttpMethod.Get, story.Path);
        asked.Headers.Accept.ParseAdd("text/html");
        using var shown = await desk.Client.SendAsync(asked);
        var version = System.Text.RegularExpressions.Regex.Match(await shown.Content.ReadAsStringAsync(), "name=\"version\" value=\"(\\d+)\"").Groups[1].Value;
        var form = new Dictionary<string, string> { ["amount.amount"] = "20.00", ["amount.currency"] = "EUR", ["version"] = version };

        // Both clicks of a double click reach the office.
        using var first = await desk.Client.PostAsync($"{story.Path}/refunds", new FormUrlEncodedContent(form));
        using var second = await desk.Client.PostAsync($"{story.Path}/refunds", new FormUrlEncodedContent(form));

        first.StatusCode.ShouldBe(HttpStatusCode.Created, await first.Content.ReadAsStringAsync());
        second.StatusCode.ShouldBe(HttpStatusCode.PreconditionFailed, await second.Content.ReadAsStringAsync());
        (await MoneyDesk.Count(story, "refund-requested")).ShouldBe(1);
    }

    [Fact]
    public async Task A_refund_that_fails_later_is_told_and_can_be_made_again()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Paid("stripe");

        await With("fail", async () =>
        {
            await MoneyDesk.Refund(story, "20.00");
            await MoneyDesk.Happens(story, "refund-failed");
        });
        (await desk.Mails(desk.Mailbox, $"The refund for \u201c{story.Title}\u201d failed")).ShouldBe(1);
        ((string)(await story.Detail())["refunds"]![0]!["status"]!).ShouldBe("failed");

        await MoneyDesk.Refund(story, "120.00");
        await story.Reaches("refunded");
        (await desk.Billing(story)).Where(row => row.StartsWith("refunded", StringComparison.Ordinal)).Sum(row => decimal.Parse(row.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture)).ShouldBe(120.00m);
    }

    [Fact]
    public async Task A_refund_on_its_way_holds_the_payout_until_it_has_arrived()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Paid("stripe");

        await With("pending", async () =>
        {
            await office.Control(office.Sandbox.StripeUrl, new { holdWebhooks = true });
            await MoneyDesk.Refund(story, "20.00");
            await Eventually.Holds("Stripe has it", async () => (await office.StripeRecords("refunds")).Any(it => (string?)it["metadata"]?["commission_id"] == $"{story.RequestId}"));
            await story.Upload();
            await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
            (await story.Detail())["payout"].ShouldBeNull();
            await office.Control(office.Sandbox.StripeUrl, new { holdWebhooks = false });
            var detail = await story.Reaches("paidOut");
            ((string)detail["payout"]!["amount"]!["amount"]!).ShouldBe("95.00");
        });
        (await MoneyDesk.Count(story, "refunded")).ShouldBe(1);
    }

    [Fact]
    public async Task A_refund_made_at_the_dashboard_is_seen()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Paid("stripe");

        await desk.Stripe(HttpMethod.Post, "refunds", ("charge", await desk.Charge(story)), ("amount", "3000"));
        await MoneyDesk.Happens(story, "refunded");

        var refund = (await story.Detail())["refunds"]!.AsArray().ShouldHaveSingleItem()!;
        refund["number"].ShouldBeNull();
        ((string)refund["amount"]!["amount"]!, (string)refund["status"]!).ShouldBe(("30.00", "refunded"));
        (await desk.Mails(story.CustomerEmail, $"A refund for \u201c{story.Title}\u201d was sent")).ShouldBe(1);
        await office.IsRefused(story, () => MoneyDesk.AskRefund(story, "90.01"), HttpStatusCode.UnprocessableEntity, "refund-too-high");
    }

    [Fact]
    public async Task A_credit_note_on_a_paid_invoice_is_a_refund()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Paid("stripe");

        await desk.Stripe(HttpMethod.Post, "credit_notes", ("invoice", await MoneyDesk.InvoiceId(story)), ("amount", "1500"), ("refund_amount", "1500"));
        await MoneyDesk.Happens(story, "refunded");

        (await desk.Billing(story)).ShouldBe(["invoiced 120.00 EUR", "received 120.00 EUR", "refunded 15.00 EUR"]);
        (await MoneyDesk.Count(story, "invoice-credited")).ShouldBe(0);
    }

    [Fact]
    public async Task What_goes_back_after_the_payout_is_owed_and_held_back_from_the_next()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.PaidOut("stripe");

        await MoneyDesk.Refund(story, "20.00");
        await MoneyDesk.Happens(story, "refunded");
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        (await desk.Owed("EUR")).ShouldBe(20_00);
        (await MoneyDesk.Count(story, "payout-reversed")).ShouldBe(0);

        var next = await desk.PaidOut("stripe");
        ((string)(await next.Detail())["payout"]!["amount"]!["amount"]!).ShouldBe("94.00");
        (await desk.Owed("EUR")).ShouldBe(0);
        var third = await desk.PaidOut("stripe");
        ((string)(await third.Detail())["payout"]!["amount"]!["amount"]!).ShouldBe("114.00");
    }

    [Fact]
    public async Task A_refund_that_fails_after_the_payout_is_not_owed_any_more()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.PaidOut("stripe");

        await With("fail", async () =>
        {
            await MoneyDesk.Refund(story, "20.00");
            await MoneyDesk.Happens(story, "refund-failed");
        });

        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        (await desk.Owed("EUR")).ShouldBe(0);
        ((string)(await (await desk.PaidOut("stripe")).Detail())["payout"]!["amount"]!["amount"]!).ShouldBe("114.00");
    }

    private async Task With(string refunds, Func<Task> act)
    {
        await office.Control(office.Sandbox.StripeUrl, new { refunds });
        try
        {
            await act();
        }
        finally
        {
            await office.Control(office.Sandbox.StripeUrl, new { refunds = "succeed", holdWebhooks = false });
        }
    }
}
