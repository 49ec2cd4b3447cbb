using System.Net;
using Shouldly;

namespace CaveComm.Tests.Sandbox.Stripe;

public sealed class StripeCreditNoteTests
{
    [Fact]
    public async Task Before_the_payment_there_is_less_to_pay_and_at_nothing_the_invoice_is_paid()
    {
        await using var stripe = await StripeSandbox.Start();
        var invoice = (string)(await stripe.OpenInvoice())["id"]!;
        await stripe.Post("/v1/credit_notes", ("invoice", invoice), ("amount", "1500"));
        var less = await stripe.Get($"/v1/invoices/{invoice}?expand[]=payments");
        ((long)less["amount_remaining"]!).ShouldBe(3000);
        ((long)less["payments"]!["data"]![0]!["amount_requested"]!).ShouldBe(3000);
        (await stripe.Refused("/v1/credit_notes", ("invoice", invoice), ("amount", "3001"))).Status.ShouldBe(HttpStatusCode.BadRequest);
        await stripe.Post("/v1/credit_notes", ("invoice", invoice), ("amount", "3000"));
        var done = await stripe.Get($"/v1/invoices/{invoice}");
        ((string?)done["status"]).ShouldBe("paid");
        ((long)done["amount_paid"]!).ShouldBe(0);
        ((long)done["pre_payment_credit_notes_amount"]!).ShouldBe(4500);
        (await stripe.Get("/v1/charges"))["data"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task After_the_payment_it_refunds_or_credits_exactly_its_amount()
    {
        await using var stripe = await StripeSandbox.Start();
        var open = await stripe.OpenInvoice();
        await stripe.Press(open, "pay");
        var invoice = (string)open["id"]!;
        (await stripe.Refused("/v1/credit_notes", ("invoice", invoice), ("amount", "1000"), ("refund_amount", "900"))).Status.ShouldBe(HttpStatusCode.BadRequest);
        var note = await stripe.Post("/v1/credit_notes", ("invoice", invoice), ("amount", "1000"), ("refund_amount", "700"), ("credit_amount", "300"));
        ((string?)note["type"]).ShouldBe("post_payment");
        ((string?)(await stripe.Get("/v1/refunds"))["data"]![0]!["id"]).ShouldBe((string?)note["refunds"]![0]!["refund"]);
        var now = await stripe.Get($"/v1/invoices/{invoice}");
        ((string?)now["status"]).ShouldBe("paid");
        ((long)now["post_payment_credit_notes_amount"]!).ShouldBe(1000);
        ((long)(await stripe.Get($"/v1/customers/{now["customer"]}"))["balance"]!).ShouldBe(-300);
        (await stripe.Refused("/v1/credit_notes", ("invoice", invoice), ("amount", "3501"), ("refund_amount", "3501"))).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await stripe.Get($"/v1/events?type=credit_note.created"))["data"]!.AsArray().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_draft_takes_none()
    {
        await using var stripe = await StripeSandbox.Start();
        var draft = await stripe.DraftInvoice();
        (await stripe.Refused("/v1/credit_notes", ("invoice", (string)draft["id"]!), ("amount", "1"))).Status.ShouldBe(HttpStatusCode.BadRequest);
    }
}
