using CaveComm.Api.Commissions;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Recurring;

/// <summary>
/// Walks over all open commissions and takes up what nobody has asked the provider about for too long. Each open invoice and payout has a schedule of
/// its own (<see cref="WhatFollows.CheckPauses"/>); this stands behind it, so that no money depends on one message.
/// </summary>
internal sealed class Reconciliation : IRecurringWork
{
    public const string Series = "reconciliation";

    public string Name => Series;

    public TimeSpan Every => TimeSpan.FromHours(1);

    public Task<OutgoingMessages> Run(IDocumentSession session, DateTimeOffset now, CancellationToken cancel) => Page(session, "", now, cancel);

    /// <summary>The longest pause of the schedules is a day; a little more than that is too long.</summary>
    internal static readonly TimeSpan TooLong = TimeSpan.FromHours(26);

    /// <summary>A page of the walk, by the key of the inbox.</summary>
    internal const int PageSize = 100;

    /// <summary>However much is open, the providers are asked five times a second at most.</summary>
    private static readonly TimeSpan Spacing = TimeSpan.FromMilliseconds(200);

    internal static async Task<OutgoingMessages> Page(IDocumentSession session, string after, DateTimeOffset now, CancellationToken cancel)
    {
        var messages = new OutgoingMessages();
        var lines = await session.QueryAsync<InboxItem>(
            """
            where id > ? and (status in ('accepted', 'inProgress', 'awaitingPayment', 'delivered', 'disputed')
                or data -> 'state' -> 'refunds' @> '[{"standing":"Requested"}]'
                or (status in ('withdrawn', 'cancelled') and data -> 'state' ->> 'invoice' is not null))
            order by id limit ?
            """,
            cancel,
            after,
            PageSize);
        var asked = 0;
        foreach (var line in lines.Where(it => it.UpdatedAt < now - TooLong))
        {
            var id = StreamKey.CommissionId(line.Id);
            if (Lost(id, line.State) is { } message
                && (await session.LoadAsync<ProviderCheck>(line.Id, cancel) is not { } check || check.At < now - TooLong))
            {
                // Noted already: what fails again and again is taken up once a day, not every hour.
                ProviderCheck.Note(session, id, now);
                messages.Delay(message, Spacing * asked++);
            }
        }

        if (lines.Count == PageSize)
        {
            messages.Delay(new ReconcileFrom(lines[^1].Id), Spacing * (asked + 1));
        }

        return messages;
    }

    /// <summary>What would be under way now, had nothing been lost. Every one of these is harmless to ask twice.</summary>
    internal static object? Lost(Guid id, Commission it) => it switch
    {
        _ when it.Refunds.FirstOrDefault(refund => refund is { Standing: RefundStanding.Requested, IsWithdrawn: true }) is { Number: { } withdrawn } => new WithdrawRefund(id, withdrawn),

        // The same key as before: what was sent is found, and sent only if it never was.
        _ when it.Refunds.FirstOrDefault(refund => refund is { Standing: RefundStanding.Requested, Provider: not PaymentProviders.Manual }) is { Number: { } number } => new SendRefund(id, number),
        { Invoice: { } invoice } when it.Disputes.Any(dispute => dispute.Won is null) => new CheckInvoice(id, invoice.InvoiceId, CheckInvoice.OneOff),
        { IsPaidOut: false, Payout: { Provider: not PaymentProviders.Manual } payout } => new SendPayout(id, payout.Attempt),
        { NeedsPayout: true } => new PayoutDue(id, WhatFollows.CheckPauses.Count),
        { IsFullyPaid: false, Invoice: { } invoice, Ended: null } => new CheckInvoice(id, invoice.InvoiceId, WhatFollows.CheckPauses.Count),
        { IsFullyPaid: false, Invoice: { } invoice } => new VoidInvoice(id, invoice.InvoiceId),
        { NeedsInvoice: true } => new SetUpInvoice(id, it.InvoiceAttempt),
        _ => null,
    };
}

/// <summary>The walk goes on behind this line of the inbox.</summary>
public sealed record ReconcileFrom(string After) : IRecurringMessage
{
    public string Series => Reconciliation.Series;
}

public static class ReconcileFromHandler
{
    public static Task<OutgoingMessages> Handle(ReconcileFrom from, IDocumentSession session, TimeProvider clock, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(from);
        return Reconciliation.Page(session, from.After, clock.GetUtcNow(), cancel);
    }
}

/// <summary>When a provider was last asked about something open of a commission.</summary>
/// <param name="Id">The commission's stream.</param>
public sealed record ProviderCheck(string Id, DateTimeOffset At)
{
    public static void Note(IDocumentSession session, Guid commission, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(session);
        session.Store(new ProviderCheck(StreamKey.Commission(commission), now));
    }

    /// <summary>Nothing is open any more.</summary>
    public static void Forget(IDocumentSession session, Guid commission)
    {
        ArgumentNullException.ThrowIfNull(session);
        session.Delete<ProviderCheck>(StreamKey.Commission(commission));
    }
}
