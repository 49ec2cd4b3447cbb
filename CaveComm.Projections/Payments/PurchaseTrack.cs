using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using static CaveComm.Domain.Payments.PurchaseEvent;

namespace CaveComm.Projections.Payments;

/// <summary>How far a purchase is.</summary>
public enum PurchaseStatus
{
    /// <summary>There is nothing to pay yet.</summary>
    None,
    Started,
    Paid,
    Fulfilled,
    Refunded,
    Disputed,
}

/// <summary>The tracking of one purchase: what was told, what was paid, what was given for it, and when.</summary>
/// <param name="Id">The purchase's stream; newer purchases have greater keys.</param>
/// <param name="Began">When it was first heard of.</param>
/// <param name="Asked">What all invoices come to: what was paid when the last was made out, and what that one asks for.</param>
/// <param name="ProductAt">When there was something to give for it.</param>
/// <param name="Ended">The work was called off: nothing will be given for late money.</param>
/// <param name="WaitingSince">Paid, and there is a product, but it was not given: since when. Null for all that is well.</param>
public sealed record PurchaseTrack(
    string Id, Guid Commission, string Freelancer, string Provider, string InvoiceId, PurchaseStatus Status, DateTimeOffset Began, Money? Asked, Money? Paid, Money? Refunded,
    DateTimeOffset? PaidAt, DateTimeOffset? ProductAt, DateTimeOffset? FulfilledAt, bool Ended, DateTimeOffset? WaitingSince, IReadOnlyList<PurchaseStep> Steps);

/// <param name="Kind">The event's stored name without <c>purchase.</c></param>
/// <param name="Reference">The provider's invoice, payment, refund or dispute; the product's version for a fulfilment.</param>
/// <param name="Counts">A payment that is late counts once it is honoured; a dispute once it is lost or while it is open.</param>
/// <param name="ToldBy">The stream of the provider's event that led to it; null when we asked of our own accord.</param>
public sealed record PurchaseStep(DateTimeOffset At, string Kind, string Reference, Money? Amount, bool Counts, string? ToldBy);

/// <summary>Follows each purchase, and from the commission what says whether its fulfilment is due.</summary>
public sealed class PurchaseProjection : MultiStreamProjection<PurchaseTrack, string>
{
    private const string Prefix = "purchase.";

    /// <remarks>2: the table's mt_version is a number, so that Marten can write it.</remarks>
    public PurchaseProjection()
    {
        Version = 2;
        Identity<IEvent<PurchaseStarted>>(e => e.StreamKey!);
        Identity<IEvent<PaymentSucceeded>>(e => e.StreamKey!);
        Identity<IEvent<PaymentAttemptFailed>>(e => e.StreamKey!);
        Identity<IEvent<PurchaseFulfilled>>(e => e.StreamKey!);
        Identity<IEvent<PurchaseRefunded>>(e => e.StreamKey!);
        Identity<IEvent<PurchaseDisputed>>(e => e.StreamKey!);
        Identity<IEvent<CommissionEvent.ProductUploaded>>(Key);
        Identity<IEvent<CommissionEvent.LatePaymentHonoured>>(Key);
        Identity<IEvent<CommissionEvent.Withdrawn>>(Key);
        Identity<IEvent<CommissionEvent.Cancelled>>(Key);
    }

    public override PurchaseTrack? Evolve(PurchaseTrack? snapshot, string id, IEvent e) => Judged(
        Change(snapshot ?? new PurchaseTrack(id, StreamKey.PurchaseId(id), "", "", "", PurchaseStatus.None, e.Timestamp, null, null, null, null, null, null, Ended: false, null, []), e), e);

    private static string Key(IEvent e) => StreamKey.Purchase(StreamKey.CommissionId(e.StreamKey!));

    private static PurchaseTrack Change(PurchaseTrack it, IEvent e) => e.Data switch
    {
        PurchaseStarted x => it.With(e, x.InvoiceId, x.Amount) with
        {
            Freelancer = x.Freelancer,
            Provider = x.Provider,
            InvoiceId = x.InvoiceId,
            Asked = it.Paid is { } paid ? paid + x.Amount : x.Amount,
        },
        PaymentSucceeded x => it.With(e, x.PaymentId, x.Amount, counts: !x.Late, x.ToldBy) with { Freelancer = x.Freelancer },
        PaymentAttemptFailed x => it.With(e, x.PaymentId, null, counts: false, x.ToldBy),
        PurchaseFulfilled x => it.With(e, $"{x.ProductVersion}", null) with { Freelancer = x.Freelancer, FulfilledAt = it.FulfilledAt ?? e.Timestamp },
        PurchaseRefunded x => it.With(e, x.RefundId, x.Amount, toldBy: x.ToldBy) with { Refunded = it.Refunded is { } before ? before + x.Amount : x.Amount },
        PurchaseDisputed x => it.With(e, x.DisputeId, x.Amount, counts: x.Won is not true, x.ToldBy),
        CommissionEvent.ProductUploaded => it with { ProductAt = it.ProductAt ?? e.Timestamp },
        CommissionEvent.LatePaymentHonoured x => it with
        {
            Asked = it.Asked is { } asked ? asked - x.Waived : null,
            Steps = [.. it.Steps.Select(step => step.Kind == "payment-succeeded" && x.PaymentIds.Contains(step.Reference) ? step with { Counts = true } : step)],
        },
        CommissionEvent.Withdrawn or CommissionEvent.Cancelled => it with { Ended = true },
        _ => it,
    };

    private static PurchaseTrack Judged(PurchaseTrack it, IEvent e)
    {
        var counted = it.Steps.Where(step => step is { Kind: "payment-succeeded", Counts: true }).Select(step => step.Amount!.Value).ToList();
        var paid = counted is [] ? (Money?)null : counted.Aggregate((sum, amount) => sum + amount);
        var all = it.Steps.Where(step => step.Kind == "payment-succeeded").Sum(step => step.Amount!.Value.Minor);
        var isPaid = paid is { } sum && it.Asked is { } asked && sum.Minor >= asked.Minor;
        var paidAt = isPaid ? it.PaidAt ?? e.Timestamp : it.PaidAt;

        // A dispute's last word counts.
        var disputed = it.Steps.Where(step => step.Kind == "purchase-disputed").GroupBy(step => step.Reference).Any(told => told.Last().Counts);
        var status = it switch
        {
            { Steps: [] } => PurchaseStatus.None,
            _ when disputed => PurchaseStatus.Disputed,
            { Refunded.IsPositive: true } when it.Refunded.Value.Minor >= all => PurchaseStatus.Refunded,
            { FulfilledAt: not null } => PurchaseStatus.Fulfilled,
            _ => isPaid ? PurchaseStatus.Paid : PurchaseStatus.Started,
        };
        var isWaiting = status == PurchaseStatus.Paid && it is { ProductAt: not null, Ended: false };
        return it with
        {
            Status = status,
            Paid = paid,
            PaidAt = paidAt,
            WaitingSince = isWaiting ? paidAt > it.ProductAt ? paidAt : it.ProductAt : null,
        };
    }

    internal static string KindOf(IEvent e) => e.EventTypeName.StartsWith(Prefix, StringComparison.Ordinal) ? e.EventTypeName[Prefix.Length..] : e.EventTypeName;
}

/// <summary>The tracking page's questions.</summary>
public static class PurchaseQueries
{
    private static readonly DateTimeOffset Ever = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Never = new(9000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Purchases, newest first.</summary>
    /// <param name="from">First heard of at this time or later.</param>
    /// <param name="to">First heard of before this time.</param>
    /// <param name="after">The id of the last line of the page before; null for the first page.</param>
    public static Task<IReadOnlyList<PurchaseTrack>> Purchases(
        this IQuerySession session, PurchaseStatus? status, string? freelancer, DateTimeOffset? from, DateTimeOffset? to, string? after, int limit, CancellationToken cancel) =>
        session.QueryAsync<PurchaseTrack>(
            "where status <> 'None' and (? = '' or status = ?) and (? = '' or freelancer = ?) and began >= ? and began < ? and (? = '' or id < ?) order by id desc limit ?",
            cancel,
            status?.ToString() ?? "",
            status?.ToString() ?? "",
            freelancer ?? "",
            freelancer ?? "",
            from ?? Ever,
            to ?? Never,
            after ?? "",
            after ?? "",
            limit);

    /// <summary>What is paid and has a product, but was not given since before a time; the longest waiting first.</summary>
    public static Task<IReadOnlyList<PurchaseTrack>> PurchasesWaitingSince(this IQuerySession session, DateTimeOffset before, int limit, CancellationToken cancel) =>
        session.QueryAsync<PurchaseTrack>("where waiting_since < ? order by waiting_since limit ?", cancel, before, limit);

    internal static PurchaseTrack With(this PurchaseTrack it, IEvent e, string reference, Money? amount, bool counts = true, string? toldBy = null) =>
        it with { Steps = [.. it.Steps, new PurchaseStep(e.Timestamp, PurchaseProjection.KindOf(e), reference, amount, counts, toldBy)] };
}
