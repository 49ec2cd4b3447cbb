using System.Net;
using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Sandbox.Stripe;

public sealed class StripeInvoiceTests
{
    [Fact]
    public async Task An_invoice_is_made_finalized_and_paid_on_its_page()
    {
        await using var stripe = await StripeSandbox.Start();
        var draft = await stripe.DraftInvoice();
        Text(draft["status"]).ShouldBe("draft");
        Number(draft["amount_due"]).ShouldBe(4500);
        draft["hosted_invoice_url"].ShouldBeNull();

        var open = await stripe.Post($"/v1/invoices/{draft["id"]}/finalize");
        Text(open["status"]).ShouldBe("open");
        open["number"].ShouldNotBeNull();
        Number(open["due_date"]).ShouldBe(Number(open["status_transitions"]!["finalized_at"]) + (7 * 86400));

        var paid = await stripe.Press(open, "pay");
        Text(paid["status"]).ShouldBe("paid");
        Number(paid["amount_paid"]).ShouldBe(4500);
        Number(paid["amount_remaining"]).ShouldBe(0);
        Text(paid["metadata"]!["commission_id"]).ShouldBe("42");
    }

    [Fact]
    public async Task A_payment_leads_to_its_invoice_and_an_invoice_to_its_money()
    {
        await using var stripe = await StripeSandbox.Start();
        var invoice = await stripe.OpenInvoice();
        await stripe.Press(invoice, "pay");

        var whole = await stripe.Get($"/v1/invoices/{invoice["id"]}?expand[]=payments.data.payment.payment_intent&expand[]=customer");
        Text(whole["customer"]!["email"]).ShouldBe("ada@example.com");
        var intent = whole["payments"]!["data"]![0]!["payment"]!["payment_intent"]!;
        Text(intent["status"]).ShouldBe("succeeded");

        var byIntent = await stripe.Get($"/v1/invoice_payments?payment[type]=payment_intent&payment[payment_intent]={intent["id"]}");
        Text(byIntent["data"]![0]!["invoice"]).ShouldBe(Text(invoice["id"]));
        var byInvoice = await stripe.Get($"/v1/invoice_payments?invoice={invoice["id"]}");
        Text(byInvoice["data"]![0]!["status"]).ShouldBe("paid");

        var charge = await stripe.Get($"/v1/charges/{intent["latest_charge"]}?expand[]=balance_transaction");
        var transaction = charge["balance_transaction"]!;
        Number(transaction["amount"]).ShouldBe(4500);
        Number(transaction["net"]).ShouldBe(4500 - Number(transaction["fee"]));
        var balance = await stripe.Get("/v1/balance");
        Number(balance["available"]![0]!["amount"]).ShouldBe(Number(transaction["net"]));
    }

    [Fact]
    public async Task Paying_twice_pays_once()
    {
        await using var stripe = await StripeSandbox.Start();
        var invoice = await stripe.OpenInvoice();
        await Task.WhenAll(stripe.Press(invoice, "pay"), stripe.Press(invoice, "pay"), stripe.Press(invoice, "pay"));

        (await stripe.Get("/v1/charges"))["data"]!.AsArray().Count.ShouldBe(1);
        (await stripe.Get("/v1/events?type=invoice.paid"))["data"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_declined_card_leaves_the_invoice_open_and_payable()
    {
        await using var stripe = await StripeSandbox.Start();
        var invoice = await stripe.OpenInvoice();
        var failed = await stripe.Press(invoice, "decline");
        Text(failed["status"]).ShouldBe("open");
        Number(failed["attempt_count"]).ShouldBe(1);
        (await EventTypes(stripe)).ShouldContain("payment_intent.payment_failed");
        (await EventTypes(stripe)).ShouldContain("invoice.payment_failed");

        Text((await stripe.Press(invoice, "pay"))["status"]).ShouldBe("paid");
    }

    [Fact]
    public async Task Halves_add_up_to_the_whole()
    {
        await using var stripe = await StripeSandbox.Start();
        var invoice = await stripe.OpenInvoice();
        var half = await stripe.Press(invoice, "pay-half");
        Text(half["status"]).ShouldBe("open");
        Number(half["amount_paid"]).ShouldBe(2250);
        Number(half["amount_remaining"]).ShouldBe(2250);
        (await EventTypes(stripe)).ShouldNotContain("invoice.paid");

        var whole = await stripe.Press(invoice, "pay");
        Text(whole["status"]).ShouldBe("paid");
        Number(whole["amount_paid"]).ShouldBe(4500);
        (await stripe.Get($"/v1/invoice_payments?invoice={invoice["id"]}&status=paid"))["data"]!.AsArray().Count.ShouldBe(2);
    }

    [Fact]
    public async Task Too_much_shows_as_overpaid()
    {
        await using var stripe = await StripeSandbox.Start();
        var paid = await stripe.Press(await stripe.OpenInvoice(), "pay-too-much");
        Text(paid["status"]).ShouldBe("paid");
        Number(paid["amount_overpaid"]).ShouldBe(450);
        Number(paid["amount_paid"]).ShouldBe(4950);
    }

    [Fact]
    public async Task Paid_late_is_paid_after_the_due_date()
    {
        await using var stripe = await StripeSandbox.Start();
        var paid = await stripe.Press(await stripe.OpenInvoice(), "pay-late");
        Text(paid["status"]).ShouldBe("paid");
        Number(paid["status_transitions"]!["paid_at"]).ShouldBeGreaterThan(Number(paid["due_date"]));
    }

    [Fact]
    public async Task An_expired_invoice_is_void_and_its_intent_cancelled()
    {
        await using var stripe = await StripeSandbox.Start();
        var invoice = await stripe.OpenInvoice();
        Text((await stripe.Press(invoice, "expire"))["status"]).ShouldBe("void");
        Text((await stripe.Press(invoice, "pay"))["status"]).ShouldBe("void");
        var intent = (await stripe.Get("/v1/payment_intents"))["data"]![0]!;
        Text(intent["status"]).ShouldBe("canceled");
        Text(intent["cancellation_reason"]).ShouldBe("void_invoice");
    }

    [Fact]
    public async Task A_dispute_takes_the_money_back()
    {
        await using var stripe = await StripeSandbox.Start();
        var invoice = await stripe.OpenInvoice();
        await stripe.Press(invoice, "pay");
        await stripe.Press(invoice, "dispute");
        await stripe.Press(invoice, "dispute");

        var dispute = (await stripe.Get("/v1/disputes"))["data"]!.AsArray().ShouldHaveSingleItem()!;
        Text(dispute["status"]).ShouldBe("needs_response");
        Number((await stripe.Get("/v1/balance"))["available"]![0]!["amount"]).ShouldBeLessThan(0);
        (await EventTypes(stripe)).ShouldContain("charge.dispute.created");
    }

    [Fact]
    public async Task An_invoice_paid_elsewhere_is_paid_without_a_charge()
    {
        await using var stripe = await StripeSandbox.Start();
        var invoice = await stripe.OpenInvoice();
        var paid = await stripe.Post($"/v1/invoices/{invoice["id"]}/pay", ("paid_out_of_band", "true"), ("expand[]", "payments"));
        Text(paid["status"]).ShouldBe("paid");
        Number(paid["amount_paid_off_stripe"]).ShouldBe(4500);
        paid["payments"]!["data"]!.AsArray().Select(it => Text(it!["payment"]!["type"])).ShouldContain("payment_record");
        (await stripe.Get("/v1/charges"))["data"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_declined_card_given_over_the_api_is_402_and_stays_recorded()
    {
        await using var stripe = await StripeSandbox.Start();
        var invoice = await stripe.OpenInvoice();
        var (status, error) = await stripe.Refused($"/v1/invoices/{invoice["id"]}/pay", ("payment_method", "pm_card_chargeDeclined"));
        status.ShouldBe(HttpStatusCode.PaymentRequired);
        Text(error["type"]).ShouldBe("card_error");
        Text(error["code"]).ShouldBe("card_declined");
        Number((await stripe.Get($"/v1/invoices/{invoice["id"]}"))["attempt_count"]).ShouldBe(1);

        Text((await stripe.Post($"/v1/invoices/{invoice["id"]}/pay", ("payment_method", "pm_card_visa")))["status"]).ShouldBe("paid");
    }

    [Fact]
    public async Task Sending_mails_the_pay_link()
    {
        await using var stripe = await StripeSandbox.Start();
        var draft = await stripe.DraftInvoice();
        var sent = await stripe.Post($"/v1/invoices/{draft["id"]}/send");
        Text(sent["status"]).ShouldBe("open");
        await StripeSandbox.Eventually(() => !stripe.Mails.IsEmpty, "the invoice's mail");
        var mail = stripe.Mails.ShouldHaveSingleItem();
        mail.To.ShouldBe("ada@example.com");
        mail.MessageId.ShouldBe($"invoice-{draft["id"]}@stripe.sandbox.example");
        mail.Text.ShouldContain(Text(sent["hosted_invoice_url"]));
        mail.Html.ShouldContain(Text(sent["hosted_invoice_url"]));
        (await EventTypes(stripe)).ShouldContain("invoice.sent");
    }

    [Fact]
    public async Task The_pay_page_shows_what_came_from_outside_escaped()
    {
        await using var stripe = await StripeSandbox.Start();
        var page = await stripe.Http.GetStringAsync(
            StripeSandbox.PayPath(await stripe.OpenInvoice()), TestContext.Current.CancellationToken);
        page.ShouldContain("Ada &lt;b&gt;L.&lt;/b&gt;");
        page.ShouldContain("45.00 EUR");
        page.ShouldContain("value=\"decline\"");
    }

    [Fact]
    public async Task A_button_leads_back_to_the_page_or_to_the_shop()
    {
        await using var stripe = await StripeSandbox.Start();
        var path = StripeSandbox.PayPath(await stripe.OpenInvoice());
        foreach (var (asked, expected) in new[] { (path, path), (path + "?return=http%3A%2F%2F127.0.0.1%2Fshop", "http://127.0.0.1/shop") })
        {
            using var form = new FormUrlEncodedContent([KeyValuePair.Create("action", "pay")]);
            using var answer = await stripe.Http.PostAsync(asked, form, TestContext.Current.CancellationToken);
            answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
            answer.Headers.Location!.OriginalString.ShouldBe(expected);
        }
    }

    [Fact]
    public async Task A_draft_can_be_deleted_and_a_final_invoice_not()
    {
        await using var stripe = await StripeSandbox.Start();
        var draft = await stripe.DraftInvoice();
        using (var answer = await stripe.Send(HttpMethod.Delete, $"/v1/invoices/{draft["id"]}"))
        {
            (await StripeSandbox.Read(answer))["deleted"]!.GetValue<bool>().ShouldBeTrue();
        }

        var open = await stripe.OpenInvoice();
        using var refused = await stripe.Send(HttpMethod.Delete, $"/v1/invoices/{open["id"]}");
        Text((await StripeSandbox.Read(refused))["error"]!["code"]).ShouldBe("invoice_not_editable");
    }

    [Fact]
    public async Task Lists_are_paged_newest_first_by_the_id_they_follow()
    {
        await using var stripe = await StripeSandbox.Start();
        var made = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            made.Insert(0, Text((await stripe.Customer())["id"]));
        }

        var first = await stripe.Get("/v1/customers?limit=2");
        first["has_more"]!.GetValue<bool>().ShouldBeTrue();
        var second = await stripe.Get($"/v1/customers?limit=3&starting_after={first["data"]![1]!["id"]}");
        second["has_more"]!.GetValue<bool>().ShouldBeFalse();
        Ids(first).Concat(Ids(second)).ShouldBe(made);
        var back = await stripe.Get($"/v1/customers?limit=2&ending_before={made[4]}");
        Ids(back).ShouldBe(made[2..4]);
        back["has_more"]!.GetValue<bool>().ShouldBeTrue();
        Ids(await stripe.Get("/v1/customers?created[gte]=99999999999")).ShouldBeEmpty();
    }

    private static async Task<IReadOnlyList<string>> EventTypes(StripeSandbox stripe) =>
        [.. (await stripe.Get("/v1/events?limit=100"))["data"]!.AsArray().Select(it => Text(it!["type"]))];

    private static IReadOnlyList<string> Ids(JsonObject list) => [.. list["data"]!.AsArray().Select(it => Text(it!["id"]))];

    private static string Text(JsonNode? node) => (string)node!;

    private static long Number(JsonNode? node) => (long)node!;
}
