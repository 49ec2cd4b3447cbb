using System.Text.Json.Nodes;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Providers.BtcPay;
using Shouldly;

namespace CaveComm.Tests.Providers;

public sealed class BtcPayPayoutTests
{
    private const string Payouts = "/api/v1/stores/9kDnZ1/payouts";
    private const string Pulls = "/api/v1/stores/9kDnZ1/pull-payments";

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly ScriptedProvider provider = new();

    [Fact] // F20
    public async Task A_payout_is_searched_for_by_its_key_and_then_made_approved()
    {
        provider.On($"GET {Payouts}", "[]").On($"POST {Payouts}", Payout("AwaitingPayment"));

        (await Gateways.BtcPay(provider).RequestPayout(Gateways.BtcPayPayout, Cancel)).ShouldBe(new PayoutSnapshot("2kTn", PayoutStanding.Pending, null));

        provider.Sent[0].Asked.ShouldBe(["includeCancelled=true"]);
        JsonNode.DeepEquals(JsonNode.Parse(provider.Sent[1].Body), JsonNode.Parse($$$"""
            {"destination":"art@wallet.example","amount":"0.00065000","payoutMethodId":"BTC-LN","approved":true,
             "metadata":{"source":"CaveComm","payoutKey":"commission:42/payout/1","commissionId":"{{{Gateways.Commission}}}"}}
            """)).ShouldBeTrue(provider.Sent[1].Body);
    }

    [Theory]
    [InlineData("Completed", PayoutStanding.Paid)]
    [InlineData("InProgress", PayoutStanding.Pending)]
    [InlineData("Cancelled", PayoutStanding.Refused)]
    public async Task A_payout_that_bears_our_key_is_found_and_not_made_again(string state, PayoutStanding standing)
    {
        provider.On($"GET {Payouts}", $"[{Payout(state)}]");

        (await Gateways.BtcPay(provider).RequestPayout(Gateways.BtcPayPayout, Cancel)).Standing.ShouldBe(standing);

        provider.Sent.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("\"ok\"")]
    [InlineData("""{"message":"maintenance"}""")]
    public async Task An_answer_that_is_no_list_does_not_say_that_nothing_was_sent(string answer)
    {
        provider.On($"GET {Payouts}", answer).On($"POST {Payouts}", Payout("AwaitingPayment"));
        provider.On($"GET {Pulls}", answer).On($"POST {Pulls}", """{"id":"pp_1"}""");
        var gateway = Gateways.BtcPay(provider);

        await Should.ThrowAsync<GatewayUnavailableException>(() => gateway.RequestPayout(Gateways.BtcPayPayout, Cancel));
        await Should.ThrowAsync<GatewayUnavailableException>(() => gateway.RequestRefund(
            new RefundOrder("commission:42/refund/1", Gateways.Commission, 1, "p1", null, new Money(2000, "EUR"), new Money(30_000, "BTC")), Cancel));

        provider.Sent.ShouldNotContain(sent => sent.Method == "POST");
    }

    [Theory]
    [InlineData("Completed", RefundProgress.Sent, 666, 10_000)]
    [InlineData("InProgress", RefundProgress.Pending, 2000, 0)]
    [InlineData("Cancelled", RefundProgress.Failed, 2000, 0)]
    public async Task A_refund_that_was_withdrawn_after_a_part_was_claimed_is_over_with_that_part(string state, RefundProgress progress, long cents, long satoshi)
    {
        var refund = new RefundOrder("commission:42/refund/1", Gateways.Commission, 1, "p1", null, new Money(2000, "EUR"), new Money(30_000, "BTC"));
        provider.On($"GET {Pulls}", """[{"id":"pp_1","archived":true,"viewLink":"https://pay.example/pull/pp_1"}]""")
            .On($"GET {Payouts}", $$"""[{"id":"2kTn","pullPaymentId":"pp_1","state":"{{state}}","originalAmount":"0.0001","payoutAmount":"0.00010000"}]""");

        var told = (await Gateways.BtcPay(provider).FetchRefund(refund, "pp_1", Cancel)).ShouldNotBeNull();

        (told.Progress, told.Amount, told.Sent).ShouldBe((progress, new Money(cents, "EUR"), new Money(satoshi, "BTC")));
    }

    [Fact]
    public async Task A_payout_left_without_approval_is_approved()
    {
        provider.On($"GET {Payouts}", $"[{Payout("AwaitingApproval")}]").On($"POST {Payouts}/2kTn", Payout("AwaitingPayment"));

        (await Gateways.BtcPay(provider).RequestPayout(Gateways.BtcPayPayout, Cancel)).Standing.ShouldBe(PayoutStanding.Pending);

        provider.Sent[1].Body.ShouldBe("""{"revision":3}""");
    }

    [Fact]
    public async Task An_amount_too_low_at_approval_cancels_the_payout_and_is_a_refusal()
    {
        provider.On($"GET {Payouts}", $"[{Payout("AwaitingApproval")}]").On($"POST {Payouts}/2kTn", """{"code":"amount-too-low","message":"Too low"}""", 400)
            .On($"GET {Payouts}/2kTn", Payout("Cancelled"));

        (await Gateways.BtcPay(provider).RequestPayout(Gateways.BtcPayPayout, Cancel))
            .ShouldBe(new PayoutSnapshot("2kTn", PayoutStanding.Refused, "amount-too-low: Too low"));
    }

    [Fact]
    public async Task A_stale_approval_is_asked_for_again_later()
    {
        provider.On($"GET {Payouts}", $"[{Payout("AwaitingApproval")}]").On($"POST {Payouts}/2kTn", """{"code":"old-revision","message":"?"}""", 400)
            .On($"GET {Payouts}/2kTn", Payout("AwaitingApproval"));

        await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.BtcPay(provider).RequestPayout(Gateways.BtcPayPayout, Cancel));
    }

    [Fact]
    public async Task Payouts_to_one_destination_go_one_after_another()
    {
        provider.On($"GET {Payouts}", "[]").On($"POST {Payouts}", """{"code":"duplicate-destination","message":"…"}""", 400);

        var wait = await Should.ThrowAsync<GatewayUnavailableException>(() => Gateways.BtcPay(provider).RequestPayout(Gateways.BtcPayPayout, Cancel));

        wait.RetryAfter.ShouldNotBeNull().ShouldBeGreaterThan(TimeSpan.Zero);
    }

    [Theory]
    [InlineData("overdraft")]
    [InlineData("amount-too-low")]
    [InlineData("payment-method-not-supported")]
    public async Task A_definite_refusal_is_told_with_its_reason(string code)
    {
        provider.On($"GET {Payouts}", "[]").On($"POST {Payouts}", $$"""{"code":"{{code}}","message":"No."}""", 400);

        (await Gateways.BtcPay(provider).RequestPayout(Gateways.BtcPayPayout, Cancel)).ShouldBe(new PayoutSnapshot(null, PayoutStanding.Refused, $"{code}: No."));
    }

    [Fact]
    public async Task Only_bitcoin_is_paid_out() =>
        (await Gateways.BtcPay(provider).RequestPayout(Gateways.BtcPayPayout with { Amount = new Money(100, "EUR") }, Cancel)).Standing.ShouldBe(PayoutStanding.Refused);

    [Theory]
    [InlineData("art@wallet.example", "BTC-LN")]
    [InlineData("LNBC650u1p…", "BTC-LN")]
    [InlineData("lightning:lnurl1dp68", "BTC-LN")]
    [InlineData("bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh", "BTC-CHAIN")]
    [InlineData("bitcoin:bc1qxy2?amount=1", "BTC-CHAIN")]
    public void The_destination_says_how_it_is_paid(string destination, string method) => BtcPayPayouts.MethodOf(destination).ShouldBe(method);

    private static string Payout(string state) => $$$"""
        {"id":"2kTn","revision":3,"destination":"art@wallet.example","state":"{{{state}}}","metadata":{"payoutKey":"commission:42/payout/1"}}
        """;
}
