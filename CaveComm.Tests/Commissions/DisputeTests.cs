using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using Shouldly;
using static CaveComm.Domain.Commissions.CommissionCommand;
using static CaveComm.Tests.Support.GivenCommission;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Commissions;

/// <summary>Money that a bank takes back, and what a freelancer owes when it had been paid out.</summary>
public class DisputeTests
{
    private static readonly CommissionEvent[] Done = [Requested, Accepted, Invoiced, Paid, Uploaded, Delivered];
    private static readonly RecordDispute Open = new("dp_1", "pi_1", Price, DisputeOpened.Reason, DisputeOpened.EvidenceDueAt, Won: null);
    private static readonly RequestPayout Payout = new(PaymentProviders.Stripe, StripeAccount, FeeBasisPoints: 0);

    [Fact]
    public void A_dispute_is_opened_and_closed_once()
    {
        Given(Done).When(Open).Then(DisputeOpened);
        Given([.. Done, DisputeOpened]).When(Open).ThenNothing();
        Given([.. Done, DisputeOpened]).When(Open with { Won = false }).Then(DisputeLost);
        Given([.. Done, DisputeOpened, DisputeLost]).When(Open with { Won = false }).ThenNothing();
    }

    [Fact]
    public void A_dispute_that_is_heard_of_when_it_is_over_is_recorded_whole() => Given(Done).When(Open with { Won = true }).Then(DisputeOpened, DisputeWon);

    [Fact]
    public void A_dispute_over_a_payment_that_nobody_knows_is_no_dispute() => Given(Done).When(Open with { PaymentId = "pi_9" }).ThenRefused(RefusalKind.Invalid, "dispute-mismatch");

    [Fact]
    public void The_payout_waits_until_the_dispute_is_decided()
    {
        Given([.. Done, DisputeOpened]).When(Payout).ThenNothing();
        Given([.. Done, DisputeOpened, DisputeWon]).When(Payout).Then(PayoutRequested with { Amount = Price, Fee = Euro(0) });
        Given([.. Done, DisputeOpened, DisputeLost]).When(Payout).ThenNothing();
    }

    [Fact]
    public void The_status_says_that_it_is_disputed()
    {
        State([.. Done, DisputeOpened]).Status.ShouldBe(CommissionStatus.Disputed);
        State([.. Done, DisputeOpened, DisputeLost]).Status.ShouldBe(CommissionStatus.Disputed);
        State([.. Done, DisputeOpened, DisputeWon]).Status.ShouldBe(CommissionStatus.Delivered);
        State([.. Done, PayoutRequested, PaidOut, DisputeOpened, DisputeWon]).Status.ShouldBe(CommissionStatus.PaidOut);
    }

    [Fact]
    public void What_goes_back_after_the_payout_is_owed()
    {
        CommissionEvent[] paidOut = [.. Done, PayoutRequested, PaidOut];
        Owed([.. paidOut, DisputeOpened]).ShouldBe(120_00);
        Owed([.. paidOut, DisputeOpened, DisputeWon]).ShouldBe(0);
        Owed([.. paidOut, DisputeOpened, DisputeLost]).ShouldBe(120_00);
        Owed([.. paidOut, RefundRequested, Refunded]).ShouldBe(20_00);
        Owed([.. paidOut, RefundRequested, Refunded, RefundFailed]).ShouldBe(0);
        Owed([.. paidOut, RefundRequested, Refunded, PayoutReversed with { Amount = Euro(20_00) }]).ShouldBe(0);
        Owed([.. Done, RefundRequested, Refunded, PayoutRequested with { Amount = Euro(94_00) }]).ShouldBe(0, "The payout was less already.");
        Owed([.. Done, PayoutRequested, RefundRequested, Refunded, PayoutFailed]).ShouldBe(0, "Nothing was paid out after all.");
    }

    [Fact]
    public void What_is_owed_is_held_back_from_the_next_payout()
    {
        Given(Done).When(Payout with { Owed = Euro(50_00) }).Then(PayoutRequested with { Amount = Euro(70_00), Fee = Euro(0), HeldBack = Euro(50_00) });
        Owed([.. Done, PayoutRequested with { HeldBack = Euro(50_00) }]).ShouldBe(-50_00);
        Owed([.. Done, PayoutRequested with { HeldBack = Euro(50_00) }, PayoutFailed]).ShouldBe(0);
    }

    [Fact]
    public void Where_all_is_held_back_nothing_is_sent()
    {
        var nothing = new CommissionEvent.PayoutRequested(1, PaymentProviders.Manual, StripeAccount, Euro(0), Euro(0), null, Price);
        Given(Done).When(Payout with { Owed = Euro(500_00) }).Then(nothing, new CommissionEvent.PaidOut("held-back:1", Euro(0), Euro(0), Shop));
        Given(Done).When(Payout with { Owed = Satoshi(500) }).Then(PayoutRequested with { Amount = Price, Fee = Euro(0) });
    }

    private static long Owed(params CommissionEvent[] life)
    {
        var (it, balance) = (Commission.Initial, Balance.Initial);
        foreach (var happened in life)
        {
            balance = CommissionBalance.After(CommissionId, it, happened).Aggregate(balance, (sum, change) => sum.Record(change).Events.Aggregate(sum, Balance.Evolve));
            it = Commission.Evolve(it, happened);
        }

        return balance.OwedMinor;
    }
}
