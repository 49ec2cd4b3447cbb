using CaveComm.Domain;
using CaveComm.Domain.Payments;
using Shouldly;

namespace CaveComm.Tests.Providers;

public sealed class StripeInvoiceTests
{
    private const string NoItems = """{"object":"list","data":[],"has_more":false}""";
    private const string Draft = """{"id":"in_1","object":"invoice","status":"draft","customer":"cus_1","lines":{"object":"list","data":[]}}""";
    private const string Open = """
        {"id":"in_1","object":"invoice","status":"open","number":"CAVE-0001","hosted_invoice_url":"https://invoice.stripe.com/i/x","due_date":1785604800,
        "metadata":{"order_key":"commission:42/invoice/1"}}
        """;

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly ScriptedProvider provider = new();

    [Fact]
    public async Task An_invoice_takes_four_steps_each_with_its_own_key()
    {
        NewCustomer().On("POST /v1/invoices", Draft).On("POST /v1/invoiceitems", """{"id":"ii_1"}""").On("POST /v1/invoices/in_1/finalize", Open);

        var answer = await Gateways.Stripe(provider).SetUpInvoice(Gateways.Order, Cancel);

        answer.ShouldBe(new InvoiceSetUp.Issued(
            "in_1", "CAVE-0001", new Uri("https://invoice.stripe.com/i/x"), DateTimeOffset.FromUnixTimeSeconds(1785604800)));
        provider.Sent.Where(sent => sent.Method == "POST").Select(sent => sent.Key).ShouldBe(
            ["commission:42/invoice/1/customer", "commission:42/invoice/1/invoice", "commission:42/invoice/1/item", "commission:42/invoice/1/finalize"]);
        provider.To("POST /v1/customers")[0].Form.ShouldBe(
            ["email=ada@example.com", "name=Ada L.", $"metadata[customer_id]={Gateways.Customer}", "metadata[kind]=customer"]);
        provider.To("POST /v1/invoices")[0].Form.ShouldBe(
        [
            "customer=cus_1", "collection_method=send_invoice", "days_until_due=7", "currency=eur", "auto_advance=false",
            "pending_invoice_items_behavior=exclude", $"description=Commission {Gateways.Commission}", $"metadata[commission_id]={Gateways.Commission}",
            "metadata[payment_timing]=upfront", "metadata[order_key]=commission:42/invoice/1",
        ]);
        provider.To("POST /v1/invoiceitems")[0].Form.ShouldBe(
        [
            "customer=cus_1", "invoice=in_1", "amount=4500", "currency=eur", "description=Portrait, full colour",
            $"metadata[commission_id]={Gateways.Commission}",
        ]);
        provider.To("POST /v1/invoices/in_1/finalize")[0].Form.ShouldBe(["auto_advance=false"]);
    }

    [Fact]
    public async Task Every_request_carries_the_version_and_the_key()
    {
        NewCustomer().On("POST /v1/invoices", Draft).On("POST /v1/invoiceitems", """{"id":"ii_1"}""").On("POST /v1/invoices/in_1/finalize", Open);

        await Gateways.Stripe(provider).SetUpInvoice(Gateways.Order, Cancel);

        provider.Sent.ShouldAllBe(sent =>
            sent.Headers["Stripe-Version"] == "2026-07-29.dahlia" && sent.Headers["Authorization"] == $"Bearer {Gateways.StripeKey}");
        provider.Sent.Where(sent => sent.Method == "POST").ShouldAllBe(sent => sent.Headers["Content-Type"].StartsWith("application/x-www-form-urlencoded"));
    }

    [Fact]
    public async Task An_invoice_that_bears_our_key_is_found_even_after_stripe_forgot_the_key()
    {
        KnownCustomer().On("GET /v1/invoices", $$"""{"object":"list","has_more":false,"data":[{{Open}}]}""");

        var answer = await Gateways.Stripe(provider).SetUpInvoice(Gateways.Order, Cancel);

        answer.ShouldBeOfType<InvoiceSetUp.Issued>().InvoiceId.ShouldBe("in_1");
        provider.Sent.ShouldNotContain(sent => sent.Method == "POST");
    }

    [Fact]
    public async Task A_draft_that_was_left_behind_is_completed_and_not_given_a_second_line()
    {
        const string left = """
            {"id":"in_1","status":"draft","customer":"cus_1","metadata":{"order_key":"commission:42/invoice/1"},"lines":{"data":[{"id":"il_1"}]}}
            """;
        KnownCustomer().On("GET /v1/invoices", $$"""{"object":"list","has_more":false,"data":[{{left}}]}""").On("POST /v1/invoices/in_1/finalize", Open);

        var answer = await Gateways.Stripe(provider).SetUpInvoice(Gateways.Order, Cancel);

        answer.ShouldBeOfType<InvoiceSetUp.Issued>();
        provider.Sent.Where(sent => sent.Method == "POST").Select(sent => sent.Path).ShouldBe(["/v1/invoices/in_1/finalize"]);
    }

    [Fact]
    public async Task Another_customer_with_the_same_address_is_not_taken_for_ours()
    {
        provider.On("GET /v1/customers", """{"object":"list","has_more":false,"data":[{"id":"cus_other","metadata":{"customer_id":"somebody else"}}]}""")
            .On("POST /v1/customers", """{"id":"cus_1"}""").On("POST /v1/invoices", Draft).On("POST /v1/invoiceitems", """{"id":"ii_1"}""")
            .On("POST /v1/invoices/in_1/finalize", Open);

        await Gateways.Stripe(provider).SetUpInvoice(Gateways.Order, Cancel);

        provider.To("POST /v1/invoices")[0].Form.ShouldContain("customer=cus_1");
    }

    [Fact]
    public async Task Lists_are_walked_to_their_end()
    {
        provider.On("GET /v1/customers", """{"object":"list","has_more":true,"data":[{"id":"cus_other","metadata":{}}]}""")
            .On("GET /v1/customers", $$$"""{"object":"list","has_more":false,"data":[{"id":"cus_1","created":1,"metadata":{"customer_id":"{{{Gateways.Customer}}}"}}]}""")
            .On("GET /v1/invoices", $$"""{"object":"list","has_more":false,"data":[{{Open}}]}""");

        await Gateways.Stripe(provider).SetUpInvoice(Gateways.Order, Cancel);

        provider.To("GET /v1/customers")[1].Asked.ShouldBe(["email=ada@example.com", "limit=100", "starting_after=cus_other"]);
    }

    [Fact]
    public async Task A_lost_answer_is_asked_for_again_with_the_same_key_and_the_same_form()
    {
        NewCustomer().On("POST /v1/invoices", () => throw new HttpRequestException(HttpRequestError.ResponseEnded)).On("POST /v1/invoices", Draft)
            .On("POST /v1/invoiceitems", """{"id":"ii_1"}""").On("POST /v1/invoices/in_1/finalize", Open);

        await Gateways.Stripe(provider).SetUpInvoice(Gateways.Order, Cancel);

        var tries = provider.To("POST /v1/invoices");
        tries.Count.ShouldBe(2);
        tries[1].Key.ShouldBe(tries[0].Key);
        tries[1].Body.ShouldBe(tries[0].Body);
    }

    [Fact]
    public async Task A_definite_no_is_a_value_and_does_not_repeat_what_the_customer_wrote()
    {
        NewCustomer().On("POST /v1/invoices", Draft).On(
            "POST /v1/invoiceitems",
            """{"error":{"type":"invalid_request_error","code":"amount_too_small","message":"Too small for ada@example.com"}}""",
            status: 400);

        var answer = await Gateways.Stripe(provider).SetUpInvoice(Gateways.Order, Cancel);

        answer.ShouldBe(new InvoiceSetUp.Refused("amount_too_small: Too small for …"));
    }

    [Fact]
    public async Task A_finalization_that_had_happened_before_is_no_refusal()
    {
        NewCustomer().On("POST /v1/invoices", Draft).On("POST /v1/invoiceitems", """{"id":"ii_1"}""")
            .On("POST /v1/invoices/in_1/finalize", """{"error":{"type":"invalid_request_error","message":"This invoice is already finalized"}}""", status: 400)
            .On("GET /v1/invoices/in_1", Open);

        (await Gateways.Stripe(provider).SetUpInvoice(Gateways.Order, Cancel)).ShouldBeOfType<InvoiceSetUp.Issued>();
    }

    [Fact]
    public async Task Bitcoin_is_refused_before_stripe_is_asked()
    {
        var answer = await Gateways.Stripe(provider).SetUpInvoice(Gateways.Order with { Amount = new Money(1000, "BTC") }, Cancel);

        answer.ShouldBeOfType<InvoiceSetUp.Refused>();
        provider.Sent.ShouldBeEmpty();
    }

    [Fact]
    public async Task Payments_are_told_with_intent_charge_and_time_and_half_of_them_only()
    {
        provider.On("GET /v1/invoices/in_1", """
            {"id":"in_1","status":"open","currency":"eur","total":4500,"amount_paid":2000,"due_date":1785604800,"hosted_invoice_url":"https://invoice.stripe.com/i/x",
            "metadata":{"commission_id":"0198a000-0000-7000-8000-000000000042"},
            "payments":{"object":"list","has_more":false,"data":[
              {"id":"inpay_1","status":"paid","amount_paid":2000,"payment":{"type":"payment_intent","payment_intent":"pi_1"},"status_transitions":{"paid_at":1785000900}},
              {"id":"inpay_2","status":"open","amount_paid":null,"payment":{"type":"payment_intent","payment_intent":"pi_2"},"status_transitions":{"paid_at":null}}]}}
            """).On("GET /v1/payment_intents/pi_1", """{"id":"pi_1","latest_charge":{"id":"ch_1","balance_transaction":{"id":"txn_1","fee":205,"currency":"eur"}}}""");

        var invoice = (await Gateways.Stripe(provider).FetchInvoice("in_1", Cancel)).ShouldNotBeNull();

        invoice.Standing.ShouldBe(InvoiceStanding.Open);
        invoice.Amount.ShouldBe(new Money(4500, "EUR"));
        invoice.Commission.ShouldBe(Gateways.Commission);
        invoice.DueAt.ShouldBe(DateTimeOffset.FromUnixTimeSeconds(1785604800));
        var half = new Money(2000, "EUR");
        invoice.Payments.ShouldBe([new SettledPayment("pi_1", half, half, DateTimeOffset.FromUnixTimeSeconds(1785000900), Late: false, "ch_1") { Fee = new Money(205, "EUR") }]);
        provider.To("GET /v1/invoices/in_1")[0].Asked.ShouldBe(["expand[0]=payments"]);
    }

    [Fact]
    public async Task What_was_paid_out_of_band_is_a_payment_under_the_invoices_id()
    {
        provider.On("GET /v1/invoices/in_1", """
            {"id":"in_1","status":"paid","currency":"eur","total":4500,"amount_paid":4500,"status_transitions":{"paid_at":1785000900},"metadata":{},
            "payments":{"data":[{"id":"inpay_1","status":"paid","amount_paid":1000,"payment":{"type":"payment_intent","payment_intent":{"id":"pi_1","latest_charge":"ch_1"}}},
            {"id":"inpay_2","status":"paid","amount_paid":3500,"payment":{"type":"payment_record","payment_record":"prec_1"}}],"has_more":false}}
            """);

        var invoice = (await Gateways.Stripe(provider).FetchInvoice("in_1", Cancel)).ShouldNotBeNull();

        invoice.Payments.Select(payment => (payment.PaymentId, payment.Amount.Minor)).ShouldBe([("pi_1", 1000), ("in_1", 3500)]);
        invoice.Payments[1].At.ShouldBe(DateTimeOffset.FromUnixTimeSeconds(1785000900));
    }

    [Fact]
    public async Task More_payments_than_an_invoice_embeds_are_listed()
    {
        provider.On("GET /v1/invoices/in_1", """{"id":"in_1","status":"open","currency":"eur","total":4500,"amount_paid":100,"payments":{"data":[],"has_more":true}}""")
            .On("GET /v1/invoice_payments", """{"has_more":false,"data":[{"id":"inpay_1","status":"paid","amount_paid":100,"payment":{"type":"charge","charge":"ch_1"}}]}""");

        var invoice = (await Gateways.Stripe(provider).FetchInvoice("in_1", Cancel)).ShouldNotBeNull();

        invoice.Payments.ShouldHaveSingleItem().PaymentId.ShouldBe("ch_1");
    }

    [Fact]
    public async Task Nobody_is_sent_to_what_is_no_web_page()
    {
        provider.On("GET /v1/invoices/in_1", """{"id":"in_1","status":"open","currency":"eur","total":4500,"hosted_invoice_url":"javascript:alert(1)","payments":{"data":[]}}""");

        (await Gateways.Stripe(provider).FetchInvoice("in_1", Cancel)).ShouldNotBeNull().PayUrl.ShouldBeNull();
    }

    [Theory]
    [InlineData("draft", InvoiceStanding.Open)]
    [InlineData("open", InvoiceStanding.Open)]
    [InlineData("paid", InvoiceStanding.Paid)]
    [InlineData("void", InvoiceStanding.Voided)]
    [InlineData("uncollectible", InvoiceStanding.Invalid)]
    [InlineData("something new", InvoiceStanding.Open)]
    public async Task Stripes_statuses_have_their_standing(string status, InvoiceStanding standing)
    {
        provider.On("GET /v1/invoices/in_1", $$$"""{"id":"in_1","status":"{{{status}}}","currency":"eur","total":4500,"amount_paid":0,"payments":{"data":[]}}""");

        (await Gateways.Stripe(provider).FetchInvoice("in_1", Cancel)).ShouldNotBeNull().Standing.ShouldBe(standing);
    }

    [Fact]
    public async Task There_is_no_such_invoice_when_stripe_says_404()
    {
        provider.On("GET /v1/invoices/in_1", """{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such invoice"}}""", status: 404);

        (await Gateways.Stripe(provider).FetchInvoice("in_1", Cancel)).ShouldBeNull();
    }

    [Theory]
    [InlineData("paid")]
    [InlineData("void")]
    public async Task Sending_and_voiding_what_was_settled_meanwhile_is_no_error(string status)
    {
        const string no = """{"error":{"type":"invalid_request_error","message":"You can't do that"}}""";
        provider.On("POST /v1/invoices/in_1/send", no, status: 400).On("POST /v1/invoices/in_1/void", no, status: 400)
            .On("GET /v1/invoices/in_1", $$"""{"id":"in_1","status":"{{status}}"}""");

        await Gateways.Stripe(provider).SendInvoice("commission:42/send/1", "in_1", Cancel);
        await Gateways.Stripe(provider).VoidInvoice("commission:42/void/1", "in_1", Cancel);

        provider.Sent.Where(sent => sent.Method == "POST").Select(sent => sent.Key).ShouldBe(["commission:42/send/1/send", "commission:42/void/1/void"]);
    }

    [Fact]
    public async Task An_invoice_that_cannot_be_voided_and_is_still_open_is_told()
    {
        provider.On("POST /v1/invoices/in_1/void", """{"error":{"type":"invalid_request_error"}}""", status: 400).On("GET /v1/invoices/in_1", Open);

        await Should.ThrowAsync<GatewayRefusedException>(() => Gateways.Stripe(provider).VoidInvoice("k", "in_1", Cancel));
    }

    [Fact]
    public async Task A_draft_is_thrown_away_where_an_invoice_would_be_voided()
    {
        provider.On("POST /v1/invoices/in_1/void", """{"error":{"type":"invalid_request_error"}}""", status: 400).On("GET /v1/invoices/in_1", Draft)
            .On("DELETE /v1/invoices/in_1", """{"id":"in_1","deleted":true}""");

        await Gateways.Stripe(provider).VoidInvoice("k", "in_1", Cancel);

        provider.To("DELETE /v1/invoices/in_1").ShouldHaveSingleItem();
    }

    [Fact] // P4, P6
    public async Task The_invoice_behind_a_payment_is_found_with_its_subscription()
    {
        provider.On("GET /v1/invoice_payments", """{"has_more":false,"data":[{"id":"inpay_1","invoice":"in_2"}]}""")
            .On("GET /v1/invoices/in_2", """{"id":"in_2","parent":{"type":"subscription_details","subscription_details":{"subscription":"sub_1"}}}""");

        (await Gateways.Stripe(provider).FindInvoice("pi_2", Cancel)).ShouldBe(new PaymentInvoice("in_2", "sub_1"));
        provider.To("GET /v1/invoice_payments")[0].Asked.ShouldBe(["payment[type]=payment_intent", "payment[payment_intent]=pi_2", "limit=100"]);
    }

    [Fact] // P5
    public async Task An_invoice_without_parent_is_no_renewal_and_a_payment_without_invoice_has_none()
    {
        provider.On("GET /v1/invoice_payments", """{"has_more":false,"data":[{"id":"inpay_1","invoice":"in_1"}]}""").On("GET /v1/invoice_payments", NoItems)
            .On("GET /v1/invoices/in_1", """{"id":"in_1","parent":null}""");

        (await Gateways.Stripe(provider).FindInvoice("pi_1", Cancel)).ShouldBe(new PaymentInvoice("in_1", null));
        (await Gateways.Stripe(provider).FindInvoice("pi_9", Cancel)).ShouldBeNull();
    }

    [Theory]
    [InlineData(404)]
    [InlineData(400)]
    public async Task A_payment_that_stripe_does_not_know_has_no_invoice_and_is_not_asked_about_for_ever(int status)
    {
        provider.On("GET /v1/invoice_payments", """{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such payment_intent: 'pi_9'"}}""", status);

        (await Gateways.Stripe(provider).FindInvoice("pi_9", Cancel)).ShouldBeNull();
    }

    private ScriptedProvider NewCustomer() => provider.On("GET /v1/customers", NoItems).On("POST /v1/customers", """{"id":"cus_1"}""");

    private ScriptedProvider KnownCustomer() => provider.On(
        "GET /v1/customers",
        $$$"""{"object":"list","has_more":false,"data":[{"id":"cus_1","created":1785000000,"metadata":{"customer_id":"{{{Gateways.Customer}}}"}}]}""");
}
