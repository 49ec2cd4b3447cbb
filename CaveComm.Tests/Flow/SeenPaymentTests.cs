using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Api.Commissions;
using CaveComm.Api.Payments;
using CaveComm.Domain.Payments;
using CaveComm.Messaging;
using CaveComm.Tests.Papers;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>BTCPay's <c>Processing</c>: what everybody is shown while a payment in bitcoin waits for its confirmation, and after it.</summary>
public sealed class SeenPaymentTests(Office office) : IClassFixture<Office>
{
    [Fact]
    public async Task A_payment_that_waits_for_its_confirmation_is_shown_and_not_paid()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await Seen(desk);

        var detail = await story.Detail();
        ((string)detail["status"]!, (string)detail["invoice"]!["status"]!, (string)detail["received"]!["amount"]!).ShouldBe(("awaitingPayment", "processing", "0.00"));
        var line = (await office.Current(desk.Client, $"freelancer/{desk.Handle}/inbox"))["items"]!.AsArray().Single(it => (Guid)it!["requestId"]! == story.RequestId)!;
        ((bool)line["paymentSeen"]!).ShouldBeTrue();
        using var freelancer = office.Client(desk.Client.DefaultRequestHeaders.Authorization!.Parameter, "text/html");
        (await freelancer.GetStringAsync(story.Path)).ShouldContain("A payment was seen and waits for its confirmation.");
        (await freelancer.GetStringAsync($"freelancer/{desk.Handle}/inbox")).ShouldContain("payment seen, not confirmed");

        (await PayLink(story)).ShouldBeNull();
        using var customer = new Browser(office.Url);
        var page = (await customer.Open(story.StatusUrl)).Html;
        page.ShouldContain("Your payment was seen and waits for its confirmation. Please do not pay again.");
        page.ShouldNotContain("Pay 120.00 EUR");
        page.ShouldNotContain("Withdraw it");
        var paper = PdfReading.Of(await office.Anonymous.GetByteArrayAsync(story.StatusUrl.Replace("?", "/invoice.pdf?", StringComparison.Ordinal)));
        paper.Text.ShouldContain("waits for its confirmation");
        paper.Text.ShouldNotContain("How to pay");

        using var withdrawn = await office.Anonymous.PostAsJsonAsync(story.StatusUrl.Replace("?", "/withdraw?", StringComparison.Ordinal), new { });
        await withdrawn.IsProblem(HttpStatusCode.Conflict, "wrong-stage");
        using var cancelled = await story.Post("cancel");
        await cancelled.IsProblem(HttpStatusCode.Conflict, "wrong-stage");

        await Press(story, "confirm");
        detail = await story.Reaches("inProgress");
        ((string)detail["invoice"]!["status"]!, (string)detail["received"]!["amount"]!).ShouldBe(("paid", "120.00"));
        (await MoneyDesk.Count(story, "payment-seen")).ShouldBe(1);
        (await customer.Open(story.StatusUrl)).Html.ShouldNotContain("Please do not pay again.");
    }

    [Fact]
    public async Task Invalid_after_it_is_told_to_both_and_can_be_followed_by_another_invoice()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await Seen(desk);

        await Press(story, "mark-invalid");
        await MoneyDesk.Happens(story, "invoice-voided");

        (await desk.Mails(story.CustomerEmail, $"Your payment for \u201c{story.Title}\u201d was not confirmed")).ShouldBe(1);
        ((string)(await office.Mail(desk.Mailbox, $"The invoice for \u201c{story.Title}\u201d was voided"))["text"]!).ShouldContain("it was never confirmed");
        using var customer = new Browser(office.Url);
        (await customer.Open(story.StatusUrl)).Html.ShouldContain("Your payment was seen, but it was never confirmed, so the invoice is no longer valid.");
        (await story.Detail())["payments"]!.AsArray().ShouldBeEmpty();

        using var again = await story.Post("invoice");
        again.StatusCode.ShouldBe(HttpStatusCode.OK, await again.Content.ReadAsStringAsync());
        await MoneyDesk.Happens(story, "invoice-issued", 2);
        (await customer.Open(story.StatusUrl)).Html.ShouldContain("Pay 120.00 EUR");
    }

    [Fact]
    public async Task Settled_after_invalid_is_found_by_the_schedule_when_its_webhook_is_lost()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await Seen(desk);
        var invoice = await MoneyDesk.InvoiceId(story);
        await Press(story, "mark-invalid");
        await MoneyDesk.Happens(story, "invoice-voided");

        var next = (await Check(new CheckInvoice(story.RequestId, invoice, 3))).OfType<DeliveryMessage<CheckInvoice>>().ShouldHaveSingleItem().Message;
        await office.Control(office.Sandbox.BtcPayUrl, new { dropWebhooks = true });
        try
        {
            await MoneyDesk.Press(new Uri(office.Sandbox.BtcPayUrl, $"i/{invoice}"), ("action", "mark-settled"));
            (await MoneyDesk.Count(story, "payment-received")).ShouldBe(0);
            await using var scope = office.Services.CreateAsyncScope();
            await scope.ServiceProvider.GetRequiredService<IMessageBus>().PublishAsync(next);

            await story.Reaches("inProgress");
        }
        finally
        {
            await office.Control(office.Sandbox.BtcPayUrl, new { reset = true });
        }

        (await MoneyDesk.Count(story, "payment-received")).ShouldBe(1);
    }

    [Fact]
    public async Task What_vanishes_can_be_paid_again()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await Seen(desk);

        await Press(story, "vanish");

        // BTCPay tells nobody of it: the schedule finds it, or somebody who asks.
        using var asked = await story.Post("checkPayment");
        await MoneyDesk.Happens(story, "payment-vanished");
        (await desk.Mails(story.CustomerEmail, $"Your payment for \u201c{story.Title}\u201d was not confirmed")).ShouldBe(1);
        using var customer = new Browser(office.Url);
        var page = (await customer.Open(story.StatusUrl)).Html;
        page.ShouldContain("The payment that was seen has gone before it was confirmed");
        page.ShouldContain("Pay 120.00 EUR");
        await story.Pay();
        await story.Reaches("inProgress");
    }

    private static async Task<Story> Seen(MoneyDesk desk)
    {
        var story = await desk.Invoiced("btcpay");
        await Press(story, "pay-unconfirmed");
        await MoneyDesk.Happens(story, "payment-seen");
        return story;
    }

    // What the handler would send, thrown away.
    private async Task<OutgoingMessages> Check(CheckInvoice asked)
    {
        await using var session = office.Store.LightweightSession();
        return await CheckInvoiceHandler.Handle(
            asked, session, office.Services.GetRequiredService<IPaymentProviders>(), TimeProvider.System, TestContext.Current.CancellationToken);
    }

    private static async Task Press(Story story, string action) => await MoneyDesk.Press(await story.PayUrl(), ("action", action));

    private async Task<string?> PayLink(Story story)
    {
        var view = await office.Anonymous.GetFromJsonAsync<JsonObject>(story.StatusUrl);
        ((bool)view!["paymentSeen"]!).ShouldBeTrue();
        return (string?)view["payUrl"];
    }
}
