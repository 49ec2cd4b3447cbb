using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Projections.Commissions;

/// <summary>Everything the detail page, the status page and the mails say about one commission. Folded live from its stream, so never stale.</summary>
/// <param name="Id">The stream's key.</param>
/// <param name="State">What the decider knows; the status comes from here.</param>
public sealed record CommissionDetail(string Id, Commission State)
{
    public Guid RequestId => StreamKey.CommissionId(Id);

    /// <summary>The stream's version: the ETag.</summary>
    public long Version { get; init; }

    public Customer Customer { get; init; } = new(Guid.Empty, "", "");

    public TemplateSnapshot? Template { get; init; }

    public IReadOnlyDictionary<string, string> Answers { get; init; } = new Dictionary<string, string>();

    public DateTimeOffset RequestedAt { get; init; }

    public DateTimeOffset UpdatedAt { get; init; }

    public InvoiceDetail? Invoice { get; init; }

    public IReadOnlyList<PaymentDetail> Payments { get; init; } = [];

    /// <summary>The newest product's files.</summary>
    public IReadOnlyList<ProductFile> Files { get; init; } = [];

    public PayoutDetail? Payout { get; init; }

    public IReadOnlyList<RefundDetail> Refunds { get; init; } = [];

    public IReadOnlyList<DisputeDetail> Disputes { get; init; } = [];

    public string? EndReason { get; init; }

    public IReadOnlyList<HistoryLine> History { get; init; } = [];

    public string Title => Template?.Title ?? "";
}

/// <param name="Status"><c>open</c>, <c>processing</c> (a payment was seen and is not confirmed), <c>paid</c>, <c>expired</c> or <c>void</c>.</param>
public sealed record InvoiceDetail(string Provider, string Id, string? Number, string Status, Money Amount, string PayUrl, DateTimeOffset? DueAt);

public sealed record PaymentDetail(string Id, Money Amount, Money Received, DateTimeOffset At, bool Late);

/// <param name="Status"><c>requested</c>, <c>paid</c> or <c>failed</c>.</param>
/// <param name="HeldBack">For what had gone back after earlier payouts; null for nothing.</param>
public sealed record PayoutDetail(string Provider, string Status, Money Amount, Money Fee, string? Id, string? Reason, DateTimeOffset At, Money? HeldBack = null);

/// <param name="Number">Null for a refund that was made at the provider itself.</param>
/// <param name="Status"><c>requested</c>, <c>refunded</c> or <c>failed</c>.</param>
/// <param name="Reason">Why it was asked for, or why it failed.</param>
public sealed record RefundDetail(int? Number, string Provider, string PaymentId, string Status, Money Amount, string? Id, string? Reason, DateTimeOffset At)
{
    /// <summary>BTCPay: where the customer says which address the money shall go to.</summary>
    public string? ClaimUrl { get; init; }
}

/// <param name="Status"><c>open</c>, <c>won</c> or <c>lost</c>.</param>
/// <param name="EvidenceDueAt">Until when evidence can be handed in (UTC).</param>
public sealed record DisputeDetail(string Id, string PaymentId, string Status, Money Amount, string Reason, DateTimeOffset? EvidenceDueAt, DateTimeOffset At);

/// <summary>One line of a commission's story.</summary>
/// <param name="Type">The event's alias, such as <c>commission.payment-received</c>.</param>
/// <param name="Text">The same in plain words.</param>
public sealed record HistoryLine(long Version, string Type, DateTimeOffset At, string Text);

public sealed class CommissionDetailProjection : SingleStreamProjection<CommissionDetail, string>
{
    public override CommissionDetail? Evolve(CommissionDetail? snapshot, string id, IEvent e)
    {
        if (e.Data is not CommissionEvent happened)
        {
            return snapshot;
        }

        var before = snapshot ?? new CommissionDetail(id, Commission.Initial) { RequestedAt = e.Timestamp };
        var after = before with
        {
            State = Commission.Evolve(before.State, happened),
            Version = e.Version,
            UpdatedAt = e.Timestamp,
            History = [.. before.History, new HistoryLine(e.Version, e.EventTypeName, e.Timestamp, HistoryText.Of(happened))],
        };
        return happened switch
        {
            Requested x => after with { Customer = x.Customer, Template = x.Template, Answers = x.Answers },
            Declined x => after with { EndReason = x.Reason },
            Cancelled x => after with { EndReason = x.Reason },
            InvoiceIssued x => after with { Invoice = new(x.Provider, x.InvoiceId, x.Number, "open", x.Amount, x.PayUrl, x.DueAt) },
            InvoiceExpired => after with { Invoice = after.Invoice! with { Status = "expired" } },
            InvoiceVoided => after with { Invoice = after.Invoice! with { Status = "void" } },
            PaymentSeen => after with { Invoice = after.Invoice! with { Status = "processing" } },
            PaymentVanished => after with { Invoice = after.Invoice! with { Status = "open" } },
            PaymentReceived x => after with
            {
                Payments = [.. after.Payments, new PaymentDetail(x.PaymentId, x.Amount, x.Received, x.At, x.Late)],
                Invoice = after.Invoice is { } invoice && after.State.IsFullyPaid ? invoice with { Status = "paid" } : after.Invoice,
            },
            ProductUploaded x => after with { Files = x.Files },
            PayoutRequested x => after with { Payout = new(x.Provider, "requested", x.Amount, x.Fee, null, null, e.Timestamp, x.HeldBack) },
            PayoutFailed x => after with { Payout = after.Payout! with { Status = "failed", Reason = x.Reason, At = e.Timestamp } },
            PaidOut x => after with { Payout = after.Payout! with { Status = "paid", Id = x.PayoutId, At = e.Timestamp } },
            LatePaymentHonoured x => after with
            {
                Payments = [.. after.Payments.Select(payment => x.PaymentIds.Contains(payment.Id) ? payment with { Late = false } : payment)],
                Invoice = after.Invoice is { } honoured && after.State.IsFullyPaid ? honoured with { Status = "paid" } : after.Invoice,
            },
            InvoiceCredited => after with { Invoice = after.Invoice is { } credited && after.State.IsFullyPaid ? credited with { Status = "paid" } : after.Invoice },
            RefundRequested x => after with
            {
                Refunds = [.. after.Refunds, new RefundDetail(x.Number, x.Provider, x.PaymentId, "requested", x.Amount, null, x.Reason, e.Timestamp)],
            },
            RefundOffered x => after with
            {
                Refunds = [.. after.Refunds.Select(refund => refund.Number == x.Number ? refund with { Id = x.RefundId, ClaimUrl = x.ClaimUrl } : refund)],
            },
            RefundWithdrawn x => after with { Refunds = [.. after.Refunds.Select(refund => refund.Number == x.Number ? refund with { ClaimUrl = null } : refund)] },
            Refunded x => after with { Refunds = With(after, x, e.Timestamp) },
            RefundFailed x => after with
            {
                Refunds = [.. after.Refunds.Select(refund => IsSame(refund, x.Number, x.RefundId) ? refund with { Status = "failed", Reason = x.Reason, At = e.Timestamp } : refund)],
            },
            DisputeOpened x => after with { Disputes = [.. after.Disputes, new DisputeDetail(x.DisputeId, x.PaymentId, "open", x.Amount, x.Reason, x.EvidenceDueAt, e.Timestamp)] },
            DisputeClosed x => after with
            {
                Disputes = [.. after.Disputes.Select(dispute => dispute.Id == x.DisputeId ? dispute with { Status = x.Won ? "won" : "lost", At = e.Timestamp } : dispute)],
            },
            CustomerErased => after with
            {
                Customer = after.Customer with { Name = Customer.Erased, Email = Customer.Erased },
                Answers = after.Answers.ToDictionary(answer => answer.Key, _ => Customer.Erased),
            },
            _ => after,
        };
    }

    private static IReadOnlyList<RefundDetail> With(CommissionDetail it, Refunded x, DateTimeOffset at) => it.Refunds.Any(refund => IsSame(refund, x.Number, x.RefundId))
        ? [.. it.Refunds.Select(refund => IsSame(refund, x.Number, x.RefundId) ? refund with { Status = "refunded", Amount = x.Amount, Id = x.RefundId, At = at } : refund)]
        : [.. it.Refunds, new RefundDetail(x.Number, it.State.Provider, x.PaymentId, "refunded", x.Amount, x.RefundId, null, at)];

    private static bool IsSame(RefundDetail refund, int? number, string? refundId) =>
        (number is not null && refund.Number == number) || (number is null && refundId is not null && refund.Id == refundId);
}
