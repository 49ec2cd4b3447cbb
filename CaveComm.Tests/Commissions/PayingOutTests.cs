using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using Shouldly;
using static CaveComm.Domain.Commissions.CommissionCommand;
using static CaveComm.Tests.Support.GivenCommission;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Commissions;

/// <summary>Payouts.</summary>
public class PayingOutTests
{
    private static readonly CommissionEvent[] Due = [Requested, Accepted, Invoiced, Paid, Uploaded, Delivered];
    private static readonly RequestPayout Ask = new(PaymentProviders.Stripe, StripeAccount, FeeBasisPoints: 500);

    [Fact]
    public void The_payout_is_what_came_in_less_the_fee() => Given(Due).When(Ask).Then(PayoutRequested);

    [Fact]
    public void Bitcoin_is_paid_out_in_bitcoin() =>
        Given(RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, PaidInBitcoin, Delivered)
            .When(new RequestPayout(PaymentProviders.BtcPay, "ada@wallet.example", FeeBasisPoints: 100))
            .Then(new CommissionEvent.PayoutRequested(1, PaymentProviders.BtcPay, "ada@wallet.example", Satoshi(198_000), Satoshi(2_000), null));

    [Fact]
    public void Money_that_the_provider_never_held_is_settled_by_hand() =>
        Given(Requested, Accepted, Invoiced, Paid with { PaymentId = "in_1", Received = Euro(0), Charge = null }, Uploaded, Delivered)
            .When(Ask)
            .Then(new CommissionEvent.PayoutRequested(1, PaymentProviders.Manual, StripeAccount, Euro(114_00), Euro(6_00), null));

    [Fact]
    public void A_payout_of_which_the_fee_leaves_nothing_is_not_asked_of_the_provider() =>
        Given(Due).When(Ask with { FeeBasisPoints = 10_000 }).Then(new CommissionEvent.PayoutRequested(1, PaymentProviders.Manual, StripeAccount, Euro(0), Euro(120_00), null));

    [Fact]
    public void Late_money_is_not_paid_out() =>
        Given([.. Due, Paid with { PaymentId = "pi_2", Late = true }]).When(Ask).Then(PayoutRequested);

    [Fact]
    public void Money_that_came_by_two_charges_is_tied_to_neither()
    {
        var rest = HalfPaid with { PaymentId = "pi_2", Charge = "ch_2" };
        Given(Requested, Accepted, Invoiced, HalfPaid, rest, Uploaded, Delivered).When(Ask).Then(PayoutRequested with { Charge = null });
        Given(Requested, Accepted, Invoiced, HalfPaid with { PaymentId = "pi_9", Charge = "ch_9", Late = true }, Paid, Uploaded, Delivered).When(Ask).Then(PayoutRequested);
    }

    [Fact]
    public void A_payout_takes_payment_and_delivery()
    {
        Given(Requested, Accepted, Invoiced, Paid).When(Ask).ThenNothing();
        Given(Requested, Accepted, Invoiced, Uploaded, Released, Delivered).When(Ask).ThenNothing();
        Given(Requested).When(Ask).ThenNothing();
    }

    [Fact]
    public void A_payout_in_flight_is_not_requested_again() => Given([.. Due, PayoutRequested]).When(Ask).ThenNothing();

    [Fact]
    public void What_was_paid_out_is_not_paid_out_again() => Given([.. Due, PayoutRequested, PaidOut]).When(Ask).ThenNothing();

    [Fact]
    public void A_definite_refusal_raises_the_attempt()
    {
        Given([.. Due, PayoutRequested]).When(new RecordPayoutRefusal(1, PayoutFailed.Reason)).Then(PayoutFailed);
        Given([.. Due, PayoutRequested, PayoutFailed]).When(Ask).Then(PayoutRequested with { Attempt = 2 });
    }

    [Fact]
    public void A_refusal_is_recorded_once_and_only_of_the_attempt_in_flight()
    {
        Given([.. Due, PayoutRequested, PayoutFailed]).When(new RecordPayoutRefusal(1, "No.")).ThenNothing();
        Given([.. Due, PayoutRequested, PayoutFailed, PayoutRequested with { Attempt = 2 }]).When(new RecordPayoutRefusal(1, "No.")).ThenNothing();
        Given([.. Due, PayoutRequested, PaidOut]).When(new RecordPayoutRefusal(1, "No.")).ThenNothing();
        Given(Due).When(new RecordPayoutRefusal(1, "No.")).ThenNothing();
    }

    [Fact]
    public void A_confirmed_payout_is_recorded() => Given([.. Due, PayoutRequested]).When(new ConfirmPayout(1, "tr_1")).Then(PaidOut);

    [Fact]
    public void A_confirmation_is_recorded_once_and_only_of_the_attempt_in_flight()
    {
        Given([.. Due, PayoutRequested, PaidOut]).When(new ConfirmPayout(1, "tr_1")).ThenNothing();
        Given([.. Due, PayoutRequested, PayoutFailed]).When(new ConfirmPayout(1, "tr_1")).ThenNothing();
        Given([.. Due, PayoutRequested, PayoutFailed, PayoutRequested with { Attempt = 2 }]).When(new ConfirmPayout(1, "tr_1")).ThenNothing();
        Given(Due).When(new ConfirmPayout(1, "tr_1")).ThenNothing();
    }

    [Fact]
    public void The_freelancer_marks_a_payout_by_hand()
    {
        Given([.. Due, PayoutByHand]).When(new MarkPaidOut()).Then(new CommissionEvent.PaidOut("manual:1", Price, Euro(0), Shop));
        Given([.. Due, PayoutByHand, new CommissionEvent.PaidOut("manual:1", Price, Euro(0), Shop)]).When(new MarkPaidOut()).ThenNothing();
    }

    [Fact]
    public void Only_a_payout_by_hand_is_marked()
    {
        Given([.. Due, PayoutRequested]).When(new MarkPaidOut()).ThenRefused("wrong-stage");
        Given(Due).When(new MarkPaidOut()).ThenRefused("wrong-stage");
        Given(Requested, Accepted).When(new MarkPaidOut()).ThenRefused("wrong-stage");
    }

    [Fact]
    public void A_payout_is_needed_from_delivery_and_payment_until_it_is_in_flight()
    {
        State(Requested, Accepted, Invoiced, Paid).NeedsPayout.ShouldBeFalse();
        State(Due).NeedsPayout.ShouldBeTrue();
        State([.. Due, PayoutRequested]).NeedsPayout.ShouldBeFalse();
        State([.. Due, PayoutRequested, PayoutFailed]).NeedsPayout.ShouldBeTrue();
        State([.. Due, PayoutRequested, PaidOut]).NeedsPayout.ShouldBeFalse();
    }
}
