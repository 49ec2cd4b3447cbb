namespace CaveComm.Domain.Commissions;

/// <summary>Where a commission stands; always derived from its events.</summary>
public enum CommissionStatus
{
    /// <summary>No such commission.</summary>
    None,
    Requested,

    /// <summary>Accepted, up front: the invoice is being set up.</summary>
    Accepted,
    AwaitingPayment,
    InProgress,
    Delivered,
    PaidOut,
    Declined,
    Withdrawn,
    Cancelled,

    /// <summary>The invoice ran out before it was paid.</summary>
    Expired,

    /// <summary>All that came in went back.</summary>
    Refunded,

    /// <summary>The customer's bank holds the money or has taken it back.</summary>
    Disputed,
}
