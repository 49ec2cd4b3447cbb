namespace CaveComm.Api.Notifications;

/// <summary>A letter to the customer. It names the commission only: text and address are looked up when it is sent.</summary>
/// <param name="Number">Tells letters of one kind apart: the product's version, the link's generation, else 0.</param>
public sealed record MailCustomer(Guid Commission, CustomerLetter Letter, int Number = 0);

/// <summary>A letter to the freelancer.</summary>
/// <param name="Number">Tells letters of one kind apart: the attempt, else 0.</param>
public sealed record MailFreelancer(Guid Commission, FreelancerLetter Letter, int Number = 0);

public enum CustomerLetter
{
    RequestReceived,
    WorkBegins,
    Declined,
    Cancelled,

    /// <summary>Only where the provider does not mail its invoices itself.</summary>
    Invoice,
    InvoiceExpired,
    PaymentFailed,

    /// <summary>A payment in bitcoin was seen and never confirmed.</summary>
    PaymentLost,
    Product,
    FreshLink,

    /// <summary>Where the customer has to say where the money shall go.</summary>
    RefundOffered,
    Refunded,
}

public enum FreelancerLetter
{
    NewRequest,
    Withdrawn,
    InvoiceRefused,
    InvoiceExpired,
    InvoiceVoided,
    PaymentReceived,
    PayoutWithoutDestination,
    PayoutRefused,
    PaidOut,

    /// <summary>Taken back, or sent back by the bank.</summary>
    PayoutReversed,
    RefundFailed,
    DisputeOpened,
    DisputeWon,
    DisputeLost,

    /// <summary>It came after the invoice had expired, or after the work had ended: the freelancer decides.</summary>
    LatePayment,

    /// <summary>The provider still wants to know something before it pays out.</summary>
    PayoutAccountUnfinished,
}
