using CaveComm.Domain.Payments;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Domain.Commissions;

/// <summary>A commission as its ledger sees it: the state, and what of its money the state does not keep.</summary>
/// <param name="PaysByHand">The payout is of money that never was at the provider.</param>
/// <param name="Reversed">Payouts that the provider took back.</param>
/// <param name="Fees">What the provider kept of payments for itself.</param>
public sealed record CommissionBooks(Commission It, bool PaysByHand, IReadOnlyList<Money> Reversed, IReadOnlyList<Money> Fees)
{
    public static CommissionBooks Initial { get; } = new(Commission.Initial, PaysByHand: false, [], []);

    /// <summary>The books after an event, and the set of entries that it makes: none where no money moved and no claim changed.</summary>
    /// <remarks>
    /// The set is the difference between two positions, so an event that nobody thought of is booked, too. Each position is worked out account by account:
    /// that they sum to zero is no matter of course, and is checked.
    /// </remarks>
    public (CommissionBooks After, IReadOnlyList<LedgerEntry> Set) Book(CommissionEvent happened)
    {
        var after = this with
        {
            It = Commission.Evolve(It, happened),
            PaysByHand = happened is PayoutRequested ? It.ReceivedCoin is not { IsPositive: true } : PaysByHand,
            Reversed = happened is PayoutReversed e ? [.. Reversed, e.Amount] : Reversed,
            Fees = happened is PaymentReceived { Fee: { } fee } ? [.. Fees, fee] : Fees,
        };
        var set = Ledger.Sum([.. after.Position(), .. Position().Select(entry => entry with { Amount = Less(entry.Amount) })]);
        return (after, [.. set, .. Exchanged(set)]);
    }

    /// <summary>What stands on each account for this commission, in each currency.</summary>
    public IReadOnlyList<LedgerEntry> Position()
    {
        if (!It.IsRequested)
        {
            return [];
        }

        var lines = new List<LedgerEntry>();
        if (It.Invoice is not null)
        {
            Add(LedgerAccount.CustomerReceivable, It.Missing);
            Add(LedgerAccount.FreelancerPayable, Less(It.Missing));
        }

        foreach (var payment in It.Payments)
        {
            var (holder, came) = Place(payment);
            var owner = OwnerOf(payment);
            Add(holder, came);
            Add(owner, Less(came));
        }

        foreach (var fee in Fees)
        {
            // The provider takes it from what it holds for us; nobody's claim is less for it (docs/adr/0008).
            Add(LedgerAccount.ProviderClearing, Less(fee));
            Add(LedgerAccount.ProviderFee, fee);
        }

        foreach (var refund in It.Refunds.Where(it => it.Standing != RefundStanding.Failed))
        {
            AddRefund(refund);
        }

        foreach (var dispute in It.Disputes.Where(it => it.Won is not true))
        {
            // Until it is decided the bank has it; once it is lost, whose money it was has lost it.
            Add(LedgerAccount.ProviderClearing, Less(dispute.Amount));
            Add(dispute.Won is null ? LedgerAccount.Disputes : OwnerOf(It.Payments.First(it => it.PaymentId == dispute.PaymentId)), dispute.Amount);
        }

        if (It.Payout is { } payout)
        {
            Add(LedgerAccount.FreelancerPayable, payout.Amount + payout.Fee);
            Add(It.IsPaidOut ? PaysByHand ? LedgerAccount.OutsideProvider : LedgerAccount.ProviderClearing : LedgerAccount.Payouts, Less(payout.Amount));
            Add(It.IsPaidOut ? LedgerAccount.PlatformFee : LedgerAccount.Payouts, Less(payout.Fee));
        }

        foreach (var back in Reversed)
        {
            Add(LedgerAccount.ProviderClearing, back);
            Add(LedgerAccount.FreelancerPayable, Less(back));
        }

        return Ledger.Sum(lines);

        void Add(LedgerAccount account, Money amount) => lines.Add(new LedgerEntry(account, amount));

        void AddRefund(KnownRefund refund)
        {
            var payment = It.Payments.First(it => it.PaymentId == refund.PaymentId);
            var byHand = !payment.Received.IsPositive;
            if (refund.Standing == RefundStanding.Requested)
            {
                var planned = byHand ? refund.Amount : It.CoinsOf(refund);
                Add(LedgerAccount.Refunds, Less(planned));
                Add(OwnerOf(payment), planned);
            }
            else if (refund.Sent.IsPositive || byHand)
            {
                var (holder, gone) = refund.Sent.IsPositive ? (LedgerAccount.ProviderClearing, refund.Sent) : (LedgerAccount.OutsideProvider, refund.Amount);
                Add(holder, Less(gone));
                Add(OwnerOf(payment), gone);
            }
        }
    }

    private static (LedgerAccount Holder, Money Came) Place(KnownPayment payment) =>
        payment.Received.IsPositive ? (LedgerAccount.ProviderClearing, payment.Received) : (LedgerAccount.OutsideProvider, payment.Amount);

    // Late money that nobody honoured is still the customer's.
    private static LedgerAccount OwnerOf(KnownPayment payment) => payment.Counts ? LedgerAccount.FreelancerPayable : LedgerAccount.CustomerReceivable;

    // A claim in the price's currency that was settled in another coin: both sides pass through the exchange, so that the set shows at what rate.
    private IEnumerable<LedgerEntry> Exchanged(IReadOnlyList<LedgerEntry> set)
    {
        var (price, coin) = (It.Price.Currency, It.Coin);
        if (It.IsRequested && price != coin && Of(LedgerAccount.CustomerReceivable, price) is < 0 and var settled && Of(LedgerAccount.FreelancerPayable, coin) is < 0 and var came)
        {
            yield return new LedgerEntry(LedgerAccount.Exchange, new Money(-settled, price));
            yield return new LedgerEntry(LedgerAccount.Exchange, new Money(settled, price));
            yield return new LedgerEntry(LedgerAccount.Exchange, new Money(came, coin));
            yield return new LedgerEntry(LedgerAccount.Exchange, new Money(-came, coin));
        }

        long Of(LedgerAccount account, string currency) => set.Where(entry => entry.Account == account && entry.Amount.Currency == currency).Sum(entry => entry.Amount.Minor);
    }

    private static Money Less(Money amount) => Money.Zero(amount.Currency) - amount;
}
