using System.Collections.Immutable;
using System.Diagnostics;

namespace CaveComm.Domain.Payments;

/// <summary>What can have happened to what a freelancer owes in one coin. Stored for ever: add, never edit.</summary>
/// <param name="Amount">More than nothing.</param>
public abstract record BalanceEvent(Money Amount)
{

    /// <summary>Money went back to a customer, or a bank took it, after it had been paid out.</summary>
    /// <param name="Reference">Names the refund, dispute or reversal; the same one twice is the same fact told twice.</param>
    public sealed record Owed(Guid Commission, string Reference, Money Amount) : BalanceEvent(Amount);

    /// <summary>It came back after all: the refund failed, the dispute was won, or a payout was reversed.</summary>
    public sealed record Settled(Guid Commission, string Reference, Money Amount) : BalanceEvent(Amount);

    /// <summary>Held back from a payout.</summary>
    public sealed record HeldBack(Guid Commission, int PayoutAttempt, Money Amount) : BalanceEvent(Amount);

    /// <summary>The payout that it was held back from was refused, so nothing was held back.</summary>
    public sealed record Released(Guid Commission, int PayoutAttempt, Money Amount) : BalanceEvent(Amount);
}

/// <summary>What one freelancer owes in one coin: what the next payouts are less by.</summary>
public sealed record Balance : IState<Balance, BalanceEvent>
{
    public static Balance Initial { get; } = new();

    /// <summary>Minor units of the stream's coin. Negative when more came back than was owed; the next payout is not more for it, an operator looks.</summary>
    public long OwedMinor { get; init; }

    public ImmutableHashSet<string> References { get; init; } = [];

    /// <summary>Records a fact once.</summary>
    public Decision<BalanceEvent> Record(BalanceEvent happened) => References.Contains(KeyOf(happened))
        ? Decision<BalanceEvent>.Nothing
        : Decision<BalanceEvent>.Record(happened);

    public static Balance Evolve(Balance it, BalanceEvent happened) => it with
    {
        References = it.References.Add(KeyOf(happened)),
        OwedMinor = checked(it.OwedMinor + (happened switch
        {
            BalanceEvent.Owed e => e.Amount.Minor,
            BalanceEvent.Settled e => -e.Amount.Minor,
            BalanceEvent.HeldBack e => -e.Amount.Minor,
            BalanceEvent.Released e => e.Amount.Minor,
            _ => throw new UnreachableException($"Evolve does not know {happened.GetType().Name}."),
        })),
    };

    private static string KeyOf(BalanceEvent happened) => happened switch
    {
        BalanceEvent.Owed e => $"owed:{e.Commission}:{e.Reference}",
        BalanceEvent.Settled e => $"settled:{e.Commission}:{e.Reference}",
        BalanceEvent.HeldBack e => $"held-back:{e.Commission}:{e.PayoutAttempt}",
        BalanceEvent.Released e => $"released:{e.Commission}:{e.PayoutAttempt}",
        _ => throw new UnreachableException($"There is no key for {happened.GetType().Name}."),
    };
}
