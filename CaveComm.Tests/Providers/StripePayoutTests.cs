using CaveComm.Domain;
using CaveComm.Domain.Payments;
using Shouldly;

namespace CaveComm.Tests.Providers;

public sealed class StripePayoutTests
{
    private const string Nothing = """{"object":"list","data":[],"has_more":false}""";
    private const string Transferred = """
        {"id":"tr_1","amount":3600,"amount_reversed":0,"currency":"eur","destination":"acct_1Artist42","created":1785000000,"metadata":{}}
        """;

    private const string Reversal = """
        {"id":"trr_1","amount":1000,"currency":"eur","created":1785000300,"metadata":{"reversal_key":"commission:42/payout/2/before","before_payout":"true"}}
        """;

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly ScriptedProvider provider = new();

    [Fact] // F20
    public async Task Money_goes_to_the_connected_account_and_from_there_to_the_bank()
    {
        provider.On("GET /v1/transfers", Nothing).On("POST /v1/transfers", Transferred).On("POST /v1/payouts", Payout("pending"));

        var payout = await Gateways.Stripe(provider).RequestPayout(Gateways.StripePayout, Cancel);

        payout.ShouldBe(new PayoutSnapshot("po_1", PayoutStanding.Pending, null));
        var transfer = provider.To("POST /v1/transfers")[0];
        transfer.Key.ShouldBe("commission:42/payout/1/transfer");
        transfer.Headers.Keys.ShouldNotContain("Stripe-Account");
        transfer.Form.ShouldBe(
        [
            "amount=3600", "currency=eur", "destination=acct_1Artist42", $"transfer_group=commission_{Gateways.Commission}", "source_transaction=ch_3Pay0001",
            $"metadata[commission_id]={Gateways.Commission}", "metadata[payout_key]=commission:42/payout/1",
        ]);
        var sent = provider.To("POST /v1/payouts")[0];
        sent.Key.ShouldBe("commission:42/payout/1/payout");
        sent.Headers["Stripe-Account"].ShouldBe("acct_1Artist42");
        sent.Form.ShouldBe(
        [
            "amount=3600", "currency=eur", "method=standard", $"metadata[commission_id]={Gateways.Commission}", "metadata[payout_key]=commission:42/payout/1",
        ]);
    }

    [Fact]
    public async Task A_payout_that_bears_our_key_is_found_and_not_made_again()
    {
        provider.On("GET /v1/transfers", List(Transferred)).On("GET /v1/payouts", List(Payout("paid")));

        (await Gateways.Stripe(provider).RequestPayout(Gateways.StripePayout, Cancel)).ShouldBe(new PayoutSnapshot("po_1", PayoutStanding.Paid, null));

        provider.Sent.ShouldNotContain(sent => sent.Method == "POST");
        provider.To("GET /v1/payouts")[0].Headers["Stripe-Account"].ShouldBe("acct_1Artist42");
    }

    [Fact]
    public async Task After_a_refused_payout_the_next_attempt_does_not_transfer_the_money_twice()
    {
        var failed = Payout("failed", "commission:42/payout/1");
        provider.On("GET /v1/transfers", List(Transferred)).On("GET /v1/payouts", List(failed)).On("POST /v1/payouts", Payout("pending", "commission:42/payout/2"));

        var payout = await Gateways.Stripe(provider).RequestPayout(Gateways.StripePayout with { Key = "commission:42/payout/2" }, Cancel);

        payout.Standing.ShouldBe(PayoutStanding.Pending);
        provider.To("POST /v1/transfers").ShouldBeEmpty();
    }

    [Fact]
    public async Task Only_what_is_missing_on_the_account_is_transferred()
    {
        const string partly = """
            {"id":"tr_1","amount":3600,"amount_reversed":1000,"currency":"eur","destination":"acct_1Artist42","created":1785000000,"metadata":{}}
            """;
        provider.On("GET /v1/transfers", List(partly)).On("GET /v1/payouts", Nothing).On("POST /v1/transfers", Transferred).On("POST /v1/payouts", Payout("pending"));

        await Gateways.Stripe(provider).RequestPayout(Gateways.StripePayout, Cancel);

        provider.To("POST /v1/transfers")[0].Form.ShouldContain("amount=1000");
        provider.To("POST /v1/payouts")[0].Form.ShouldContain("amount=3600");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"object":"list","data":null}""")]
    public async Task An_answer_that_is_no_list_does_not_say_that_nothing_was_sent(string answer)
    {
        provider.On("GET /v1/transfers", answer).On("POST /v1/transfers", Transferred).On("POST /v1/payouts", Payout("pending"));

        await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.Stripe(provider).RequestPayout(Gateways.StripePayout, Cancel));

        provider.Sent.ShouldNotContain(sent => sent.Method == "POST");
    }

    [Fact]
    public async Task What_was_transferred_before_a_refusal_and_is_no_longer_due_is_taken_back_before_the_payout()
    {
        provider.On("GET /v1/transfers", List(Transferred)).On("GET /v1/payouts", List(Payout("failed"))).On("POST /v1/transfers/tr_1/reversals", Reversal)
            .On("POST /v1/payouts", Payout("pending", "commission:42/payout/2"));

        var order = Gateways.StripePayout with { Key = "commission:42/payout/2", Amount = new Money(2600, "EUR") };
        (await Gateways.Stripe(provider).RequestPayout(order, Cancel)).Standing.ShouldBe(PayoutStanding.Pending);

        var taken = provider.To("POST /v1/transfers/tr_1/reversals").ShouldHaveSingleItem();
        taken.Form.ShouldContain("amount=1000");
        taken.Form.ShouldContain("metadata[before_payout]=true");
        provider.To("POST /v1/transfers").ShouldBeEmpty();
        provider.To("POST /v1/payouts")[0].Form.ShouldContain("amount=2600");
    }

    [Fact]
    public async Task What_was_taken_back_before_the_payout_is_no_reversal_of_it()
    {
        const string partly = """
            {"id":"tr_1","amount":3600,"amount_reversed":1500,"currency":"eur","destination":"acct_1Artist42","created":1785000000,"metadata":{}}
            """;
        const string dashboard = """{"id":"trr_0","amount":300,"currency":"eur","created":1785000100,"metadata":{}}""";
        const string afterwards = """{"id":"trr_2","amount":200,"currency":"eur","created":1785000900,"metadata":{}}""";
        provider.On("GET /v1/payouts/po_1", Payout("paid").Replace("\"object\":\"payout\"", "\"created\":1785000200", StringComparison.Ordinal));
        provider.On("GET /v1/transfers", List(partly)).On("GET /v1/transfers/tr_1/reversals", List($"{dashboard},{Reversal},{afterwards}"));

        var payout = (await Gateways.Stripe(provider).FetchPayout("po_1", "acct_1Artist42", Cancel)).ShouldNotBeNull();

        payout.Reversals.Select(it => it.ReversalId).ShouldBe(["trr_2"]);
    }

    [Theory]
    [InlineData("balance_insufficient", 400)]
    [InlineData("no_account", 400)]
    [InlineData("account_invalid", 403)]
    [InlineData("resource_missing", 404)]
    public async Task A_definite_refusal_is_told_with_its_reason(string code, int status)
    {
        provider.On("GET /v1/transfers", Nothing)
            .On("POST /v1/transfers", $$$"""{"error":{"type":"invalid_request_error","code":"{{{code}}}","message":"No."}}""", status: status);

        (await Gateways.Stripe(provider).RequestPayout(Gateways.StripePayout, Cancel)).ShouldBe(new PayoutSnapshot(null, PayoutStanding.Refused, $"{code}: No."));
    }

    [Fact]
    public async Task A_key_that_was_used_for_something_else_is_no_reason_for_a_new_attempt()
    {
        provider.On("GET /v1/transfers", Nothing)
            .On("POST /v1/transfers", """{"error":{"type":"idempotency_error","message":"Keys for idempotent requests can only be used with the same parameters"}}""", status: 400);

        await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.Stripe(provider).RequestPayout(Gateways.StripePayout, Cancel));
    }

    [Theory]
    [InlineData("art@wallet.example")]
    [InlineData("acct_")]
    [InlineData("acct_1\r\nX-Injected: 1")]
    public async Task A_destination_that_is_no_connected_account_is_refused_without_asking(string destination)
    {
        var gateway = Gateways.Stripe(provider);

        (await gateway.RequestPayout(Gateways.StripePayout with { Destination = destination }, Cancel)).Standing.ShouldBe(PayoutStanding.Refused);
        (await gateway.FetchPayout("po_1", destination, Cancel)).ShouldBeNull();
        provider.Sent.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("pending", PayoutStanding.Pending, null)]
    [InlineData("in_transit", PayoutStanding.Pending, null)]
    [InlineData("paid", PayoutStanding.Paid, null)]
    [InlineData("failed", PayoutStanding.Refused, "The bank account has been closed.")]
    [InlineData("canceled", PayoutStanding.Refused, "canceled")]
    public async Task A_payouts_statuses_have_their_standing(string status, PayoutStanding standing, string? reason)
    {
        provider.On("GET /v1/payouts/po_1", Payout(status));
        provider.On("GET /v1/transfers", List(""));

        (await Gateways.Stripe(provider).FetchPayout("po_1", "acct_1Artist42", Cancel)).ShouldBe(new PayoutSnapshot("po_1", standing, reason));
        provider.Sent[0].Headers["Stripe-Account"].ShouldBe("acct_1Artist42");
    }

    private static string List(string item) => $$"""{"object":"list","has_more":false,"data":[{{item}}]}""";

    private static string Payout(string status, string key = "commission:42/payout/1") => $$$"""
        {"id":"po_1","object":"payout","amount":3600,"currency":"eur","status":"{{{status}}}","failure_code":"account_closed",
        "failure_message":"The bank account has been closed.","metadata":{"commission_id":"{{{Gateways.Commission}}}","payout_key":"{{{key}}}"}}
        """;
}
