using CaveComm.Domain.Payments;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Domain.Commissions;

/// <summary>What a commission's events mean for the purchase of it. One commission is one purchase, however many invoices it takes.</summary>
public static class CommissionPurchase
{
    /// <param name="before">The commission before the event.</param>
    /// <param name="toldBy">The stream of the provider's event that led to it; null when there was none.</param>
    public static PurchaseEvent? After(Guid commission, Commission before, CommissionEvent happened, string? toldBy) => happened switch
    {
        InvoiceIssued e => new PurchaseEvent.PurchaseStarted(StreamKey.Commission(commission), e.Attempt, e.Provider, e.InvoiceId, e.Amount, e.Freelancer),
        PaymentReceived e => new PurchaseEvent.PaymentSucceeded(e.InvoiceId, e.PaymentId, e.Amount, e.At, e.Late, e.Freelancer, toldBy),
        PaymentFailed e => new PurchaseEvent.PaymentAttemptFailed(e.PaymentId, toldBy),

        // A product that is sent again is no second fulfilment.
        Delivered e when !before.IsDelivered => new PurchaseEvent.PurchaseFulfilled(e.ProductVersion, before.Freelancer),
        Refunded e => new PurchaseEvent.PurchaseRefunded(e.RefundId, e.Amount, toldBy),
        RefundFailed e when HadArrived(before, e) => new PurchaseEvent.PurchaseRefunded(e.RefundId ?? $"{e.Number}", Money.Zero(e.Amount.Currency) - e.Amount, toldBy),
        DisputeOpened e => new PurchaseEvent.PurchaseDisputed(e.DisputeId, e.Amount, Won: null, toldBy),
        DisputeClosed e => new PurchaseEvent.PurchaseDisputed(e.DisputeId, e.Amount, e.Won, toldBy),
        _ => null,
    };

    private static bool HadArrived(Commission before, RefundFailed e) => before.Refunds.Any(refund =>
        refund.Standing == RefundStanding.Refunded && ((e.Number is not null && refund.Number == e.Number) || (e.RefundId is not null && refund.RefundId == e.RefundId)));
}
