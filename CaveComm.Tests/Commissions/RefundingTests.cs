using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using Shouldly;
using static CaveComm.Domain.Commissions.CommissionCommand;
using static CaveComm.Tests.Support.GivenCommission;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Commissions;

/// <summary>Money that goes back: refunds, and late or short payments that are taken instead.</summary>
public class RefundingTests
{
    private static readonly CommissionEvent[] PaidUp = [Requested, Accepted, Invoiced, Paid];
    private static readonly Refund Ask = new(Euro(20_00), RefundRequested.Reason);

    [Fact]
    public void A_refund_is_recorded_before_the_provider_is_called() => Given(PaidUp).When(Ask).Then(RefundRequested);

    [Fact]
    public void A_refund_takes_from_the_payments_in_the_order_they_came_in() =>
        Given(Requested, Accepted, Invoiced, HalfPaid, HalfPaid with { PaymentId = "pi_2", Charge = "ch_2" }).When(new Refund(Euro(80_00), null)).Then(
            RefundRequested with { Amount = Euro(60_00), Reason = null }, RefundRequested with { Number = 2, PaymentId = "pi_2", Amount = Euro(20_00), Reason = null });

    [Fact]
    public void No_more_is_refunded_than_came_in()
    {
        Given(PaidUp).When(new Refund(Euro(120_01), null)).ThenRefused("refund-too-high").Detail.ShouldContain("at most 120.00 EUR");
        Given([.. PaidUp, RefundRequested]).When(new Refund(Euro(100_01), null)).ThenRefused("refund-too-high").Detail.ShouldContain("at most 100.00 EUR");
        Given([.. PaidUp, RefundRequested, Refunded]).When(new Refund(Euro(100_00), null)).Then(RefundRequested with { Number = 2, Amount = Euro(100_00), Reason = null });
    }

    [Fact]
    public void What_failed_can_be_refunded_again_by_another_number() =>
        Given([.. PaidUp, RefundRequested, RefundFailed with { Sent = Euro(0) }]).When(new Refund(Euro(120_00), null)).Then(RefundRequested with { Number = 2, Amount = Euro(120_00), Reason = null });

    [Fact]
    public void Nothing_is_refunded_of_what_was_never_paid()
    {
        Given(Requested, Accepted, Invoiced).When(Ask).ThenRefused(RefusalKind.Conflict, "nothing-to-refund");
        Given([.. PaidUp, RefundRequested with { Amount = Price }]).When(Ask).ThenRefused(RefusalKind.Conflict, "nothing-to-refund");
    }

    [Fact]
    public void A_refund_is_in_the_currency_of_the_price()
    {
        Given(PaidUp).When(new Refund(new Money(1_00, "USD"), null)).ThenRefused(RefusalKind.Invalid, "currency-mismatch");
        Given(PaidUp).When(new Refund(Euro(0), null)).ThenRefused(RefusalKind.Invalid, "invalid-amount");
    }

    [Fact]
    public void What_a_bank_holds_is_not_sent_a_second_time()
    {
        Given([.. PaidUp, DisputeOpened]).When(Ask).ThenRefused(RefusalKind.Conflict, "nothing-to-refund");
        Given([.. PaidUp, DisputeOpened, DisputeWon]).When(Ask).Then(RefundRequested);
    }

    [Fact]
    public void Money_that_the_provider_never_held_goes_back_by_hand()
    {
        var byHand = RefundRequested with { Provider = PaymentProviders.Manual, PaymentId = "in_1" };
        CommissionEvent[] past = [Requested, Accepted, Invoiced, Paid with { PaymentId = "in_1", Received = Euro(0), Charge = null }];
        Given(past).When(Ask).Then(byHand);
        Given([.. past, byHand]).When(new MarkRefunded(1)).Then(new CommissionEvent.Refunded(1, "manual:1", "in_1", Euro(20_00), Euro(0), Shop));
        Given([.. PaidUp, RefundRequested]).When(new MarkRefunded(1)).ThenRefused("wrong-stage");
        Given(PaidUp).When(new MarkRefunded(1)).ThenRefused(RefusalKind.Missing, "no-such-refund");
    }

    [Fact]
    public void A_refund_that_was_sent_is_recorded_once()
    {
        var sent = new RecordRefund(1, "re_1", "pi_1", Euro(20_00), Euro(20_00));
        Given([.. PaidUp, RefundRequested]).When(sent).Then(Refunded);
        Given([.. PaidUp, RefundRequested, Refunded]).When(sent).ThenNothing();
        Given([.. PaidUp, RefundRequested, Refunded, RefundFailed]).When(sent).ThenNothing();
    }

    [Fact]
    public void A_refund_of_nothing_or_less_is_no_fact()
    {
        // What a provider's answer lacks reads as nothing: the refund would be over, and nobody would look again.
        var sent = new RecordRefund(1, "re_1", "pi_1", Euro(20_00), Euro(20_00));
        Given([.. PaidUp, RefundRequested]).When(sent with { Amount = Euro(0), Sent = Euro(0) }).ThenRefused("refund-mismatch");
        Given([.. PaidUp, RefundRequested]).When(sent with { Amount = Euro(-20_00), Sent = Euro(-20_00) }).ThenRefused("refund-mismatch");
    }

    [Fact]
    public void A_refund_that_was_made_at_the_provider_is_recorded_too()
    {
        var sent = new RecordRefund(null, "re_9", "pi_1", Euro(20_00), Euro(20_00));
        Given(PaidUp).When(sent).Then(Refunded with { Number = null, RefundId = "re_9" });
        Given([.. PaidUp, Refunded with { Number = null, RefundId = "re_9" }]).When(sent).ThenNothing();
        Given(PaidUp).When(sent with { PaymentId = "pi_7" }).ThenRefused("refund-mismatch");
    }

    [Fact]
    public void A_refund_can_fail_after_it_was_told_as_done()
    {
        Given([.. PaidUp, RefundRequested, Refunded]).When(new RecordRefundFailure(1, "re_1", RefundFailed.Reason)).Then(RefundFailed);
        State([.. PaidUp, RefundRequested with { Amount = Price }, Refunded with { Amount = Price, Sent = Price }]).Status.ShouldBe(CommissionStatus.Refunded);
        State([.. PaidUp, RefundRequested with { Amount = Price }, Refunded with { Amount = Price, Sent = Price }, RefundFailed with { Amount = Price, Sent = Price }]).Status
            .ShouldBe(CommissionStatus.InProgress);
    }

    [Fact]
    public void A_partial_refund_keeps_the_status() => State([.. PaidUp, RefundRequested, Refunded]).Status.ShouldBe(CommissionStatus.InProgress);

    [Fact]
    public void Two_partial_refunds_to_the_exact_sum_are_a_full_one() =>
        State([.. PaidUp, RefundRequested, Refunded, RefundRequested with { Number = 2, Amount = Euro(100_00) }, Refunded with { Number = 2, RefundId = "re_2", Amount = Euro(100_00), Sent = Euro(100_00) }])
            .Status.ShouldBe(CommissionStatus.Refunded);

    [Fact]
    public void Nobody_works_for_money_that_went_back() =>
        Given([.. PaidUp, RefundRequested with { Amount = Price }, Refunded with { Amount = Price, Sent = Price }]).When(new UploadProduct(Files)).ThenRefused("wrong-stage");

    [Fact]
    public void A_payout_waits_for_open_refunds_and_is_less_by_them()
    {
        CommissionEvent[] delivered = [.. PaidUp, Uploaded, Delivered];
        var ask = new RequestPayout(PaymentProviders.Stripe, StripeAccount, FeeBasisPoints: 0);
        Given([.. delivered, RefundRequested]).When(ask).ThenNothing();
        Given([.. delivered, RefundRequested, Refunded]).When(ask).Then(PayoutRequested with { Amount = Euro(100_00), Fee = Euro(0) });
    }

    [Fact]
    public void A_late_payment_counts_once_it_is_honoured()
    {
        CommissionEvent[] late = [Requested, Accepted, Invoiced, InvoiceExpired, PaidLate];
        Given(late).When(new Honour()).Then(Honoured);
        State([.. late, Honoured]).IsFullyPaid.ShouldBeTrue();
        Given([.. late, Honoured]).When(new Honour()).ThenRefused("nothing-to-honour");
    }

    [Fact]
    public void A_short_payment_can_be_taken_for_the_whole()
    {
        Given(Requested, Accepted, Invoiced, HalfPaid).When(new Honour()).Then(Honoured with { PaymentIds = [], Waived = Euro(60_00) });
        Given(RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, PaidInBitcoin with { Amount = Euro(60_00), Received = Satoshi(100_000) }).When(new Honour())
            .Then(Honoured with { PaymentIds = [], Waived = Euro(60_00) }, Delivered);
        Given(Requested, Accepted, Invoiced).When(new Honour()).ThenRefused(RefusalKind.Conflict, "nothing-to-honour");
    }

    [Fact]
    public void An_invoice_is_issued_again_when_there_is_none_to_pay()
    {
        Given(Requested, Accepted, Invoiced, InvoiceExpired).When(new ReissueInvoice()).Then(InvoiceReissued);
        Given(Requested, Accepted, Invoiced, InvoiceVoided).When(new ReissueInvoice()).Then(InvoiceReissued);
        Given(Requested, Accepted, InvoiceRefused).When(new ReissueInvoice()).Then(InvoiceReissued);
        Given(Requested, Accepted, Invoiced, InvoiceExpired, InvoiceReissued).When(new ReissueInvoice()).ThenNothing();
        Given(Requested, Accepted, Invoiced).When(new ReissueInvoice()).ThenRefused(RefusalKind.Conflict, "invoice-open");
        Given(PaidUp).When(new ReissueInvoice()).ThenRefused(RefusalKind.Conflict, "wrong-stage");
    }

    [Fact]
    public void A_credit_before_payment_makes_the_invoice_less()
    {
        Given(Requested, Accepted, Invoiced).When(new RecordCredit("cn_1", "in_1", Euro(60_00))).Then(Credited);
        State(Requested, Accepted, Invoiced, Credited).Missing.ShouldBe(Euro(60_00));
        Given(Requested, Accepted, Invoiced, Credited).When(new RecordCredit("cn_1", "in_1", Euro(60_00))).ThenNothing();
    }
}
