using CaveComm.Domain.Payments;
using Shouldly;

namespace CaveComm.Tests.Providers;

public sealed class StripeGatewayContractTests : PaymentProviderContract
{
    private protected override async Task<ProviderBench> Open() => await StripeBench.Open();

    private protected override OpenApiDocument Document() => OpenApiDocument.Load("stripe-2026-07-29.dahlia.subset.json");

    private protected override async Task AskMore(ProviderBench bench, InvoiceSnapshot paid)
    {
        await ((StripeBench)bench).Lookup.FindInvoice(paid.Payments[0].PaymentId, Cancel);
        var list = (IProviderEventList)bench.Gateway;
        var now = DateTimeOffset.UtcNow;
        var first = (await list.ListEvents(new ProviderEventRange(null, null, now.AddDays(-30), now), Cancel)).ShouldNotBeNull();
        await list.ListEvents(new ProviderEventRange(first.Events[^1].Id, null, null, now), Cancel);
        await list.ListEvents(new ProviderEventRange(null, first.Events[0].Id, now.AddDays(-30), now), Cancel);
        var accounts = (IPayoutAccounts)bench.Gateway;
        var account = await accounts.OpenAccount(new PayoutAccountOrder("mira", "mira@cavecomm.example", "DE"), Cancel);
        var back = new Uri("https://cave.example/freelancer/mira/payoutAccounts/stripe/returned");
        await accounts.LinkTo(account, back, back, Cancel);
        await accounts.FetchAccount(account, Cancel);
    }

    [Fact]
    public void The_judge_of_requests_finds_faults()
    {
        var document = Document();
        var headers = new Dictionary<string, string> { ["Content-Type"] = "application/x-www-form-urlencoded" };

        document.Faults(new SentRequest("POST", "/v1/nothing", "", "", headers)).ShouldHaveSingleItem();
        document.Faults(new SentRequest("GET", "/v1/invoices", "nothing=1&created%5Bsince%5D=1", "", headers)).Count.ShouldBe(2);
        document.Faults(new SentRequest("POST", "/v1/transfers", "", "amount=x&source_type=cash&nothing=1", headers)).Count.ShouldBe(5);
        document.Faults(new SentRequest("POST", "/v1/transfers", "", "amount=1&currency=eur&destination=acct_1&metadata%5Ba%5D=b", headers)).ShouldBeEmpty();
    }

    [Fact] // P4, P5
    public async Task The_invoice_behind_a_payment_is_found()
    {
        await using var bench = await StripeBench.Open();
        var invoice = await bench.Paid(ProviderBench.Order());

        (await bench.Lookup.FindInvoice(invoice.Payments[0].PaymentId, Cancel)).ShouldBe(new PaymentInvoice(invoice.InvoiceId, null));
        (await bench.Lookup.FindInvoice("pi_unknown", Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task A_stored_500_is_worked_round_since_what_was_made_is_found()
    {
        await using var bench = await StripeBench.Open();
        var order = ProviderBench.Order();
        await bench.Control(new { errorEvery = 2, errorsStored = true });
        await ProviderBench.Insist(() => bench.Issue(order));
        await bench.Control(new { errorEvery = 0 });

        (await bench.CountInvoices(order.Key)).ShouldBe(1);
    }

    [Fact]
    public async Task Two_at_once_with_the_same_key_make_one_invoice()
    {
        await using var bench = await StripeBench.Open();
        var order = ProviderBench.Order();

        var both = await Task.WhenAll(ProviderBench.Insist(() => bench.Issue(order)), ProviderBench.Insist(() => bench.Issue(order)));

        both[1].InvoiceId.ShouldBe(both[0].InvoiceId);
        (await bench.CountInvoices(order.Key)).ShouldBe(1);
    }

    [Fact]
    public async Task A_payment_has_the_charge_that_a_transfer_is_tied_to()
    {
        await using var bench = await StripeBench.Open();

        var payment = (await bench.Paid(ProviderBench.Order())).Payments.ShouldHaveSingleItem();

        payment.PaymentId.ShouldStartWith("pi_");
        payment.Charge.ShouldNotBeNull().ShouldStartWith("ch_");
    }

    [Fact]
    public async Task A_failed_payout_is_followed_by_another_without_a_second_transfer()
    {
        await using var bench = await StripeBench.Open();
        var order = ProviderBench.Order();
        var payout = bench.Payout($"commission:{order.Commission}/payout/1", await bench.Paid(order), order.Commission);
        await bench.Control(new { failPayouts = true });
        var failed = await bench.Settled(await bench.Gateway.RequestPayout(payout, Cancel), payout);
        await bench.Control(new { failPayouts = false });

        var again = payout with { Key = $"commission:{order.Commission}/payout/2" };
        var arrived = await bench.Settled(await bench.Gateway.RequestPayout(again, Cancel), again);

        failed.Standing.ShouldBe(PayoutStanding.Refused);
        arrived.Standing.ShouldBe(PayoutStanding.Paid);
        bench.Wire.Sent.Count(sent => sent.Address == "POST /v1/transfers").ShouldBe(1);
    }

    [Fact]
    public async Task An_account_that_stripe_does_not_know_is_a_refusal()
    {
        await using var bench = await StripeBench.Open();
        var order = ProviderBench.Order();
        var payout = bench.Payout($"commission:{order.Commission}/payout/1", await bench.Paid(order), order.Commission);

        var refused = await bench.Gateway.RequestPayout(payout with { Destination = "acct_unknown" }, Cancel);

        refused.Standing.ShouldBe(PayoutStanding.Refused);
        refused.Reason.ShouldNotBeNullOrEmpty();
        (await bench.Gateway.FetchPayout("po_1", "acct_unknown", Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task Money_is_taken_back_once_and_only_what_lies_on_the_account()
    {
        await using var bench = await StripeBench.Open();
        var order = ProviderBench.Order();
        var payout = bench.Payout($"commission:{order.Commission}/payout/1", await bench.Paid(order), order.Commission);
        var paid = await bench.Settled(await bench.Gateway.RequestPayout(payout, Cancel), payout);
        var reversal = new ReversalOrder($"commission:{order.Commission}/reversal/refund:re_1", order.Commission, payout.Destination, payout.Amount with { Minor = 500 });

        var refused = await bench.Gateway.ReversePayout(reversal, Cancel);
        await bench.Paid(ProviderBench.Order());
        await bench.TopUp(800);
        var again = reversal with { Key = $"commission:{order.Commission}/reversal/refund:re_2" };
        var taken = await bench.Gateway.ReversePayout(again, Cancel);
        var repeated = await bench.Gateway.ReversePayout(again, Cancel);

        refused.ReversalId.ShouldBeNull();
        refused.Reason.ShouldNotBeNullOrEmpty();
        taken.ReversalId.ShouldNotBeNull().ShouldStartWith("trr_");
        (taken.Amount.Minor, taken.IsOurs).ShouldBe((500, true));
        repeated.ShouldBe(taken);
        (await bench.Gateway.FetchPayout(paid.PayoutId!, payout.Destination, Cancel)).ShouldNotBeNull().Reversals.ShouldBe([taken]);
        var document = Document();
        bench.Wire.Sent.SelectMany(sent => document.Faults(sent)).Distinct().ShouldBeEmpty();
    }
}
