using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Domain.Commissions.CommissionCommand;
using static CaveComm.Tests.Support.GivenCommission;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Commissions;

/// <summary>Invoices and payments.</summary>
public class InvoicingTests
{
    private static readonly RecordInvoice SecondInvoice = new(2, "in_2", null, PayUrl, null);

    [Fact]
    public void An_invoice_is_recorded_over_the_price() => Given(Requested, Accepted).When(Some.RecordInvoice).Then(Invoiced);

    [Fact]
    public void An_invoice_is_needed_for_accepted_up_front_work_and_for_a_product_that_is_there()
    {
        State(Requested).NeedsInvoice.ShouldBeFalse();
        State(Requested, Accepted).NeedsInvoice.ShouldBeTrue();
        State(Requested, Accepted, Invoiced).NeedsInvoice.ShouldBeFalse();
        State(Requested, Accepted, Withdrawn).NeedsInvoice.ShouldBeFalse();
        State(RequestedOnDelivery, Accepted).NeedsInvoice.ShouldBeFalse();
        State(RequestedOnDelivery, Accepted, Uploaded).NeedsInvoice.ShouldBeTrue();
        State(RequestedOnDelivery, Accepted, Uploaded, Released, Delivered).NeedsInvoice.ShouldBeTrue();
    }

    [Fact]
    public void After_refusal_expiry_or_void_no_invoice_is_made_unless_somebody_asks()
    {
        State(Requested, Accepted, InvoiceRefused).NeedsInvoice.ShouldBeFalse();
        State(Requested, Accepted, Invoiced, InvoiceExpired).NeedsInvoice.ShouldBeFalse();
        State(Requested, Accepted, Invoiced, InvoiceVoided).NeedsInvoice.ShouldBeFalse();
    }

    [Fact]
    public void A_request_has_no_invoice() => Given(Requested).When(Some.RecordInvoice).ThenRefused("wrong-stage");

    [Fact]
    public void The_same_invoice_told_twice_is_recorded_once() => Given(Requested, Accepted, Invoiced).When(Some.RecordInvoice).ThenNothing();

    [Fact]
    public void A_second_invoice_is_not_recorded_beside_an_open_one() => Given(Requested, Accepted, Invoiced).When(SecondInvoice).ThenNothing();

    [Fact]
    public void An_answer_to_an_attempt_that_is_over_is_not_recorded() => Given(Requested, Accepted, Invoiced, InvoiceExpired).When(Some.RecordInvoice).ThenNothing();

    [Fact]
    public void Expiry_void_and_refusal_allow_a_new_invoice()
    {
        var second = new CommissionEvent.InvoiceIssued(2, PaymentProviders.Stripe, "in_2", null, Price, PayUrl, null, Shop);
        Given(Requested, Accepted, Invoiced, InvoiceExpired).When(SecondInvoice).Then(second);
        Given(Requested, Accepted, Invoiced, InvoiceVoided).When(SecondInvoice).Then(second);
        Given(Requested, Accepted, InvoiceRefused).When(SecondInvoice).Then(second);
    }

    [Fact]
    public void A_new_invoice_asks_for_what_is_still_missing() =>
        Given(Requested, Accepted, Invoiced, HalfPaid, InvoiceExpired).When(SecondInvoice)
            .Then(new CommissionEvent.InvoiceIssued(2, PaymentProviders.Stripe, "in_2", null, Euro(60_00), PayUrl, null, Shop));

    [Fact]
    public void Paid_work_gets_no_further_invoice() =>
        Given(Requested, Accepted, Invoiced, HalfPaid, InvoiceExpired, HalfPaid with { PaymentId = "pi_2" }).When(SecondInvoice).ThenNothing();

    [Fact]
    public void An_invoice_that_comes_after_the_end_is_recorded_so_that_it_can_be_made_void() => Given(Requested, Accepted, Cancelled).When(Some.RecordInvoice).Then(Invoiced);

    [Fact]
    public void A_refusal_to_set_the_invoice_up_is_recorded_once()
    {
        Given(Requested, Accepted).When(new RecordInvoiceRefusal(1, InvoiceRefused.Reason)).Then(InvoiceRefused);
        Given(Requested, Accepted, InvoiceRefused).When(new RecordInvoiceRefusal(1, InvoiceRefused.Reason)).ThenNothing();
        Given(Requested, Accepted, Invoiced).When(new RecordInvoiceRefusal(1, InvoiceRefused.Reason)).ThenNothing();
    }

    [Fact]
    public void Expiry_is_recorded_once_and_only_of_the_open_invoice()
    {
        Given(Requested, Accepted, Invoiced).When(new RecordInvoiceExpiry("in_1")).Then(InvoiceExpired);
        Given(Requested, Accepted, Invoiced, InvoiceExpired).When(new RecordInvoiceExpiry("in_1")).ThenNothing();
        Given(Requested, Accepted, Invoiced).When(new RecordInvoiceExpiry("in_9")).ThenNothing();
        Given(Requested, Accepted, Invoiced, Paid).When(new RecordInvoiceExpiry("in_1")).ThenNothing();
    }

    [Fact]
    public void Void_is_recorded_once_and_only_of_the_open_invoice()
    {
        Given(Requested, Accepted, Invoiced).When(new RecordInvoiceVoid("in_1")).Then(InvoiceVoided);
        Given(Requested, Accepted, Invoiced, InvoiceVoided).When(new RecordInvoiceVoid("in_1")).ThenNothing();
        Given(Requested, Accepted, Invoiced).When(new RecordInvoiceVoid("in_9")).ThenNothing();
        Given(Requested, Accepted, Invoiced, Paid).When(new RecordInvoiceVoid("in_1")).ThenNothing();
        Given(Requested, Accepted, Invoiced, Cancelled).When(new RecordInvoiceVoid("in_1")).Then(InvoiceVoided);
    }

    [Fact]
    public void Payment_is_recorded() => Given(Requested, Accepted, Invoiced).When(Some.RecordPayment).Then(Paid);

    [Fact]
    public void The_same_payment_told_twice_is_recorded_once() => Given(Requested, Accepted, Invoiced, Paid).When(Some.RecordPayment).ThenNothing();

    [Fact]
    public void Each_of_several_payments_counts_once()
    {
        var rest = Some.RecordPayment with { PaymentId = "pi_2", Amount = Euro(60_00), Received = Euro(60_00) };
        Given(Requested, Accepted, Invoiced, HalfPaid).When(rest).Then(HalfPaid with { PaymentId = "pi_2" });
        Given(Requested, Accepted, Invoiced, HalfPaid, HalfPaid with { PaymentId = "pi_2" }).When(rest).ThenNothing();
        Given(Requested, Accepted, Invoiced, HalfPaid with { PaymentId = "pi_2" }, HalfPaid).When(rest).ThenNothing();
    }

    [Fact]
    public void An_underpaid_commission_shows_what_is_missing()
    {
        var it = State(Requested, Accepted, Invoiced, HalfPaid);
        it.Status.ShouldBe(CommissionStatus.AwaitingPayment);
        it.Missing.ShouldBe(Euro(60_00));
    }

    [Fact]
    public void An_overpaid_commission_proceeds_and_keeps_the_whole_sum()
    {
        var it = State(Requested, Accepted, Invoiced, Paid with { Amount = Euro(150_00), Received = Euro(150_00) });
        it.Status.ShouldBe(CommissionStatus.InProgress);
        it.Missing.ShouldBe(Euro(0));
        it.Received.ShouldBe(Euro(150_00));
    }

    [Fact]
    public void Payment_delivers_a_product_that_is_waiting()
    {
        Given(Requested, Accepted, Invoiced, Uploaded).When(Some.RecordPayment).Then(Paid, Delivered);
        Given(RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin).When(Some.RecordPayment with { Received = Satoshi(200_000), Charge = null }).Then(PaidInBitcoin, Delivered);
    }

    [Fact]
    public void Half_of_the_payment_delivers_nothing() =>
        Given(Requested, Accepted, Invoiced, Uploaded).When(Some.RecordPayment with { Amount = Euro(60_00), Received = Euro(60_00) }).Then(HalfPaid);

    [Fact]
    public void Payment_of_what_was_delivered_before_delivers_nothing_again() =>
        Given(Requested, Accepted, Invoiced, Uploaded, Released, Delivered).When(Some.RecordPayment).Then(Paid);

    [Fact]
    public void Late_money_counts_once_the_provider_calls_the_invoice_settled()
    {
        // Nobody can tell which was seen first: that it was late, or that somebody has marked the invoice settled since.
        Given(Requested, Accepted, Invoiced, Uploaded, InvoiceExpired, PaidLate).When(Some.RecordPayment).Then(Honoured, Delivered);
        Given(Requested, Accepted, Invoiced, Uploaded, InvoiceExpired, PaidLate, RefundRequested).When(Some.RecordPayment).ThenNothing();
        Given(Requested, Accepted, Invoiced, Withdrawn, PaidLate).When(Some.RecordPayment).ThenNothing();
        Given(Requested, Accepted, Invoiced, InvoiceExpired, PaidLate).When(Some.RecordPayment with { Late = true }).ThenNothing();
    }

    [Fact]
    public void Late_money_is_recorded_and_does_not_count()
    {
        Given(Requested, Accepted, Invoiced, Uploaded, InvoiceExpired).When(Some.RecordPayment with { Late = true }).Then(Paid with { Late = true });
        var it = State(Requested, Accepted, Invoiced, InvoiceExpired, Paid with { Late = true });
        it.Status.ShouldBe(CommissionStatus.Expired);
        it.Missing.ShouldBe(Price);
    }

    [Fact]
    public void Money_that_came_in_time_counts_even_if_the_expiry_was_told_first()
    {
        Given(Requested, Accepted, Invoiced, InvoiceExpired).When(Some.RecordPayment).Then(Paid);
        State(Requested, Accepted, Invoiced, InvoiceExpired, Paid).Status.ShouldBe(CommissionStatus.InProgress);
    }

    [Fact]
    public void Money_that_settles_after_the_invoice_was_called_invalid_counts() =>
        State(Requested, Accepted, Invoiced, InvoiceVoided, Paid).Status.ShouldBe(CommissionStatus.InProgress);

    [Fact]
    public void Money_for_ended_work_is_recorded_and_delivers_nothing() =>
        Given(RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, Cancelled).When(Some.RecordPayment with { Received = Satoshi(200_000), Charge = null }).Then(PaidInBitcoin);

    [Fact]
    public void Money_in_another_currency_is_refused() =>
        Given(Requested, Accepted, Invoiced).When(Some.RecordPayment with { Amount = new Money(120_00, "USD") }).ThenRefused(RefusalKind.Invalid, "currency-mismatch");

    [Fact]
    public void Money_in_another_coin_than_before_is_refused() =>
        Given(Requested, Accepted, Invoiced, HalfPaid).When(Some.RecordPayment with { PaymentId = "pi_2", Received = Satoshi(7) }).ThenRefused(RefusalKind.Invalid, "currency-mismatch");

    [Fact]
    public void A_failed_payment_is_recorded_once()
    {
        Given(Requested, Accepted, Invoiced).When(new RecordPaymentFailure("pi_0")).Then(PaymentFailed);
        Given(Requested, Accepted, Invoiced, PaymentFailed).When(new RecordPaymentFailure("pi_0")).ThenNothing();
        Given(Requested, Accepted, Invoiced, PaymentFailed).When(new RecordPaymentFailure("pi_9")).Then(new CommissionEvent.PaymentFailed("pi_9"));
    }

    [Fact]
    public void A_failure_told_after_the_success_is_not_recorded() => Given(Requested, Accepted, Invoiced, Paid).When(new RecordPaymentFailure("pi_1")).ThenNothing();

    [Fact]
    public void A_payment_that_failed_can_still_succeed() =>
        Given(Requested, Accepted, Invoiced, PaymentFailed).When(Some.RecordPayment with { PaymentId = "pi_0" }).Then(Paid with { PaymentId = "pi_0" });
}
