using CaveComm.Domain.Payments;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Domain.Commissions;

/// <summary>What a commission's events mean for the balance of its freelancer.</summary>
/// <remarks>
/// Once a payout is requested its money is the freelancer's. What goes back to the customer or the bank after that is owed, and later payouts are less by it.
/// Before, the payout itself is less. The platform keeps its fee in both cases.
/// </remarks>
public static class CommissionBalance
{
    /// <param name="before">The commission before the event.</param>
    public static IEnumerable<BalanceEvent> After(Guid commission, Commission before, CommissionEvent happened)
    {
        if (happened is PayoutRequested { HeldBack: { } heldBack } payout)
        {
            yield return new BalanceEvent.HeldBack(commission, payout.Attempt, heldBack);
        }

        if (before.Payout is not { } requested)
        {
            yield break;
        }

        if (happened is PayoutFailed failed)
        {
            if (requested.HeldBack is { } released)
            {
                yield return new BalanceEvent.Released(commission, failed.Attempt, released);
            }

            if (before.OwedMinor != 0)
            {
                yield return new BalanceEvent.Settled(commission, $"payout-failed:{failed.Attempt}", new Money(before.OwedMinor, requested.Amount.Currency));
            }

            yield break;
        }

        if (Debt(before, happened) is not 0 and var minor)
        {
            var amount = new Money(Math.Abs(minor), requested.Amount.Currency);
            yield return minor > 0 ? new BalanceEvent.Owed(commission, Reference(happened), amount) : new BalanceEvent.Settled(commission, Reference(happened), amount);
        }
    }

    /// <summary>By how much the freelancer owes more (or less, where it is negative) for an event, in minor units of the payout's coin.</summary>
    internal static long Debt(Commission before, CommissionEvent happened) => before.Payout is not { } payout ? 0 : happened switch
    {
        Refunded e when Counts(before, e.PaymentId, e.Sent, payout) => e.Sent.Minor,
        RefundFailed e when Counts(before, e.PaymentId, e.Sent, payout) => -e.Sent.Minor,
        DisputeOpened e when Counts(before, e.PaymentId, e.Amount, payout) => e.Amount.Minor,
        DisputeClosed { Won: true } e when before.Disputes.Any(dispute => dispute.DisputeId == e.DisputeId && Counts(before, dispute.PaymentId, e.Amount, payout)) => -e.Amount.Minor,
        PayoutReversed e when e.Amount.Currency == payout.Amount.Currency => -e.Amount.Minor,
        _ => 0,
    };

    // Late money that nobody honoured was never part of a payout.
    private static bool Counts(Commission before, string paymentId, Money coin, RequestedPayout payout) =>
        coin.Currency == payout.Amount.Currency && before.Payments.Any(payment => payment.Counts && payment.PaymentId == paymentId);

    /// <summary>Names the refund, dispute or reversal that an event tells of.</summary>
    public static string Reference(CommissionEvent happened) => happened switch
    {
        Refunded e => $"refund:{e.RefundId}",
        RefundFailed e => $"refund-failed:{e.RefundId}",
        DisputeOpened e => $"dispute:{e.DisputeId}",
        DisputeClosed e => $"dispute-{(e.Won ? "won" : "lost")}:{e.DisputeId}",
        PayoutReversed e => $"reversal:{e.ReversalId}",
        _ => happened.GetType().Name,
    };
}
