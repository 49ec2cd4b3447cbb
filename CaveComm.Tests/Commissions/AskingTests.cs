using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Domain.Commissions.CommissionCommand;
using static CaveComm.Tests.Support.GivenCommission;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Commissions;

/// <summary>Requesting, accepting, declining, withdrawing, cancelling.</summary>
public class AskingTests
{
    [Fact]
    public void A_request_is_recorded_with_what_was_on_offer() => Given().When(Some.Request).Then(Requested);

    [Fact]
    public void A_commission_is_requested_once() => Given(Requested).When(Some.Request).ThenRefused("wrong-stage");

    [Fact]
    public void Work_agreed_elsewhere_is_accepted_from_the_start() =>
        Given().When(new EnterAgreed(Shop, Buyer, AgreedWork, PaymentProviders.Stripe)).Then(
            new CommissionEvent.Requested(Shop, Buyer, AgreedWork, PaymentProviders.Stripe, new Dictionary<string, string>(), AcceptedTerms: false), Accepted);

    [Fact]
    public void Work_agreed_elsewhere_is_entered_once() =>
        Given(Requested, Accepted).When(new EnterAgreed(Shop, Buyer, AgreedWork, PaymentProviders.Stripe)).ThenRefused("wrong-stage");

    [Fact]
    public void Nothing_else_is_asked_of_a_commission_that_is_not_there()
    {
        CommissionCommand[] others =
        [
            new Accept(), new Decline(null), new Withdraw(), new Cancel(null), Some.RecordInvoice, new RecordInvoiceRefusal(1, "No."), new RecordInvoiceExpiry("in_1"),
            new RecordInvoiceVoid("in_1"), Some.RecordPayment, new RecordPaymentFailure("pi_1"), new UploadProduct(Files), new Release(), new RecordDownload(1, Guid.Empty),
            new RenewLink(1), new RequestPayout("stripe", StripeAccount, 0), new RecordPayoutRefusal(1, "No."), new ConfirmPayout(1, "tr_1"), new MarkPaidOut(), new ForgetCustomer(),
            new RecordPayoutReversal("tr_1", "trr_1", Price), new ReissueInvoice(), new Honour(), new RecordCredit("cn_1", "in_1", Price), new Refund(Price, null), new RecordRefundOffer(1, "pp_1", PayUrl),
            new RecordRefund(1, "re_1", "pi_1", Price, Price), new RecordRefundFailure(1, "re_1", "No."), new MarkRefunded(1), new RecordPaymentSeen("in_1"), new RecordNothingSeen("in_1"), new CommissionCommand.WithdrawRefund(1), new RecordDispute("dp_1", "pi_1", Price, "fraudulent", null, null),
        ];
        foreach (var command in others)
        {
            Given().When(command).ThenRefused(RefusalKind.Missing, "no-such-commission");
        }

        // One that is missing above was never tried.
        others.Select(c => c.GetType()).Concat([typeof(Request), typeof(EnterAgreed)]).ShouldBe(typeof(CommissionCommand).GetNestedTypes(), ignoreOrder: true);
    }

    [Fact]
    public void A_request_can_be_accepted() => Given(Requested).When(new Accept()).Then(Accepted);

    [Fact]
    public void A_declined_commission_cannot_be_accepted() => Given(Requested, Declined).When(new Accept()).ThenRefused(RefusalKind.Conflict, "wrong-stage");

    [Fact]
    public void A_withdrawn_commission_cannot_be_accepted() => Given(Requested, Withdrawn).When(new Accept()).ThenRefused("wrong-stage");

    [Fact]
    public void The_second_of_two_acceptances_is_refused() => Given(Requested, Accepted).When(new Accept()).ThenRefused("wrong-stage");

    [Fact]
    public void A_request_can_be_declined_with_a_reason() => Given(Requested).When(new Decline(Declined.Reason)).Then(Declined);

    [Fact]
    public void A_request_can_be_declined_without_a_reason() => Given(Requested).When(new Decline(null)).Then(new CommissionEvent.Declined(null));

    [Fact]
    public void An_accepted_commission_cannot_be_declined() => Given(Requested, Accepted).When(new Decline(null)).ThenRefused("wrong-stage");

    [Fact]
    public void The_second_of_two_refusals_is_refused() => Given(Requested, Declined).When(new Decline(null)).ThenRefused("wrong-stage");

    [Fact]
    public void A_request_can_be_withdrawn() => Given(Requested).When(new Withdraw()).Then(Withdrawn);

    [Fact]
    public void Up_front_work_can_be_withdrawn_until_it_is_paid()
    {
        Given(Requested, Accepted).When(new Withdraw()).Then(Withdrawn);
        Given(Requested, Accepted, Invoiced).When(new Withdraw()).Then(Withdrawn);
        Given(Requested, Accepted, Invoiced, InvoiceExpired).When(new Withdraw()).Then(Withdrawn);
        Given(Requested, Accepted, Invoiced, HalfPaid).When(new Withdraw()).ThenRefused("wrong-stage");
        Given(Requested, Accepted, Invoiced, Paid).When(new Withdraw()).ThenRefused("wrong-stage");
    }

    [Fact]
    public void Work_paid_on_delivery_cannot_be_withdrawn_once_it_has_begun()
    {
        Given(RequestedOnDelivery, Accepted).When(new Withdraw()).ThenRefused("wrong-stage");
        Given(RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin).When(new Withdraw()).ThenRefused("wrong-stage");
    }

    [Fact]
    public void A_declined_request_cannot_be_withdrawn() => Given(Requested, Declined).When(new Withdraw()).ThenRefused("wrong-stage");

    [Fact]
    public void Withdrawing_again_changes_nothing() => Given(Requested, Withdrawn).When(new Withdraw()).ThenNothing();

    [Fact]
    public void Accepted_work_can_be_cancelled_until_money_came()
    {
        var cancel = new Cancel(Cancelled.Reason);
        Given(Requested, Accepted).When(cancel).Then(Cancelled);
        Given(Requested, Accepted, Invoiced).When(cancel).Then(Cancelled);
        Given(RequestedOnDelivery, Accepted).When(cancel).Then(Cancelled);
        Given(RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin).When(cancel).Then(Cancelled);
        Given(Requested, Accepted, Invoiced, InvoiceExpired).When(cancel).Then(Cancelled);
        Given(Requested, Accepted, Invoiced, HalfPaid).When(cancel).ThenRefused("wrong-stage");
        Given(Requested, Accepted, Invoiced, InvoiceExpired, Paid with { Late = true }).When(cancel).ThenRefused("wrong-stage");
        Given(Requested, Accepted, Invoiced, Paid).When(cancel).ThenRefused("wrong-stage");
    }

    [Fact]
    public void What_was_delivered_cannot_be_cancelled() =>
        Given(RequestedOnDelivery, Accepted, Uploaded, Released, Delivered).When(new Cancel(null)).ThenRefused("wrong-stage");

    [Fact]
    public void A_request_is_declined_and_not_cancelled() => Given(Requested).When(new Cancel(null)).ThenRefused("wrong-stage");

    [Fact]
    public void Cancelling_again_changes_nothing() => Given(Requested, Accepted, Cancelled).When(new Cancel(null)).ThenNothing();

    [Fact]
    public void A_refusal_says_what_was_asked_and_where_the_commission_stands() =>
        Given(RequestedOnDelivery, Accepted).When(new Accept()).ThenRefused("wrong-stage").Detail.ShouldBe("Accepting is not possible while the commission is in progress.");
}
