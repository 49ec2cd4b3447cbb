using CaveComm.Domain;
using CaveComm.Domain.Payments;
using Shouldly;

namespace CaveComm.Tests.Providers;

/// <summary>What every payment provider must hold, tried over HTTP against its look-alike.</summary>
public abstract class PaymentProviderContract
{
    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private protected abstract Task<ProviderBench> Open();

    /// <summary>The published document, which judges every request.</summary>
    private protected abstract OpenApiDocument Document();

    /// <summary>As the document writes it.</summary>
    private protected virtual SentRequest InItsWords(SentRequest request) => request;

    [Fact] // F10
    public async Task An_invoice_set_up_twice_with_the_same_key_is_one_invoice()
    {
        await using var bench = await Open();
        var order = ProviderBench.Order();

        var first = await bench.Issue(order);
        var second = await bench.Issue(order);

        second.ShouldBe(first);
        (await bench.CountInvoices(order.Key)).ShouldBe(1);
        var invoice = (await bench.Gateway.FetchInvoice(first.InvoiceId, Cancel)).ShouldNotBeNull();
        invoice.ShouldSatisfyAllConditions(
            it => it.Standing.ShouldBe(InvoiceStanding.Open),
            it => it.Amount.ShouldBe(order.Amount),
            it => it.Payments.ShouldBeEmpty(),
            it => it.Commission.ShouldBe(order.Commission),
            it => it.PayUrl.ShouldBe(first.PayUrl),
            it => it.DueAt.ShouldBe(first.DueAt));
    }

    [Fact]
    public async Task Another_key_is_another_invoice()
    {
        await using var bench = await Open();
        var order = ProviderBench.Order();

        var first = await bench.Issue(order);
        var second = await bench.Issue(order with { Key = $"commission:{order.Commission}/invoice/2" });

        second.InvoiceId.ShouldNotBe(first.InvoiceId);
    }

    [Fact]
    public async Task Whichever_answer_is_lost_the_same_key_leads_to_one_invoice()
    {
        await using var bench = await Open();
        for (var lost = 1; ; lost++)
        {
            // A new customer each time, so that this step too can be lost.
            var order = ProviderBench.Order() with { CustomerId = Guid.NewGuid() };
            bench.Wire.Lose(lost);
            var issued = await ProviderBench.Insist(() => bench.Issue(order));
            var wasLost = bench.Wire.LoseNoMore();

            (await bench.CountInvoices(order.Key)).ShouldBe(1, $"answer {lost} was lost");
            var invoice = (await bench.Gateway.FetchInvoice(issued.InvoiceId, Cancel)).ShouldNotBeNull();
            invoice.Amount.ShouldBe(order.Amount, $"answer {lost} was lost");
            if (!wasLost)
            {
                lost.ShouldBeGreaterThan(2); // At least the search and the making.
                return;
            }
        }
    }

    [Fact]
    public async Task After_a_true_timeout_the_same_key_finds_what_was_made()
    {
        await using var bench = await Open();
        var order = ProviderBench.Order();
        await bench.Control(new { timeoutEvery = 3 });

        await ProviderBench.Insist(() => bench.Issue(order));
        await bench.Control(new { timeoutEvery = 0 });

        (await bench.CountInvoices(order.Key)).ShouldBe(1);
    }

    [Fact]
    public async Task Errors_after_the_work_was_done_are_no_harm()
    {
        await using var bench = await Open();
        var order = ProviderBench.Order();
        await bench.Control(new { errorEvery = 2 });

        await ProviderBench.Insist(() => bench.Issue(order));
        await bench.Control(new { errorEvery = 0 });

        (await bench.CountInvoices(order.Key)).ShouldBe(1);
    }

    [Fact] // F11
    public async Task A_payment_is_seen_with_the_invoices_amount_to_the_cent()
    {
        await using var bench = await Open();
        var order = ProviderBench.Order();

        var invoice = await bench.Paid(order);

        var payment = invoice.Payments.ShouldHaveSingleItem();
        payment.Amount.ShouldBe(order.Amount);
        payment.Late.ShouldBeFalse();
        (DateTimeOffset.UtcNow - payment.At).ShouldBeInRange(TimeSpan.FromSeconds(-5), TimeSpan.FromMinutes(1));
        (await bench.Gateway.FetchInvoice(invoice.InvoiceId, Cancel))!.Payments.ShouldBe(invoice.Payments);
    }

    [Theory]
    [InlineData(100, "JPY")]
    [InlineData(1230, "KWD")]
    [InlineData(123_457, "USD")]
    public async Task Every_currency_is_told_in_its_own_units(long minor, string currency)
    {
        await using var bench = await Open();
        var order = ProviderBench.Order() with { Amount = new Money(minor, currency) };

        var setUp = await bench.Gateway.SetUpInvoice(order, Cancel);

        if (setUp is InvoiceSetUp.Refused refused)
        {
            Assert.Skip($"{bench.Gateway.Name} does not take {currency}: {refused.Reason}");
        }

        var invoice = await bench.Paid(order);
        invoice.Amount.ShouldBe(order.Amount);
        invoice.Payments.ShouldHaveSingleItem().Amount.ShouldBe(order.Amount);
    }

    [Fact]
    public async Task Half_a_payment_leaves_the_invoice_open_and_the_rest_completes_it_to_the_cent()
    {
        await using var bench = await Open();
        var order = ProviderBench.Order() with { Amount = new Money(4501, "EUR") };
        var issued = await bench.Issue(order);

        await bench.Press(issued.PayUrl, "pay-half");
        var half = await bench.Fetched(issued.InvoiceId, invoice => invoice.Payments.Count == 1);
        await bench.Press(issued.PayUrl, "pay");
        var whole = await bench.Fetched(issued.InvoiceId, invoice => invoice.Standing == InvoiceStanding.Paid);

        half.Standing.ShouldBe(InvoiceStanding.Open);
        half.Payments[0].Amount.Minor.ShouldBeInRange(2249, 2251);
        whole.Payments.ShouldContain(half.Payments[0]);
        whole.Payments.Sum(payment => payment.Amount.Minor).ShouldBe(4501);
    }

    [Fact]
    public async Task Too_much_is_told_as_more_than_the_invoice()
    {
        await using var bench = await Open();
        var order = ProviderBench.Order();

        var invoice = await bench.Paid(order, "pay-too-much");

        invoice.Payments.Sum(payment => payment.Amount.Minor).ShouldBeGreaterThan(order.Amount.Minor);
    }

    [Fact]
    public async Task A_voided_invoice_cannot_be_paid_and_voiding_again_is_harmless()
    {
        await using var bench = await Open();
        var order = ProviderBench.Order();
        var issued = await bench.Issue(order);

        await bench.Gateway.VoidInvoice($"commission:{order.Commission}/void/1", issued.InvoiceId, Cancel);
        await bench.Gateway.VoidInvoice($"commission:{order.Commission}/void/1", issued.InvoiceId, Cancel);
        await bench.Gateway.VoidInvoice($"commission:{order.Commission}/void/2", issued.InvoiceId, Cancel);
        await bench.Press(issued.PayUrl, "pay");

        var invoice = (await bench.Gateway.FetchInvoice(issued.InvoiceId, Cancel)).ShouldNotBeNull();
        invoice.Standing.ShouldBeOneOf(InvoiceStanding.Voided, InvoiceStanding.Invalid);
        invoice.Payments.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_paid_invoice_stays_paid_when_it_is_voided_or_sent()
    {
        await using var bench = await Open();
        var invoice = await bench.Paid(ProviderBench.Order());

        await bench.Gateway.VoidInvoice("commission:1/void/1", invoice.InvoiceId, Cancel);
        await bench.Gateway.SendInvoice("commission:1/send/1", invoice.InvoiceId, Cancel);

        (await bench.Gateway.FetchInvoice(invoice.InvoiceId, Cancel))!.Standing.ShouldBe(InvoiceStanding.Paid);
    }

    [Fact] // F20
    public async Task A_payout_asked_for_twice_with_the_same_key_is_one_payout_and_arrives()
    {
        await using var bench = await Open();
        var order = ProviderBench.Order();
        var payout = bench.Payout($"commission:{order.Commission}/payout/1", await bench.Paid(order), order.Commission);

        var first = await bench.Gateway.RequestPayout(payout, Cancel);
        var second = await bench.Gateway.RequestPayout(payout, Cancel);
        var settled = await bench.Settled(first, payout);

        first.Standing.ShouldBeOneOf(PayoutStanding.Pending, PayoutStanding.Paid);
        second.PayoutId.ShouldBe(first.PayoutId);
        settled.ShouldBe(new PayoutSnapshot(first.PayoutId, PayoutStanding.Paid, null));
        (await bench.CountPayouts(order.Commission)).ShouldBe(1);
    }

    [Fact]
    public async Task Whichever_answer_is_lost_the_same_key_leads_to_one_payout()
    {
        await using var bench = await Open();
        for (var lost = 1; ; lost++)
        {
            var order = ProviderBench.Order();
            var payout = bench.Payout($"commission:{order.Commission}/payout/1", await bench.Paid(order), order.Commission);
            bench.Wire.Lose(lost);
            var made = await ProviderBench.Insist(() => bench.Gateway.RequestPayout(payout, Cancel));
            var wasLost = bench.Wire.LoseNoMore();

            made.Standing.ShouldNotBe(PayoutStanding.Refused, $"answer {lost} was lost: {made.Reason}");
            (await bench.CountPayouts(order.Commission)).ShouldBe(1, $"answer {lost} was lost");
            if (!wasLost)
            {
                lost.ShouldBeGreaterThan(2);
                return;
            }

            // Payouts to one destination go one after another.
            await bench.Settled(made, payout);
        }
    }

    [Fact]
    public async Task What_the_provider_does_not_know_is_null()
    {
        await using var bench = await Open();

        (await bench.Gateway.FetchInvoice("in_unknown", Cancel)).ShouldBeNull();
        (await bench.Gateway.FetchPayout("po_unknown", "acct_1Artist42", Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task A_refund_asked_for_twice_with_the_same_key_is_one_refund()
    {
        await using var bench = await Open();
        var order = ProviderBench.Order();
        var paid = await bench.Paid(order);
        var refund = ProviderBench.Refund(paid, order.Commission, 1);

        var first = await bench.Gateway.RequestRefund(refund, Cancel);
        var second = await bench.Gateway.RequestRefund(refund, Cancel);
        var other = await bench.Gateway.RequestRefund(ProviderBench.Refund(paid, order.Commission, 2), Cancel);

        first.Progress.ShouldBeOneOf(RefundProgress.Pending, RefundProgress.Sent);
        second.RefundId.ShouldBe(first.RefundId.ShouldNotBeNull());
        other.RefundId.ShouldNotBe(first.RefundId);
        (await bench.Gateway.FetchRefund(refund, first.RefundId, Cancel)).ShouldNotBeNull().Amount.ShouldBe(refund.Amount);
        (await bench.Gateway.FetchRefund(refund, "re_unknown", Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task Whichever_answer_is_lost_the_same_key_leads_to_one_refund()
    {
        await using var bench = await Open();
        for (var lost = 1; ; lost++)
        {
            var order = ProviderBench.Order();
            var refund = ProviderBench.Refund(await bench.Paid(order), order.Commission, 1);
            var before = await bench.CountRefunds();
            bench.Wire.Lose(lost);
            var made = await ProviderBench.Insist(() => bench.Gateway.RequestRefund(refund, Cancel));
            var wasLost = bench.Wire.LoseNoMore();

            made.Progress.ShouldNotBe(RefundProgress.Failed, $"answer {lost} was lost: {made.Reason}");
            (await bench.CountRefunds() - before).ShouldBe(1, $"answer {lost} was lost");
            if (!wasLost)
            {
                lost.ShouldBeGreaterThan(2);
                return;
            }
        }
    }

    [Fact]
    public async Task Every_request_is_valid_by_the_providers_published_document()
    {
        var document = Document();
        await using var bench = await Open();
        var order = ProviderBench.Order();
        var paid = await bench.Paid(order);
        await bench.Gateway.SendInvoice("commission:1/send/1", paid.InvoiceId, Cancel);
        var payout = bench.Payout($"commission:{order.Commission}/payout/1", paid, order.Commission);
        await bench.Settled(await bench.Gateway.RequestPayout(payout, Cancel), payout);
        await bench.Gateway.RequestPayout(payout, Cancel);
        var other = await bench.Issue(ProviderBench.Order());
        await bench.Gateway.VoidInvoice("commission:2/void/1", other.InvoiceId, Cancel);
        var refund = ProviderBench.Refund(paid, order.Commission, 1);
        var refunded = await bench.Gateway.RequestRefund(refund, Cancel);
        await bench.Gateway.RequestRefund(refund, Cancel);
        await bench.Gateway.FetchRefund(refund, refunded.RefundId.ShouldNotBeNull(), Cancel);
        await bench.Gateway.ReversePayout(new ReversalOrder("commission:1/reversal/1", order.Commission, payout.Destination, payout.Amount with { Minor = 1 }), Cancel);
        await bench.Gateway.FetchInvoice(paid.InvoiceId, Cancel);
        await AskMore(bench, paid);

        bench.Wire.Sent.Count.ShouldBeGreaterThan(8);
        bench.Wire.Sent.SelectMany(sent => document.Faults(InItsWords(sent))).Distinct().ShouldBeEmpty();
    }

    /// <summary>What only this provider has.</summary>
    private protected virtual Task AskMore(ProviderBench bench, InvoiceSnapshot paid) => Task.CompletedTask;
}
