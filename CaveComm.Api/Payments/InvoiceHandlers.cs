using CaveComm.Api.Commissions;
using CaveComm.Api.Recurring;
using CaveComm.Api.Refunds;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Payments;

/// <summary>F10 and F17: the invoice is set up at the provider, and its id recorded.</summary>
public static class SetUpInvoiceHandler
{
    public static async Task<OutgoingMessages> Handle(
        SetUpInvoice asked, IDocumentSession session, IPaymentProviders providers, Links links, CancellationToken cancel)
    {
        var commission = await CommissionWriting.Open(session, asked.Commission, cancel);
        var attempt = asked.Attempt;
        if (!commission.State.MayHaveInvoice || commission.State.InvoiceAttempt != attempt)
        {
            return [];
        }

        // The key holds the attempt, so after a crash, a lost race or an unknown outcome the provider gives the same invoice again. Work that was
        // called off meanwhile gets it too: only an invoice that is known can be made unpayable, and that follows from recording it.
        var detail = (await session.Events.AggregateStreamAsync<CommissionDetail>(StreamKey.Commission(asked.Commission), token: cancel))!;
        if (detail.Customer.WasErased())
        {
            commission.Decide(new CommissionCommand.RecordInvoiceRefusal(attempt, "The customer's personal data was erased, so no invoice can be made out."));
            return commission.Outgoing();
        }

        var answer = await providers.Get(commission.State.Provider).SetUpInvoice(Order(detail, attempt, links), cancel);
        commission.Decide(answer switch
        {
            InvoiceSetUp.Issued it => new CommissionCommand.RecordInvoice(attempt, it.InvoiceId, it.Number, it.PayUrl.AbsoluteUri, it.DueAt),
            InvoiceSetUp.Refused it => new CommissionCommand.RecordInvoiceRefusal(attempt, it.Reason),
            _ => throw new System.Diagnostics.UnreachableException(),
        });
        return commission.Outgoing();
    }

    private static InvoiceOrder Order(CommissionDetail detail, int attempt, Links links) => new(
        $"{detail.Id}/invoice/{attempt}",
        detail.RequestId,
        detail.Customer.Id,
        detail.Customer.Name,
        detail.Customer.Email,
        detail.Title,
        detail.State.Missing,
        detail.State.PaymentTerms == PaymentTerms.UpFront ? "upfront" : "on_delivery",
        detail.Template!.DueDays,
        links.Returned(detail.RequestId));
}

/// <summary>F12: the provider mails its own invoice.</summary>
public static class SendInvoiceHandler
{
    public static async Task Handle(SendInvoice asked, IQuerySession session, IPaymentProviders providers, CancellationToken cancel)
    {
        var commission = await session.Events.AggregateStreamAsync<Commission>(StreamKey.Commission(asked.Commission), token: cancel);
        if (commission is { IsFullyPaid: false, IsCustomerErased: false, Invoice: { } invoice } && invoice.InvoiceId == asked.InvoiceId)
        {
            await providers.Get(invoice.Provider).SendInvoice($"{StreamKey.Commission(asked.Commission)}/send/{invoice.InvoiceId}", invoice.InvoiceId, cancel);
        }
    }
}

/// <summary>Work that was withdrawn or cancelled can no longer be paid.</summary>
public static class VoidInvoiceHandler
{
    public static async Task<OutgoingMessages> Handle(VoidInvoice asked, IDocumentSession session, IPaymentProviders providers, TimeProvider clock, CancellationToken cancel)
    {
        var commission = await CommissionWriting.Open(session, asked.Commission, cancel);
        if (commission.State.Invoice is not { } invoice || invoice.InvoiceId != asked.InvoiceId)
        {
            return [];
        }

        var provider = providers.Get(invoice.Provider);
        await provider.VoidInvoice($"{StreamKey.Commission(asked.Commission)}/void/{invoice.InvoiceId}", invoice.InvoiceId, cancel);
        await InvoiceNews.Record(commission, provider, invoice.InvoiceId, clock.GetUtcNow(), cancel);
        return commission.Outgoing();
    }
}

/// <summary>F11: payment is noticed. A hint is never believed: the invoice is fetched, and one decider judges.</summary>
public static class CheckInvoiceHandler
{
    // A webhook can be faster than our own note of the invoice that it speaks of.
    private static readonly TimeSpan WaitForOwnNote = TimeSpan.FromSeconds(2);
    private const int MostWaits = 5;

    public static async Task<OutgoingMessages> Handle(CheckInvoice asked, IDocumentSession session, IPaymentProviders providers, TimeProvider clock, CancellationToken cancel)
    {
        var commission = await CommissionWriting.Open(session, asked.Commission, asked.ToldBy, cancel);
        if (commission.State.Status == CommissionStatus.None)
        {
            return [];
        }

        var known = commission.State.Invoice?.InvoiceId == asked.InvoiceId;
        if (!known && commission.State.NeedsInvoice && asked.Round <= CheckInvoice.OneOff)
        {
            // A look that the schedule has planned is at an invoice of before, which has expired.
            var messages = new OutgoingMessages();
            if (asked.Round > CheckInvoice.OneOff - MostWaits)
            {
                messages.Delay(asked with { Round = asked.Round - 1 }, WaitForOwnNote);
            }

            return messages;
        }

        var open = await InvoiceNews.Record(commission, providers.Get(commission.State.Provider), asked.InvoiceId, clock.GetUtcNow(), cancel);
        if (open)
        {
            ProviderCheck.Note(session, asked.Commission, clock.GetUtcNow());
        }
        else
        {
            ProviderCheck.Forget(session, asked.Commission);
        }

        var outgoing = commission.Outgoing();
        if (open && asked.Round >= 0)
        {
            outgoing.Delay(asked with { Round = asked.Round + 1 }, WhatFollows.CheckPause(asked.Round + 1));
        }

        return outgoing;
    }
}

/// <summary>Brings what a provider says of an invoice to the decider.</summary>
internal static class InvoiceNews
{
    /// <returns>Whether the invoice may still change and has to be asked about again.</returns>
    public static async Task<bool> Record(CommissionWriting commission, IPaymentProvider provider, string invoiceId, DateTimeOffset now, CancellationToken cancel)
    {
        InvoiceSnapshot? invoice;
        try
        {
            invoice = await provider.FetchInvoice(invoiceId, cancel);
        }
        catch (ProviderFaultException fault)
        {
            // Asked about on the schedule, in case it is mended there; tried again at once, it would only say the same.
            commission.RaiseAlarm($"fault:{invoiceId}", $"What {provider.Name} says of invoice {invoiceId} cannot be true, so nothing of it was counted: {fault.Message}");
            return true;
        }

        if (invoice is null)
        {
            var isAwaited = commission.State is { IsFullyPaid: false, Ended: null } state && state.Invoice?.InvoiceId == invoiceId;
            if (isAwaited)
            {
                commission.RaiseAlarm(
                    $"unknown:{invoiceId}",
                    $"{provider.Name} knows no invoice {invoiceId}, on which the customer's payment is awaited. Was the account, store or key changed? If it is gone, a new invoice is needed.");
            }

            return isAwaited;
        }

        // An event names both, and a hint is never believed: only the invoice itself says whose it is.
        if (invoice.Commission is { } owner ? owner != commission.Id : commission.State.Invoice?.InvoiceId != invoiceId)
        {
            commission.RaiseAlarm(
                invoiceId,
                $"{provider.Name} told of invoice {invoiceId}, which was made for {(invoice.Commission is { } other ? $"commission {other}" : "no commission")}. Nothing of it was counted here.");
            return false;
        }

        foreach (var payment in NoLongerLate(commission.State, invoice).Concat(WithoutRounding(commission.State, invoice)))
        {
            var decision = commission.Decide(new CommissionCommand.RecordPayment(
                invoiceId, payment.PaymentId, payment.Amount, payment.Received, payment.At, payment.Late, payment.Charge, payment.Fee));
            if (decision.Refusal is { } refusal)
            {
                commission.RaiseAlarm(payment.PaymentId, refusal.Detail);
            }
        }

        RefundNews.RecordAll(commission, invoice);
        await commission.NoticeCredit(cancel);
        if (invoice.Standing == InvoiceStanding.Paid && !commission.State.IsFullyPaid)
        {
            commission.RaiseAlarm(invoiceId, $"Invoice {invoiceId} is paid at {provider.Name}, but {commission.State.Missing} of it did not come in as payments.");
            return true;
        }

        switch (invoice.Standing)
        {
            case InvoiceStanding.Expired:
                commission.Decide(new CommissionCommand.RecordInvoiceExpiry(invoiceId));

                // Bitcoin is sent to whoever has the address. Its webhook can be lost like any other.
                return invoice.WatchedUntil > now;
            case InvoiceStanding.Voided or InvoiceStanding.Invalid:
                commission.Decide(new CommissionCommand.RecordInvoiceVoid(invoiceId));

                // What was invalid can be settled later, by whoever looks after the store, and its webhook can be lost as well.
                return invoice.Standing == InvoiceStanding.Invalid && invoice.WatchedUntil > now;
            case InvoiceStanding.Processing:
                commission.Decide(new CommissionCommand.RecordPaymentSeen(invoiceId));
                return true;
            case InvoiceStanding.Open:
                commission.Decide(new CommissionCommand.RecordNothingSeen(invoiceId));
                return true;
            default:
                return false;
        }
    }

    private static List<SettledPayment> NoLongerLate(Commission state, InvoiceSnapshot invoice) =>
        [.. invoice.Payments.Where(payment => !payment.Late && state.Payments.Any(known => known.PaymentId == payment.PaymentId && !known.Counts))];

    // Each payment is rounded for itself, so of an invoice that is paid the sum can be a minor unit off. The difference goes to a payment that is
    // not recorded yet: what was told of the others stands.
    private static List<SettledPayment> WithoutRounding(Commission state, InvoiceSnapshot invoice)
    {
        var fresh = invoice.Payments.Where(payment => !state.PaymentIds.Contains(payment.PaymentId)).ToList();
        if (invoice.Standing != InvoiceStanding.Paid || fresh is [] || fresh.Exists(payment => payment.Amount.Currency != state.Price.Currency))
        {
            return fresh;
        }

        var off = state.Price.Minor - state.Waived.Minor - state.Received.Minor - fresh.Sum(payment => payment.Amount.Minor);
        if (off > 0 && off <= invoice.Payments.Count)
        {
            fresh[^1] = fresh[^1] with { Amount = fresh[^1].Amount + new Money(off, state.Price.Currency) };
        }

        return fresh;
    }
}
