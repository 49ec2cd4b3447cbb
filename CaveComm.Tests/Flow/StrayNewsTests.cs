using System.Net;
using CaveComm.Api.Commissions;
using CaveComm.Api.Payments;
using CaveComm.Domain.Payments;
using CaveComm.Messaging;
using CaveComm.Tests.Providers;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>News that is signed rightly and does not fit, and answers that say nothing: no money is counted for them, and none is forgotten.</summary>
public sealed class StrayNewsTests(Office office) : IClassFixture<Office>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_invoice_of_another_commission_pays_nothing_here()
    {
        var desk = await MoneyDesk.Open(office);
        var (unpaid, paid) = (await desk.Invoiced("stripe"), await desk.Paid("stripe"));
        var invoice = await MoneyDesk.InvoiceId(paid);
        var body = Webhook.Paid("stripe", $"evt_{Guid.NewGuid():N}", invoice, unpaid.RequestId);

        using var told = await office.Tell("stripe", body, office.Sign("stripe", body));
        told.StatusCode.ShouldBe(HttpStatusCode.OK);

        await IsAlarm($"{invoice}, which was made for commission {paid.RequestId}");
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        (await MoneyDesk.Count(unpaid, "payment-received")).ShouldBe(0);
        (await MoneyDesk.Count(paid, "payment-received")).ShouldBe(1);
    }

    [Fact]
    public async Task An_event_that_cannot_be_read_raises_an_alarm()
    {
        var body = $$"""{"object":"event","stray":"{{Guid.NewGuid()}}"}""";

        using var told = await office.Tell("stripe", body, office.Sign("stripe", body));

        told.StatusCode.ShouldBe(HttpStatusCode.OK);
        await IsAlarm($"stripe-event:{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(body)))}");
    }

    [Fact]
    public void What_happened_on_a_freelancers_own_account_is_not_looked_for_on_the_platforms()
    {
        var reading = new WebhookReading.Event("evt_1", "payment_intent.succeeded", null, Gateways.Commission, "in_1", "pi_1", "po_1", "acct_1") { Customer = Gateways.Customer };

        ProviderNews.Of("stripe", reading, []).Message.ShouldBe(new ProviderEventStored("stripe", "evt_1", "payment_intent.succeeded", null, null, null, "po_1"));
    }

    [Theory]
    [InlineData("Expired", 1, true)]
    [InlineData("Expired", -1, false)]
    [InlineData("Invalid", -1, true)]
    [InlineData("Invalid", (-7 * 24) + 1, true)]
    [InlineData("Invalid", (-7 * 24) - 1, false)]
    public async Task An_invoice_that_ran_out_is_asked_about_until_bitcoin_can_no_longer_come_for_it(string status, int hours, bool again)
    {
        var (story, invoice) = await Invoiced();
        var now = DateTimeOffset.UtcNow;
        var script = new ScriptedProvider()
            .On($"GET /api/v1/stores/9kDnZ1/invoices/{invoice}", $$"""
                {"id":"{{invoice}}","amount":"120","paidAmount":"0","currency":"EUR","status":"{{status}}","additionalStatus":"None",
                 "createdTime":1785000000,"expirationTime":1785001800,"monitoringExpiration":{{now.AddHours(hours).ToUnixTimeSeconds()}},"metadata":{"commissionId":"{{story.RequestId}}"} }
                """)
            .On($"GET /api/v1/stores/9kDnZ1/invoices/{invoice}/payment-methods", "[]");

        var outgoing = await Check(story, invoice, script);

        outgoing.OfType<DeliveryMessage<CheckInvoice>>().Select(it => it.Message.Round).ShouldBe(again ? [4] : []);
    }

    [Fact]
    public async Task An_open_invoice_that_the_provider_does_not_know_is_no_quiet_end()
    {
        var (story, invoice) = await Invoiced();

        var outgoing = await Check(story, invoice, new ScriptedProvider().On($"GET /api/v1/stores/9kDnZ1/invoices/{invoice}", "", 404));

        outgoing.OfType<DeliveryMessage<Alarm>>().ShouldHaveSingleItem().Message.Reason.ShouldContain(invoice);
        outgoing.OfType<DeliveryMessage<CheckInvoice>>().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task An_amount_that_cannot_be_is_no_money_and_an_alarm()
    {
        var (story, invoice) = await Invoiced();

        var outgoing = await Check(story, invoice, Settled(story, invoice, amount: "120", "EUR", coins: "1e20"));

        outgoing.OfType<DeliveryMessage<Alarm>>().ShouldHaveSingleItem().Message.Reason.ShouldContain("more than there can be");
        outgoing.OfType<DeliveryMessage<CheckInvoice>>().ShouldHaveSingleItem().Message.Round.ShouldBe(4);
        (await MoneyDesk.Count(story, "payment-received")).ShouldBe(0);
    }

    [Fact]
    public async Task Money_in_another_currency_stops_and_alarms()
    {
        var (story, invoice) = await Invoiced();

        var outgoing = await Check(story, invoice, Settled(story, invoice, amount: "120", "USD", coins: "0.002"));

        outgoing.OfType<DeliveryMessage<Alarm>>().ShouldContain(it => it.Message.Reason.Contains("is in USD", StringComparison.Ordinal));
        (await MoneyDesk.Count(story, "payment-received")).ShouldBe(0);
        ((string)(await story.Detail())["status"]!).ShouldBe("awaitingPayment");
    }

    [Fact]
    public async Task An_invoice_that_was_paid_over_less_than_was_asked_stops_and_alarms()
    {
        var (story, invoice) = await Invoiced();

        var outgoing = await Check(story, invoice, Settled(story, invoice, amount: "60", "EUR", coins: "0.001"));

        outgoing.OfType<DeliveryMessage<Alarm>>().ShouldHaveSingleItem().Message.Reason.ShouldContain("60.00 EUR of it did not come in");
        outgoing.OfType<DeliveryMessage<CheckInvoice>>().ShouldHaveSingleItem();
        outgoing.ShouldNotContain(it => it is CaveComm.Api.Notifications.MailFreelancer);
    }

    private async Task<(Story Story, string Invoice)> Invoiced()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Invoiced("btcpay");
        return (story, await MoneyDesk.InvoiceId(story));
    }

    /// <summary>BTCPay says that the invoice is over this amount, and settled by one payment of this many coins.</summary>
    private static ScriptedProvider Settled(Story story, string invoice, string amount, string currency, string coins) => new ScriptedProvider()
        .On($"GET /api/v1/stores/9kDnZ1/invoices/{invoice}", $$"""
            {"id":"{{invoice}}","amount":"{{amount}}","paidAmount":"{{amount}}","currency":"{{currency}}","status":"Settled","additionalStatus":"None",
             "createdTime":1785000000,"expirationTime":1785001800,"metadata":{"commissionId":"{{story.RequestId}}"} }
            """)
        .On($"GET /api/v1/stores/9kDnZ1/invoices/{invoice}/payment-methods", $$"""
            [{"paymentMethodId":"BTC-CHAIN","currency":"BTC","rate":"60000","payments":[{"id":"p1","receivedDate":1785000100,"value":"{{coins}}","fee":"0","status":"Settled"}]}]
            """);

    private async Task<OutgoingMessages> Check(Story story, string invoice, ScriptedProvider script)
    {
        using var gateway = Gateways.BtcPay(script);
        await using var session = office.Store.LightweightSession();
        return await CheckInvoiceHandler.Handle(new CheckInvoice(story.RequestId, invoice, 3), session, new Only(gateway), TimeProvider.System, Cancel);
    }

    private Task IsAlarm(string words) => Eventually.Holds($"there is an alarm about {words}", async () =>
        (await office.Admin.GetStringAsync("admin/messages")).Contains(words, StringComparison.Ordinal));

    private sealed class Only(IPaymentProvider provider) : IPaymentProviders
    {
        public IReadOnlyList<string> Names => [provider.Name];

        public IPaymentProvider? Find(string name) => name == provider.Name ? provider : null;
    }
}
