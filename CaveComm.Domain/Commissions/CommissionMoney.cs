namespace CaveComm.Domain.Commissions;

/// <summary>A payment that came in, whatever became of it.</summary>
/// <param name="Amount">What it is worth in the price's currency.</param>
/// <param name="Received">What truly came in, in the provider's coin; zero for money that was paid elsewhere.</param>
/// <param name="Charge">Stripe's charge, which transfers and disputes name.</param>
/// <param name="Counts">Towards the price: in time, or honoured.</param>
public sealed record KnownPayment(string PaymentId, Money Amount, Money Received, string? Charge, bool Counts);

/// <summary>Money on its way back to the customer, or there.</summary>
/// <param name="Number">Null for a refund that was made at the provider itself.</param>
/// <param name="RefundId">The provider's id, once it is known.</param>
/// <param name="Sent">In the coin that came in; zero until it is sent.</param>
public sealed record KnownRefund(int? Number, string? RefundId, string Provider, string PaymentId, Money Amount, Money Sent, RefundStanding Standing)
{
    /// <summary>The offer was taken back; the provider may not know yet.</summary>
    public bool IsWithdrawn { get; init; }
}

public enum RefundStanding
{
    /// <summary>Asked for; the outcome is not known.</summary>
    Requested,

    Refunded,

    /// <summary>Refused, or come back: the customer does not have it.</summary>
    Failed,
}

/// <summary>A payment that the customer's bank took back.</summary>
/// <param name="Won">Null while it is open.</param>
public sealed record KnownDispute(string DisputeId, string PaymentId, Money Amount, DateTimeOffset? EvidenceDueAt, bool? Won);
