using CaveComm.Api.Commissions;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Commissions;
using Microsoft.Extensions.Options;

namespace CaveComm.Api.Payouts;

/// <summary>The provider is asked to take back what a freelancer owes after a payout (docs/adr/0016).</summary>
public static class ReversePayoutHandler
{
    public static async Task<OutgoingMessages> Handle(ReversePayout asked, IDocumentSession session, IPaymentProviders providers, IOptions<CaveCommOptions> options, CancellationToken cancel)
    {
        var commission = await CommissionWriting.Open(session, asked.Commission, cancel);
        if (commission.State.RefusedPayout is { Provider: not PaymentProviders.Manual } refused)
        {
            return await TakeBackUnsent(asked, commission, refused, providers, options.Value.PlatformFeeBasisPoints, cancel);
        }

        if (commission.State is not { IsPaidOut: true, PayoutId: { } payoutId, Payout: { Provider: not PaymentProviders.Manual } payout })
        {
            return [];
        }

        // Read for writing: what is held back from a payout in the same moment must not be taken twice.
        var freelancer = commission.State.Freelancer;
        var balance = await session.Events.FetchForWriting<Balance>(StreamKey.Balance(freelancer, asked.Amount.Currency), cancel);
        var owed = balance.Aggregate?.OwedMinor ?? 0;
        if (owed <= 0 || await IsMoneyOnItsWay(session, freelancer, payout.Provider, cancel))
        {
            // Nothing is taken now. An earlier run may have done so and died before it was noted: then it has to be, or it would be held back once more.
            return [new CheckPayout(asked.Commission, payout.Attempt, payoutId, CheckInvoice.OneOff)];
        }

        var order = new ReversalOrder(
            $"{StreamKey.Commission(asked.Commission)}/reversal/{asked.Reference}", asked.Commission, payout.Destination, asked.Amount with { Minor = Math.Min(asked.Amount.Minor, owed) });
        var reversed = await providers.Get(payout.Provider).ReversePayout(order, cancel);
        if (reversed.ReversalId is { } reversalId)
        {
            commission.Decide(new CommissionCommand.RecordPayoutReversal(payoutId, reversalId, reversed.Amount));
        }

        return commission.Outgoing();
    }

    // The transfer was less by the fee. That it is rounded otherwise here than there is put right with the next payout.
    private static async Task<OutgoingMessages> TakeBackUnsent(
        ReversePayout asked, CommissionWriting commission, RequestedPayout refused, IPaymentProviders providers, int feeBasisPoints, CancellationToken cancel)
    {
        var amount = asked.Amount - asked.Amount.Share(feeBasisPoints);
        var order = new ReversalOrder($"{StreamKey.Commission(asked.Commission)}/reversal/{asked.Reference}", asked.Commission, refused.Destination, amount, IsBeforePayout: true);
        var taken = await providers.Get(refused.Provider).ReversePayout(order, cancel);
        if (taken is { ReversalId: null, Amount.IsPositive: true })
        {
            commission.RaiseAlarm(
                asked.Reference,
                $"{amount} went back to the customer or the bank, but was transferred to {refused.Destination} before, and {refused.Provider} does not give it back now: {taken.Reason}");
        }

        return commission.Outgoing();
    }

    // A freelancer's account does not know whose money it holds: what waits there for another payout would be taken, and that payout fail.
    private static async Task<bool> IsMoneyOnItsWay(IQuerySession session, string freelancer, string provider, CancellationToken cancel)
    {
        var delivered = await session.QueryAsync<InboxItem>(
            "where freelancer = ? and status = 'delivered' and data -> 'state' -> 'payout' ->> 'provider' = ? limit 1", cancel, freelancer, provider);
        return delivered is not [];
    }
}

/// <summary>What became of a payout after it had arrived.</summary>
internal static class PayoutReversals
{
    public static void Record(CommissionWriting commission, RequestedPayout payout, PayoutSnapshot told)
    {
        if (commission.State.PayoutId is not { } payoutId)
        {
            return;
        }

        foreach (var reversal in told.Reversals)
        {
            var decision = commission.Decide(new CommissionCommand.RecordPayoutReversal(payoutId, reversal.ReversalId!, reversal.Amount));
            if (decision.Events is not [] && !reversal.IsOurs)
            {
                commission.RaiseAlarm(reversal.ReversalId!, $"{reversal.Amount} of payout {payoutId} was taken back at {payout.Provider} itself.");
            }
        }

        // A bank can send a payout back within days. It lies on the freelancer's account with the provider then, and is not sent again by us.
        if (told is { Standing: PayoutStanding.Refused, PayoutId: { } returned } && returned == payoutId)
        {
            var decision = commission.Decide(new CommissionCommand.RecordPayoutReversal(payoutId, $"returned:{payoutId}", payout.Amount));
            if (decision.Events is not [])
            {
                commission.RaiseAlarm(payoutId, $"Payout {payoutId} of {payout.Amount} had arrived and was sent back by the bank: {told.Reason}");
            }
        }
    }
}
