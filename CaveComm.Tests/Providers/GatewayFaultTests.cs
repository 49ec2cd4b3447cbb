using System.Net;
using CaveComm.Domain.Payments;
using CaveComm.Providers;
using CaveComm.Providers.Http;
using Shouldly;

namespace CaveComm.Tests.Providers;

/// <summary>What both gateways make of silence, errors and strange answers.</summary>
public sealed class GatewayFaultTests
{
    private const string Html = "<html><body>Bad gateway</body></html>";

    private static readonly TimeSpan FirstPause = new CallLimits().Pause;

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly ScriptedProvider provider = new();

    [Theory]
    [InlineData(500, "")]
    [InlineData(502, Html)]
    [InlineData(503, """{"error":{"type":"api_error"}}""")]
    [InlineData(409, """{"error":{"code":"idempotency_key_in_use"}}""")]
    public async Task An_unclear_answer_is_tried_twice_more_with_the_same_key_and_then_left_to_the_queue(int status, string body)
    {
        provider.On("POST /v1/invoices/in_1/send", body, status, "text/html");

        await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.Stripe(provider).SendInvoice("k", "in_1", Cancel));

        provider.Sent.Count.ShouldBe(3);
        provider.Sent.ShouldAllBe(sent => sent.Key == "k/send");
    }

    [Fact]
    public async Task Stripes_own_word_on_retries_outranks_the_status()
    {
        provider.On("POST /v1/invoices/in_1/send", "{}", 500, "application/json", ("Stripe-Should-Retry", "false"));

        await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.Stripe(provider).SendInvoice("k", "in_1", Cancel));

        provider.Sent.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task How_long_to_wait_is_handed_on(int status)
    {
        provider.On("GET /v1/invoices/in_1", "{}", status, "application/json", ("Retry-After", "17"));

        var failure = await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.Stripe(provider).FetchInvoice("in_1", Cancel));

        failure.RetryAfter.ShouldBe(TimeSpan.FromSeconds(17));
        provider.Sent.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task A_refused_key_is_for_the_operator_to_mend_and_is_never_shown(int status)
    {
        provider.On("GET /v1/invoices/in_1", $$$"""{"error":{"type":"invalid_request_error","message":"Invalid API Key: {{{Gateways.StripeKey}}}"}}""", status)
            .On("GET /api/v1/stores/9kDnZ1/invoices/x", "", status);

        var stripe = await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.Stripe(provider).FetchInvoice("in_1", Cancel));
        var btcPay = await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.BtcPay(provider).FetchInvoice("x", Cancel));

        stripe.Message.ShouldContain("Stripe:ApiKey");
        stripe.ToString().ShouldNotContain(Gateways.StripeKey);
        btcPay.Message.ShouldContain("BTCPay:ApiKey");
        provider.Sent.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(400)]
    [InlineData(404)]
    public async Task A_page_from_somebody_in_between_is_no_answer(int status)
    {
        provider.On("GET /v1/invoices/in_1", Html, status, "text/html").On("GET /api/v1/stores/9kDnZ1/invoices/x", Html, status, "text/html");

        await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.Stripe(provider).FetchInvoice("in_1", Cancel));
        await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.BtcPay(provider).FetchInvoice("x", Cancel));
    }

    [Fact]
    public async Task A_redirect_is_told_as_a_wrong_address()
    {
        provider.On("GET /api/v1/stores/9kDnZ1/invoices/x", "", 301);

        var failure = await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.BtcPay(provider).FetchInvoice("x", Cancel));

        failure.Message.ShouldContain("redirected");
    }

    [Fact]
    public async Task Silence_ends_with_the_time_limit_and_is_not_waited_for_again()
    {
        using var silent = new SilentHandler();
        using var gateway = Gateways.Stripe(silent, timeout: TimeSpan.FromMilliseconds(50));

        await Should.ThrowAsync<GatewayUnavailableException>(() => gateway.SendInvoice("k", "in_1", Cancel));

        silent.Asked.ShouldBe(1);
    }

    [Fact]
    public async Task A_caller_who_gives_up_is_not_told_that_the_provider_is_down()
    {
        using var silent = new SilentHandler();
        using var gateway = Gateways.Stripe(silent);
        using var impatient = new CancellationTokenSource();
        var asking = gateway.SendInvoice("k", "in_1", impatient.Token);
        await impatient.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public async Task While_a_provider_is_down_calls_are_answered_without_asking_it_and_later_one_call_finds_out()
    {
        var clock = new ManualClock();
        using var gateway = Gateways.Stripe(provider, clock);
        provider.On("GET /v1/invoices/in_1", "", 500);
        for (var call = 0; call < 2; call++)
        {
            await Should.ThrowAsync<GatewayUnavailableException>(() => gateway.FetchInvoice("in_1", Cancel));
        }

        provider.Sent.Count.ShouldBe(Circuit.Threshold);
        var quick = await Should.ThrowAsync<GatewayUnavailableException>(() => gateway.FetchInvoice("in_1", Cancel));
        quick.RetryAfter.ShouldBe(FirstPause);
        provider.Sent.Count.ShouldBe(Circuit.Threshold);

        clock.Advance(FirstPause);
        provider.On("GET /v1/invoices/in_1", """{"id":"in_1","status":"open","currency":"eur","total":1,"payments":{"data":[]}}""");
        await Should.ThrowAsync<GatewayUnavailableException>(() => gateway.FetchInvoice("in_1", Cancel)); // The script's last 500.
        clock.Advance(FirstPause);
        (await gateway.FetchInvoice("in_1", Cancel)).ShouldNotBeNull();
    }

    [Fact]
    public void While_one_call_finds_out_the_others_wait()
    {
        var clock = new ManualClock();
        var circuit = new Circuit(FirstPause, clock);
        for (var failure = 0; failure < Circuit.Threshold; failure++)
        {
            circuit.Enter().ShouldBeNull();
            circuit.Failed();
        }

        clock.Advance(FirstPause);
        circuit.Enter().ShouldBeNull();
        circuit.Enter().ShouldNotBeNull();
        circuit.Abandoned();
        circuit.Enter().ShouldBeNull();
        circuit.Succeeded();
        circuit.Enter().ShouldBeNull();
        circuit.Enter().ShouldBeNull();
    }

    [Fact]
    public async Task What_creates_at_btcpay_is_never_sent_twice_in_one_call()
    {
        provider.On("GET /api/v1/stores/9kDnZ1/invoices", "[]").On("POST /api/v1/stores/9kDnZ1/invoices", Html, 502, "text/html");

        await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.BtcPay(provider).SetUpInvoice(Gateways.Order, Cancel));

        provider.To("POST /api/v1/stores/9kDnZ1/invoices").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task An_id_cannot_lead_to_another_address()
    {
        provider.On("GET /v1/invoices/..%2Fbalance", "{}", 404);

        (await Gateways.Stripe(provider).FetchInvoice("../balance", Cancel)).ShouldBeNull();
        await Should.ThrowAsync<ArgumentException>(() => Gateways.Stripe(provider).FetchInvoice("..", Cancel));
    }

    private sealed class SilentHandler : HttpMessageHandler
    {
        public int Asked { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked++;
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return new HttpResponseMessage(HttpStatusCode.OK);
        }
    }
}
