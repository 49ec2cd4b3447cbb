using System.Text.RegularExpressions;
using CaveComm.Domain.Payments;
using Shouldly;

namespace CaveComm.Tests.Providers;

public sealed partial class BtcPayGatewayContractTests : PaymentProviderContract
{
    private protected override async Task<ProviderBench> Open() => await BtcPayBench.Open();

    private protected override OpenApiDocument Document() => OpenApiDocument.Load("btcpay-greenfield-2.4.1.json");

    /// <summary>The document knows single invoices and payouts without their store only; every version routes the long form (contracts/btcpay.md §1).</summary>
    private protected override SentRequest InItsWords(SentRequest request) => request with { Path = OfStore().Replace(request.Path, "/api/v1/$1/") };

    private protected override async Task AskMore(ProviderBench bench, InvoiceSnapshot paid)
    {
        await ((IWalletLinks)bench.Gateway).FindWalletLink(paid.InvoiceId, Cancel);
        var other = ProviderBench.Order();
        var offered = await bench.Gateway.RequestRefund(ProviderBench.Refund(await bench.Paid(other), other.Commission, 1), Cancel);
        await bench.Gateway.WithdrawRefund(offered.RefundId.ShouldNotBeNull(), Cancel);
    }

    [Fact]
    public async Task The_approval_of_a_payout_that_was_left_unapproved_is_valid_by_the_published_document()
    {
        const string Payouts = "/api/v1/stores/9kDnZ1/payouts";
        var script = new ScriptedProvider().On($"GET {Payouts}", "[]")
            .On($"POST {Payouts}", """{"id":"p1","state":"AwaitingApproval","revision":0}""")
            .On($"POST {Payouts}/p1", """{"id":"p1","state":"AwaitingPayment","revision":1}""");

        (await Gateways.BtcPay(script).RequestPayout(Gateways.BtcPayPayout, Cancel)).Standing.ShouldBe(PayoutStanding.Pending);

        script.To($"POST {Payouts}/p1").ShouldHaveSingleItem();
        var document = Document();
        script.Sent.SelectMany(sent => document.Faults(InItsWords(sent))).ShouldBeEmpty();
    }

    [Fact]
    public void The_judge_of_requests_finds_faults()
    {
        var document = Document();
        var headers = new Dictionary<string, string> { ["Content-Type"] = "application/json" };
        SentRequest Invoice(string body) => new("POST", "/api/v1/stores/s/invoices", "", body, headers);

        document.Faults(Invoice("""{"amount":45,"checkout":{"speedPolicy":"NoSpeed","nothing":1},"nothing":1}""")).Count.ShouldBe(4);
        document.Faults(Invoice("""{"amount":"45","checkout":{"speedPolicy":"LowSpeed","expirationMinutes":1},"metadata":{"any":"thing"}}""")).ShouldBeEmpty();
        document.Faults(new SentRequest("POST", "/api/v1/invoices/x/status", "", """{"status":"Paid"}""", headers)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Money_after_expiry_is_told_and_left_to_the_freelancer()
    {
        await using var bench = await BtcPayBench.Open();
        var order = ProviderBench.Order();
        var issued = await bench.Issue(order);

        await bench.Press(issued.PayUrl, "pay-late");
        var invoice = await bench.Fetched(issued.InvoiceId, invoice => invoice.Payments.Count > 0);

        invoice.Standing.ShouldBe(InvoiceStanding.Expired);
        var payment = invoice.Payments.ShouldHaveSingleItem();
        payment.Late.ShouldBeTrue();
        payment.Amount.ShouldBe(order.Amount);
    }

    [Fact]
    public async Task What_the_chain_never_confirms_does_not_count()
    {
        await using var bench = await BtcPayBench.Open();
        var issued = await bench.Issue(ProviderBench.Order());

        await bench.Press(issued.PayUrl, "decline");
        var invoice = await bench.Fetched(issued.InvoiceId, invoice => invoice.Standing == InvoiceStanding.Invalid);

        invoice.Payments.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_second_payout_to_one_destination_waits_for_the_first()
    {
        await using var bench = await BtcPayBench.Open();
        var (order, other) = (ProviderBench.Order(), ProviderBench.Order());
        var paid = await bench.Paid(order);
        var (first, second) = (bench.Payout("a", paid, order.Commission), bench.Payout("b", paid, other.Commission));
        await bench.Control(new { holdPayouts = true });
        await bench.Gateway.RequestPayout(first, Cancel);

        var wait = await Should.ThrowAsync<GatewayUnavailableException>(() => bench.Gateway.RequestPayout(second, Cancel));

        wait.RetryAfter.ShouldNotBeNull();
        (await bench.CountPayouts(other.Commission)).ShouldBe(0);
    }

    [Fact]
    public async Task A_payout_that_the_owner_cancels_is_a_refusal()
    {
        await using var bench = await BtcPayBench.Open();
        var order = ProviderBench.Order();
        var payout = bench.Payout("a", await bench.Paid(order), order.Commission);
        await bench.Control(new { cancelPayouts = true });

        (await bench.Settled(await bench.Gateway.RequestPayout(payout, Cancel), payout)).Standing.ShouldBe(PayoutStanding.Refused);
    }

    [Fact]
    public async Task A_destination_that_is_not_online_is_a_refusal()
    {
        await using var bench = await BtcPayBench.Open();
        var order = ProviderBench.Order();
        var payout = bench.Payout("a", await bench.Paid(order), order.Commission) with { Destination = "offline@wallet.example" };

        var refused = await bench.Gateway.RequestPayout(payout, Cancel);

        refused.Standing.ShouldBe(PayoutStanding.Refused);
        refused.Reason.ShouldNotBeNull().ShouldNotContain("offline@wallet.example");
    }

    [Fact]
    public async Task A_refund_that_is_withdrawn_has_failed_and_a_repeat_is_harmless()
    {
        await using var bench = await BtcPayBench.Open();
        var order = ProviderBench.Order();
        var refund = ProviderBench.Refund(await bench.Paid(order), order.Commission, 1);
        var offered = await bench.Gateway.RequestRefund(refund, Cancel);
        offered.ClaimUrl.ShouldNotBeNull();

        await bench.Gateway.WithdrawRefund(offered.RefundId!, Cancel);
        await bench.Gateway.WithdrawRefund(offered.RefundId!, Cancel);
        await bench.Gateway.WithdrawRefund("no-such-pull-payment", Cancel);

        (await bench.Gateway.FetchRefund(refund, offered.RefundId!, Cancel)).ShouldNotBeNull().Progress.ShouldBe(RefundProgress.Failed);
        var document = Document();
        bench.Wire.Sent.Where(sent => sent.Method == "DELETE").SelectMany(sent => document.Faults(InItsWords(sent))).ShouldBeEmpty();
        bench.Wire.Sent.Count(sent => sent.Method == "DELETE").ShouldBe(3);
    }

    [GeneratedRegex("^/api/v1/stores/[^/]+/(invoices|payouts|pull-payments)/")]
    private static partial Regex OfStore();
}
