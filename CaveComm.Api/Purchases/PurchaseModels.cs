using CaveComm.Domain;
using CaveComm.Projections.Payments;

namespace CaveComm.Api.Purchases;

/// <summary>One purchase in a list.</summary>
/// <param name="Id">That of the commission.</param>
/// <param name="Asked">What its invoices come to; null when there was none.</param>
/// <param name="WaitingSince">Paid, with a product that nobody was given: since when. Null for all that is well.</param>
public sealed record PurchaseSummary(
    Guid Id, string Freelancer, string Provider, string InvoiceId, PurchaseStatus Status, Money? Asked, Money? Paid, Money? Refunded,
    DateTimeOffset StartedAt, DateTimeOffset? PaidAt, DateTimeOffset? FulfilledAt, DateTimeOffset? WaitingSince)
{
    public static PurchaseSummary Of(PurchaseTrack it) => new(
        it.Commission, it.Freelancer, it.Provider, it.InvoiceId, it.Status, it.Asked, it.Paid, it.Refunded, it.Began, it.PaidAt, it.FulfilledAt, it.WaitingSince);
}

/// <summary>One purchase with all that was tracked.</summary>
public sealed record PurchaseDetail(PurchaseSummary Purchase, IReadOnlyList<TrackedStep> Tracking);

/// <param name="Kind">What happened, such as <c>payment-succeeded</c>; <c>provider-event</c> for what a provider told.</param>
/// <param name="Reference">The provider's event, invoice, payment, refund or dispute; the product's version for a fulfilment.</param>
/// <param name="Type">What the provider calls its event.</param>
/// <param name="ToldBy">The stream of the provider's event that led to it; null when the office asked of its own accord.</param>
public sealed record TrackedStep(DateTimeOffset At, string Kind, string Reference, string? Type, Money? Amount, string? ToldBy);
