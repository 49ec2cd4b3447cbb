namespace CaveComm.Domain.Payments;

/// <summary>What a payment pays for (spec P5, P6).</summary>
public enum PurchaseKind
{
    /// <summary>Something that is bought once: its purchase is fulfilled.</summary>
    Once,

    /// <summary>A period of a membership or relay: its own billing handles it, and nothing is fulfilled here.</summary>
    Recurring,
}

public static class PurchaseKinds
{
    /// <summary>A payment recurs if an invoice exists for it and renews a subscription.</summary>
    /// <param name="invoice">The invoice behind the payment; null when there is none.</param>
    public static PurchaseKind Of(PaymentInvoice? invoice) => invoice is { SubscriptionId: not null } ? PurchaseKind.Recurring : PurchaseKind.Once;
}
