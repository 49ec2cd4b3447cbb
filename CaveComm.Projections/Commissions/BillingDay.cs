using CaveComm.Domain;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Projections.Commissions;

/// <summary>What moved for one freelancer on one day, over all commissions: small enough to be written with each event, however long the history is.</summary>
/// <param name="Id"><c>{handle}/{yyyy-MM-dd}</c>.</param>
/// <param name="Day">The day (UTC) on which it was recorded.</param>
public sealed record BillingDay(string Id, string Freelancer, DateOnly Day, IReadOnlyList<BillingRow> Rows);

/// <summary>One movement.</summary>
/// <param name="Sequence">The event's place in the log, which orders the rows.</param>
/// <param name="Reference">The provider's invoice, payment or payout.</param>
/// <param name="Amount">In the coin that moved: an invoice in its currency, a payment in Bitcoin in satoshi. Negative where an invoice is taken back.</param>
public sealed record BillingRow(long Sequence, DateTimeOffset At, Guid RequestId, BillingKind Kind, string Reference, Money Amount);

public enum BillingKind
{
    /// <summary>Asked for; taken back with a negative amount when the invoice expired, was voided or credited, or what is missing was waived.</summary>
    Invoiced,

    Received,

    /// <summary>Kept back by the platform.</summary>
    Fee,

    PaidOut,

    /// <summary>Gone back to customers; negative where a refund came back.</summary>
    Refunded,

    /// <summary>Taken by banks; negative where it was given back.</summary>
    Disputed,
}

/// <summary>Gathers the money of many commissions by freelancer and day.</summary>
public sealed class BillingProjection : MultiStreamProjection<BillingDay, string>
{
    /// <remarks>2: refunds and disputes are kinds of rows. 3: the table's mt_version is a number, so that Marten can write it.</remarks>
    public BillingProjection()
    {
        Version = 3;
        Identity<IEvent<InvoiceIssued>>(e => Key(e.Data.Freelancer, e));
        Identity<IEvent<InvoiceExpired>>(e => Key(e.Data.Freelancer, e));
        Identity<IEvent<InvoiceVoided>>(e => Key(e.Data.Freelancer, e));
        Identity<IEvent<PaymentReceived>>(e => Key(e.Data.Freelancer, e));
        Identity<IEvent<PaidOut>>(e => Key(e.Data.Freelancer, e));
        Identity<IEvent<PayoutReversed>>(e => Key(e.Data.Freelancer, e));
        Identity<IEvent<InvoiceCredited>>(e => Key(e.Data.Freelancer, e));
        Identity<IEvent<LatePaymentHonoured>>(e => Key(e.Data.Freelancer, e));
        Identity<IEvent<Refunded>>(e => Key(e.Data.Freelancer, e));
        Identity<IEvent<RefundFailed>>(e => Key(e.Data.Freelancer, e));
        Identity<IEvent<DisputeOpened>>(e => Key(e.Data.Freelancer, e));
        Identity<IEvent<DisputeClosed>>(e => Key(e.Data.Freelancer, e));
    }

    public override BillingDay? Evolve(BillingDay? snapshot, string id, IEvent e) => e.Data switch
    {
        InvoiceIssued x => Add(snapshot, id, x.Freelancer, e, Row(e, BillingKind.Invoiced, x.InvoiceId, x.Amount)),
        InvoiceExpired x => Add(snapshot, id, x.Freelancer, e, Row(e, BillingKind.Invoiced, x.InvoiceId, Money.Zero(x.Amount.Currency) - x.Amount)),
        InvoiceVoided x => Add(snapshot, id, x.Freelancer, e, Row(e, BillingKind.Invoiced, x.InvoiceId, Money.Zero(x.Amount.Currency) - x.Amount)),
        PaymentReceived x => Add(snapshot, id, x.Freelancer, e, Row(e, BillingKind.Received, x.PaymentId, x.Received)),
        PaidOut x when x.Fee.IsZero => Add(snapshot, id, x.Freelancer, e, Row(e, BillingKind.PaidOut, x.PayoutId, x.Amount)),
        PaidOut x => Add(snapshot, id, x.Freelancer, e, Row(e, BillingKind.PaidOut, x.PayoutId, x.Amount), Row(e, BillingKind.Fee, x.PayoutId, x.Fee)),
        PayoutReversed x => Add(snapshot, id, x.Freelancer, e, Row(e, BillingKind.PaidOut, x.ReversalId, Less(x.Amount))),
        InvoiceCredited x => Add(snapshot, id, x.Freelancer, e, Row(e, BillingKind.Invoiced, x.CreditId, Less(x.Amount))),
        LatePaymentHonoured { Waived.IsPositive: true } x => Add(snapshot, id, x.Freelancer, e, Row(e, BillingKind.Invoiced, "waived", Less(x.Waived))),
        Refunded { Sent.IsPositive: true } x => Add(snapshot, id, x.Freelancer, e, Row(e, BillingKind.Refunded, x.RefundId, x.Sent)),
        RefundFailed { Sent.IsPositive: true } x => Add(snapshot, id, x.Freelancer, e, Row(e, BillingKind.Refunded, x.RefundId ?? $"{x.Number}", Less(x.Sent))),
        DisputeOpened x => Add(snapshot, id, x.Freelancer, e, Row(e, BillingKind.Disputed, x.DisputeId, x.Amount)),
        DisputeClosed { Won: true } x => Add(snapshot, id, x.Freelancer, e, Row(e, BillingKind.Disputed, x.DisputeId, Less(x.Amount))),
        _ => snapshot,
    };

    private static Money Less(Money amount) => Money.Zero(amount.Currency) - amount;

    private static string Key(string freelancer, IEvent e) => $"{freelancer}/{DayOf(e):yyyy-MM-dd}";

    private static DateOnly DayOf(IEvent e) => DateOnly.FromDateTime(e.Timestamp.UtcDateTime);

    private static BillingRow Row(IEvent e, BillingKind kind, string reference, Money amount) =>
        new(e.Sequence, e.Timestamp, StreamKey.CommissionId(e.StreamKey!), kind, reference, amount);

    private static BillingDay Add(BillingDay? day, string id, string freelancer, IEvent e, params BillingRow[] rows) =>
        day is null ? new(id, freelancer, DayOf(e), rows) : day with { Rows = [.. day.Rows, .. rows] };
}

/// <summary>What the movements of some time come to, in one currency.</summary>
/// <param name="Balance">What came in and has neither gone back, nor been paid out or kept back. Negative when it is owed.</param>
public sealed record BillingTotals(Money Invoiced, Money Received, Money Fees, Money Refunded, Money Disputed, Money PaidOut, Money Balance)
{
    /// <summary>By currency, in the alphabet's order.</summary>
    public static IReadOnlyList<BillingTotals> Of(IEnumerable<BillingRow> rows) =>
        [.. rows.GroupBy(row => row.Amount.Currency).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => Of(group.Key, group))];

    private static BillingTotals Of(string currency, IEnumerable<BillingRow> rows)
    {
        var sums = rows.GroupBy(row => row.Kind).ToDictionary(group => group.Key, group => group.Aggregate(Money.Zero(currency), (sum, row) => sum + row.Amount));
        var (received, fees, paidOut) = (Sum(BillingKind.Received), Sum(BillingKind.Fee), Sum(BillingKind.PaidOut));
        var (refunded, disputed) = (Sum(BillingKind.Refunded), Sum(BillingKind.Disputed));
        return new(Sum(BillingKind.Invoiced), received, fees, refunded, disputed, paidOut, received - fees - refunded - disputed - paidOut);

        Money Sum(BillingKind kind) => sums.GetValueOrDefault(kind, Money.Zero(currency));
    }
}

/// <summary>The billing page's questions.</summary>
public static class BillingQueries
{
    /// <summary>The days of a freelancer on which money moved, the oldest first.</summary>
    public static Task<IReadOnlyList<BillingDay>> Billing(this IQuerySession session, string freelancer, DateOnly from, DateOnly to, CancellationToken cancel) =>
        session.QueryAsync<BillingDay>("where freelancer = ? and day between ? and ? order by day", cancel, freelancer, from, to);
}
