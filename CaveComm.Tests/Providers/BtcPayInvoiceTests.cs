using System.Text.Json.Nodes;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using Shouldly;

namespace CaveComm.Tests.Providers;

public sealed class BtcPayInvoiceTests
{
    private const string Invoices = "/api/v1/stores/9kDnZ1/invoices";
    private const long Expiry = 1785001800;

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly ScriptedProvider provider = new();

    [Fact]
    public async Task An_invoice_is_searched_for_by_its_key_before_it_is_made()
    {
        provider.On($"GET {Invoices}", "[]").On($"POST {Invoices}", Invoice());

        var answer = await Gateways.BtcPay(provider).SetUpInvoice(Gateways.Order, Cancel);

        answer.ShouldBe(new InvoiceSetUp.Issued("Xq4", null, new Uri("https://pay.example/i/Xq4"), DateTimeOffset.FromUnixTimeSeconds(Expiry)));
        provider.Sent[0].Asked.ShouldBe(["orderId=commission:42/invoice/1", "take=50"]);
        var sent = provider.Sent[1];
        sent.Headers["Authorization"].ShouldBe($"token {Gateways.BtcPayKey}");
        JsonNode.DeepEquals(JsonNode.Parse(sent.Body), JsonNode.Parse($$"""
            {"amount":"45.00","currency":"EUR",
             "metadata":{"orderId":"commission:42/invoice/1","orderUrl":"https://cave.example/customer/requests/42","itemDesc":"Portrait, full colour",
              "buyerEmail":"ada@example.com","commissionId":"{{Gateways.Commission}}","paymentTiming":"upfront"},
             "checkout":{"speedPolicy":"MediumSpeed","expirationMinutes":1440,"monitoringMinutes":10080,"paymentTolerance":0,
              "redirectURL":"https://cave.example/customer/requests/42?token=secret","redirectAutomatically":true},
             "additionalSearchTerms":["{{Gateways.Commission}}"]}
            """)).ShouldBeTrue(sent.Body);
    }

    [Fact]
    public async Task The_invoice_of_a_call_whose_answer_was_lost_is_found()
    {
        provider.On($"GET {Invoices}", $"[{Invoice()}]");

        (await Gateways.BtcPay(provider).SetUpInvoice(Gateways.Order, Cancel)).ShouldBeOfType<InvoiceSetUp.Issued>().InvoiceId.ShouldBe("Xq4");

        provider.Sent.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    public async Task An_answer_that_is_no_list_neither_makes_a_second_invoice_nor_money_out_of_nothing(string answer)
    {
        provider.On($"GET {Invoices}", answer).On($"POST {Invoices}", Invoice());
        Shown(Invoice("Settled", paid: "45"), answer);

        await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.BtcPay(provider).SetUpInvoice(Gateways.Order, Cancel));
        await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel));

        provider.To($"POST {Invoices}").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_search_that_finds_another_order_is_not_believed()
    {
        provider.On($"GET {Invoices}", $"[{Invoice(order: "commission:42/invoice/11")}]").On($"POST {Invoices}", Invoice());

        await Gateways.BtcPay(provider).SetUpInvoice(Gateways.Order, Cancel);

        provider.To($"POST {Invoices}").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task An_invoice_that_a_stranger_made_with_our_key_is_not_ours()
    {
        // A store may let anybody make invoices, with an orderId of their choice and a price of a cent.
        provider.On($"GET {Invoices}", $"[{Invoice().Replace(Gateways.Commission.ToString(), "", StringComparison.Ordinal)}]").On($"POST {Invoices}", Invoice());

        await Gateways.BtcPay(provider).SetUpInvoice(Gateways.Order, Cancel);

        provider.To($"POST {Invoices}").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_list_of_faults_is_a_refusal_and_a_rate_source_that_is_down_is_not()
    {
        provider.On($"GET {Invoices}", "[]").On($"POST {Invoices}", """[{"path":"currency","message":"Invalid currency"}]""", 422)
            .On($"POST {Invoices}", """{"code":"generic-error","message":"No payment method available"}""", 400);

        var gateway = Gateways.BtcPay(provider);

        (await gateway.SetUpInvoice(Gateways.Order, Cancel)).ShouldBe(new InvoiceSetUp.Refused("validation: currency: Invalid currency"));
        await Should.ThrowAsync<GatewayUnavailableException>(() => gateway.SetUpInvoice(Gateways.Order, Cancel));
    }

    [Theory]
    [InlineData("New", "None", InvoiceStanding.Open)]
    [InlineData("Processing", "None", InvoiceStanding.Processing)]
    [InlineData("Settled", "None", InvoiceStanding.Paid)]
    [InlineData("Expired", "PaidPartial", InvoiceStanding.Expired)]
    [InlineData("Invalid", "Marked", InvoiceStanding.Invalid)]
    [InlineData("SomethingNew", "None", InvoiceStanding.Open)]
    public async Task Btcpays_statuses_have_their_standing(string status, string additional, InvoiceStanding standing)
    {
        Shown(Invoice(status, additional, paid: "1"), "[]");

        (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel)).ShouldNotBeNull().Standing.ShouldBe(standing);
    }

    [Fact]
    public async Task A_settled_invoice_counts_its_amount_to_the_cent_and_tells_the_satoshi_that_came()
    {
        // 0.00069883 BTC at 64392.23 are 44.9992… EUR.
        Shown(Invoice("Settled"), Methods(Payment("p1", "0.00069883", 1785000900)));

        var payment = (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel)).ShouldNotBeNull().Payments.ShouldHaveSingleItem();

        payment.ShouldBe(new SettledPayment(
            "p1", new Money(4500, "EUR"), new Money(69_883, "BTC"), DateTimeOffset.FromUnixTimeSeconds(1785000900), Late: false, null));
    }

    [Fact]
    public async Task Of_several_payments_the_earlier_keep_what_was_told_of_them()
    {
        Shown(Invoice("New", "PaidPartial", paid: "22.54"), Methods(Payment("p1", "0.00035", 1785000100)));
        var first = (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel))!.Payments.ShouldHaveSingleItem();
        Shown(Invoice("Settled", paid: "45"), Methods(Payment("p1", "0.00035", 1785000100), Payment("p2", "0.00034883", 1785000900)));

        var both = (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel))!.Payments;

        first.Amount.ShouldBe(new Money(2254, "EUR"));
        both[0].ShouldBe(first);
        both.Sum(payment => payment.Amount.Minor).ShouldBe(4500);
    }

    [Fact]
    public async Task Too_little_is_told_as_too_little_and_too_much_as_too_much()
    {
        Shown(Invoice("New", "PaidPartial", paid: "22.54"), Methods(Payment("p1", "0.00035", 1785000100)));
        (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel))!.Payments.Sum(payment => payment.Amount.Minor).ShouldBe(2254);

        Shown(Invoice("Settled", "PaidOver", paid: "64.39"), Methods(Payment("p1", "0.001", 1785000100)));
        (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel))!.Payments.Sum(payment => payment.Amount.Minor).ShouldBe(6439);
    }

    [Fact]
    public async Task What_is_only_seen_does_not_count()
    {
        Shown(Invoice("Processing", paid: "45"), Methods(Payment("p1", "0.00069883", 1785000100, "Processing"), Payment("p2", "0.1", 1785000100, "Invalid")));

        (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel))!.Payments.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_methods_fee_does_not_count_towards_the_invoice()
    {
        Shown(Invoice("New", "PaidPartial", paid: "20"), Methods(Payment("p1", "0.00035", 1785000100, fee: "0.00005")));

        var payment = (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel))!.Payments.ShouldHaveSingleItem();

        payment.Amount.ShouldBe(new Money(1932, "EUR"));
        payment.Received.ShouldBe(new Money(35_000, "BTC"));
    }

    [Fact]
    public async Task Money_after_expiry_is_told_as_late()
    {
        Shown(Invoice("Expired", "PaidLate", paid: "45"), Methods(Payment("p1", "0.00035", Expiry - 10), Payment("p2", "0.00034883", Expiry + 10)));

        var invoice = (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel))!;

        invoice.Standing.ShouldBe(InvoiceStanding.Expired);
        invoice.Payments.Select(payment => payment.Late).ShouldBe([false, true]);
        invoice.Payments.Sum(payment => payment.Amount.Minor).ShouldBe(4500);
    }

    [Fact]
    public async Task An_invoice_that_somebody_marked_settled_has_a_payment_for_what_did_not_come()
    {
        Shown(Invoice("Settled", "Marked"), "[]");
        var none = (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel))!.Payments.ShouldHaveSingleItem();
        Shown(Invoice("Settled", "Marked", paid: "22.54"), Methods(Payment("p1", "0.00035", 1785000100)));
        var half = (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel))!.Payments;

        none.PaymentId.ShouldBe("marked:Xq4");
        none.Amount.ShouldBe(new Money(4500, "EUR"));
        none.Received.ShouldBe(Money.Zero("BTC"));
        half.Select(payment => (payment.PaymentId, payment.Amount.Minor)).ShouldBe([("p1", 2254), ("marked:Xq4", 2246)]);
    }

    [Fact]
    public async Task An_invoice_that_moves_while_it_is_read_is_read_again()
    {
        provider.On($"GET {Invoices}/Xq4", Invoice("New", "PaidPartial", paid: "10")).On($"GET {Invoices}/Xq4", Invoice("Settled"))
            .On($"GET {Invoices}/Xq4", Invoice("Settled")).On($"GET {Invoices}/Xq4/payment-methods", "[]")
            .On($"GET {Invoices}/Xq4/payment-methods", Methods(Payment("p1", "0.00069883", 1785000900)));

        var invoice = (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel))!;

        invoice.Payments.ShouldHaveSingleItem().PaymentId.ShouldBe("p1");
        provider.To($"GET {Invoices}/Xq4/payment-methods").Count.ShouldBe(2);
    }

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("file:///etc/passwd")]
    [InlineData("/i/Xq4")]
    public async Task Nobody_is_sent_to_what_is_no_web_page(string link)
    {
        provider.On($"GET {Invoices}", "[]").On($"POST {Invoices}", Invoice().Replace("https://pay.example/i/Xq4", link, StringComparison.Ordinal));
        Shown(Invoice().Replace("https://pay.example/i/Xq4", link, StringComparison.Ordinal), "[]");

        await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.BtcPay(provider).SetUpInvoice(Gateways.Order, Cancel));
        (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel)).ShouldNotBeNull().PayUrl.ShouldBeNull();
    }

    [Theory]
    [InlineData("22000000", "64392.23")]
    [InlineData("79228162514264337593543950335", "1")]
    [InlineData("1", "79228162514264337593543950335")]
    [InlineData("20000000", "79228162514264337593543950335")]
    [InlineData("1e40", "64392.23")]
    [InlineData("a lot", "64392.23")]
    public async Task What_nobody_can_have_paid_is_the_providers_fault_and_no_reason_to_ask_again_at_once(string coins, string rate)
    {
        Shown(Invoice("Settled"), Methods(Payment("p1", coins, 1785000900)).Replace("64392.23", rate, StringComparison.Ordinal));

        await Should.ThrowAsync<ProviderFaultException>(() => Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel));
    }

    [Theory]
    [InlineData("99999999999999999")]
    [InlineData("1e60")]
    public async Task What_nobody_can_have_asked_for_is_the_providers_fault(string amount)
    {
        Shown(Invoice("New", paid: "1").Replace("\"45\"", $"\"{amount}\"", StringComparison.Ordinal), "[]");

        await Should.ThrowAsync<ProviderFaultException>(() => Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel));
    }

    [Fact]
    public async Task There_is_no_such_invoice_whether_or_not_the_404_has_a_body()
    {
        provider.On($"GET {Invoices}/Xq4", "", 404).On($"GET {Invoices}/Xq4", """{"code":"invoice-not-found","message":"No."}""", 404);

        (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel)).ShouldBeNull();
        (await Gateways.BtcPay(provider).FetchInvoice("Xq4", Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task An_unpaid_invoice_is_marked_invalid_and_a_paid_one_is_left_alone()
    {
        provider.On($"GET {Invoices}/Xq4", Invoice()).On($"GET {Invoices}/Xq4", Invoice("Settled")).On($"POST {Invoices}/Xq4/status", Invoice("Invalid", "Marked"));

        await Gateways.BtcPay(provider).VoidInvoice("k", "Xq4", Cancel);
        await Gateways.BtcPay(provider).VoidInvoice("k", "Xq4", Cancel);

        provider.To($"POST {Invoices}/Xq4/status").ShouldHaveSingleItem().Body.ShouldBe("""{"status":"Invalid"}""");
    }

    private void Shown(string invoice, string methods) => provider.On($"GET {Invoices}/Xq4", invoice).On($"GET {Invoices}/Xq4/payment-methods", methods)
        .Forget($"GET {Invoices}/Xq4", $"GET {Invoices}/Xq4/payment-methods");

    private static string Invoice(string status = "New", string additional = "None", string paid = "0.00", string order = "commission:42/invoice/1") => $$$"""
        {"id":"Xq4","amount":"45","paidAmount":"{{{paid}}}","currency":"EUR","checkoutLink":"https://pay.example/i/Xq4","createdTime":1785000000,
         "expirationTime":{{{Expiry}}},"status":"{{{status}}}","additionalStatus":"{{{additional}}}",
         "metadata":{"orderId":"{{{order}}}","commissionId":"{{{Gateways.Commission}}}"}}
        """;

    private static string Methods(params string[] payments) => $$"""
        [{"paymentMethodId":"BTC-CHAIN","currency":"BTC","rate":"64392.23","payments":[{{string.Join(',', payments)}}]},
         {"paymentMethodId":"BTC-LN","currency":"BTC","rate":"64392.23","payments":[]}]
        """;

    private static string Payment(string id, string value, long at, string status = "Settled", string fee = "0.0") =>
        $$"""{"id":"{{id}}","receivedDate":{{at}},"value":"{{value}}","fee":"{{fee}}","status":"{{status}}","destination":"bc1q"}""";
}
