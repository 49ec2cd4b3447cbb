namespace CaveComm.Domain.Payments;

/// <summary>The accounts that money of commissions stands on.</summary>
public enum LedgerAccount
{
    /// <summary>What customers are asked for and have not paid. Negative: money of theirs that counts for nothing (yet), such as a late payment.</summary>
    CustomerReceivable,

    /// <summary>What the provider holds for us.</summary>
    ProviderClearing,

    /// <summary>Money that came past the provider and is settled by hand.</summary>
    OutsideProvider,

    /// <summary>What the platform has kept back.</summary>
    PlatformFee,

    /// <summary>What providers kept of payments for themselves, where they say so: the operator's cost. Stripe does; what a BTCPay Server's owner pays to the network is no fee of a payment.</summary>
    ProviderFee,

    /// <summary>What freelancers have to get: asked for, or in and not sent. Positive: what they owe.</summary>
    FreelancerPayable,

    /// <summary>On its way back to customers.</summary>
    Refunds,

    /// <summary>Held by banks until it is decided who is right.</summary>
    Disputes,

    /// <summary>On its way to freelancers, with the fee that is kept back once it is there.</summary>
    Payouts,

    /// <summary>Where a claim in one currency becomes money in another. Nothing stays here: the freelancer gets what came in.</summary>
    Exchange,
}

/// <summary>One line of a set: debit is positive, credit negative. The lines of a set sum to zero in each currency.</summary>
public sealed record LedgerEntry(LedgerAccount Account, Money Amount);

/// <summary>What holds for any ledger.</summary>
public static class Ledger
{
    /// <summary>Whether the lines sum to zero in each currency.</summary>
    public static bool IsBalanced(IEnumerable<LedgerEntry> entries) =>
        entries.GroupBy(entry => entry.Amount.Currency).All(currency => currency.Aggregate((Int128)0, (sum, entry) => sum + entry.Amount.Minor) == 0);

    /// <summary>What the lines come to by account and currency; what is even is left out.</summary>
    public static IReadOnlyList<LedgerEntry> Sum(IEnumerable<LedgerEntry> entries) =>
    [
        .. entries.GroupBy(entry => (entry.Account, entry.Amount.Currency))
            .Select(group => new LedgerEntry(group.Key.Account, group.Aggregate(Money.Zero(group.Key.Currency), (sum, entry) => sum + entry.Amount)))
            .Where(entry => !entry.Amount.IsZero)
            .OrderBy(entry => entry.Account).ThenBy(entry => entry.Amount.Currency, StringComparer.Ordinal),
    ];
}
