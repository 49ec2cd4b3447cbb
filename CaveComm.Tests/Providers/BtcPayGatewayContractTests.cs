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

    [GeneratedRegex("^/api/v1/stores/[^/]+/(invoices|payouts)/")]
    private static partial Regex OfStore();
}
