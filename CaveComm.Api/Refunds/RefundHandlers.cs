using CaveComm.Api.Commissions;
using CaveComm.Api.Payments;
using CaveComm.Api.Recurring;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;

namespace CaveComm.Api.Refunds;

/// <summary>The provider is told to send a recorded refund.</summary>
public static class SendRefundHandler
{
    public static async Task<OutgoingMessages> Handle(SendRefund asked, IDocumentSession session, IPaymentProviders providers, TimeProvider clock, CancellationToken cancel)
    {
        var commission = await CommissionWriting.Open(session, asked.Commission, cancel);
        if (RefundNews.Open(commission.State, asked.Number) is not { } refund)
        {
            return [];
        }

        // The same key until the outcome is known: an unknown one is asked about, never sent twice.
        var snapshot = await providers.Get(refund.Provider).RequestRefund(RefundNews.Order(asked.Commission, commission.State, refund), cancel);
        var round = snapshot.RefundId is { } refundId
            ? await Owners.Note(session, new RefundOwner(RefundOwner.Key(refund.Provider, refundId), asked.Commission, asked.Number), asked.Round, cancel)
            : 0;
        RefundNews.Note(session, asked.Commission, snapshot, clock.GetUtcNow());
        return RefundNews.Record(commission, asked.Commission, asked.Number, snapshot, round);
    }
}

/// <summary>A withdrawn offer is taken back at the provider. What was claimed in the same moment still arrives, and says so.</summary>
public static class WithdrawRefundHandler
{
    public static async Task<OutgoingMessages> Handle(WithdrawRefund asked, IDocumentSession session, IPaymentProviders providers, TimeProvider clock, CancellationToken cancel)
    {
        var commission = await CommissionWriting.Open(session, asked.Commission, cancel);
        if (RefundNews.Open(commission.State, asked.Number) is not { IsWithdrawn: true, RefundId: { } refundId } refund)
        {
            return [];
        }

        var provider = providers.Get(refund.Provider);
        await provider.WithdrawRefund(refundId, cancel);
        var snapshot = await provider.FetchRefund(RefundNews.Order(asked.Commission, commission.State, refund), refundId, cancel)
            ?? new RefundSnapshot(refundId, asked.Number, refund.PaymentId, refund.Amount, refund.Sent, RefundProgress.Pending);
        RefundNews.Note(session, asked.Commission, snapshot, clock.GetUtcNow());
        return RefundNews.Record(commission, asked.Commission, asked.Number, snapshot, CheckInvoice.OneOff);
    }
}

/// <summary>A refund that is on its way is asked about until it has arrived.</summary>
public static class CheckRefundHandler
{
    public static async Task<OutgoingMessages> Handle(CheckRefund asked, IDocumentSession session, IPaymentProviders providers, TimeProvider clock, CancellationToken cancel)
    {
        var commission = await CommissionWriting.Open(session, asked.Commission, cancel);
        if (RefundNews.Open(commission.State, asked.Number) is not { } refund)
        {
            return [];
        }

        var order = RefundNews.Order(asked.Commission, commission.State, refund);
        var snapshot = await providers.Get(refund.Provider).FetchRefund(order, asked.RefundId, cancel)
            ?? new RefundSnapshot(asked.RefundId, asked.Number, refund.PaymentId, refund.Amount, refund.Sent, RefundProgress.Pending);
        RefundNews.Note(session, asked.Commission, snapshot, clock.GetUtcNow());
        return RefundNews.Record(commission, asked.Commission, asked.Number, snapshot, asked.Round < 0 ? CheckInvoice.OneOff : asked.Round + 1);
    }
}

/// <summary>Brings what a provider says of a refund to the decider.</summary>
internal static class RefundNews
{
    public static KnownRefund? Open(Commission it, int number) =>
        it.Refunds.FirstOrDefault(refund => refund.Number == number && refund is { Standing: RefundStanding.Requested, Provider: not PaymentProviders.Manual });

    public static RefundOrder Order(Guid id, Commission it, KnownRefund refund) => new(
        $"{StreamKey.Commission(id)}/refund/{refund.Number}",
        id,
        refund.Number!.Value,
        refund.PaymentId,
        it.Payments.First(payment => payment.PaymentId == refund.PaymentId).Charge,
        refund.Amount,
        it.CoinsOf(refund));

    /// <summary>The schedule is at it, so the walk over all commissions need not be.</summary>
    public static void Note(IDocumentSession session, Guid id, RefundSnapshot told, DateTimeOffset now)
    {
        if (told.Progress == RefundProgress.Pending)
        {
            ProviderCheck.Note(session, id, now);
        }
    }

    /// <param name="round">Which round of the schedule the next look is; below 0 none is planned.</param>
    public static OutgoingMessages Record(CommissionWriting commission, Guid id, int number, RefundSnapshot told, int round)
    {
        switch (told.Progress)
        {
            case RefundProgress.Sent:
                if (commission.Decide(new CommissionCommand.RecordRefund(number, told.RefundId!, told.PaymentId, told.Amount, told.Sent)).Refusal is { } refusal)
                {
                    commission.RaiseAlarm(told.RefundId!, refusal.Detail);
                }

                return commission.Outgoing();
            case RefundProgress.Failed:
                var isWithdrawn = Open(commission.State, number) is { IsWithdrawn: true };
                commission.Decide(new CommissionCommand.RecordRefundFailure(number, told.RefundId, isWithdrawn ? "The offer was withdrawn before anybody claimed it." : told.Reason ?? "The provider refused."));
                return commission.Outgoing();
            default:
                if (told.ClaimUrl is { } claim)
                {
                    commission.Decide(new CommissionCommand.RecordRefundOffer(number, told.RefundId!, claim.AbsoluteUri));
                }

                // An offer that is recorded just now plans its own first look.
                var messages = commission.Outgoing();
                if (round >= 0 && (commission.Appended.Count == 0 || told.ClaimUrl is null))
                {
                    messages.Delay(new CheckRefund(id, number, told.RefundId!, round), WhatFollows.CheckPause(round));
                }

                return messages;
        }
    }

    /// <summary>What an invoice's snapshot says of money that went back, was taken by a bank, or is no longer asked for.</summary>
    public static void RecordAll(CommissionWriting commission, InvoiceSnapshot invoice)
    {
        foreach (var credit in invoice.Credits)
        {
            commission.Decide(new CommissionCommand.RecordCredit(credit.CreditId, invoice.InvoiceId, credit.Amount));
        }

        foreach (var refund in invoice.Refunds.Where(it => it.RefundId is not null))
        {
            var decision = refund.Progress switch
            {
                RefundProgress.Sent => commission.Decide(new CommissionCommand.RecordRefund(refund.Number, refund.RefundId!, refund.PaymentId, refund.Amount, refund.Sent)),
                RefundProgress.Failed => commission.Decide(new CommissionCommand.RecordRefundFailure(refund.Number, refund.RefundId, refund.Reason ?? "failed")),
                _ => null,
            };
            Alarm(commission, refund.RefundId!, decision?.Refusal);
        }

        foreach (var dispute in invoice.Disputes)
        {
            Alarm(commission, dispute.DisputeId, commission.Decide(new CommissionCommand.RecordDispute(
                dispute.DisputeId, dispute.PaymentId, dispute.Amount, dispute.Reason, dispute.EvidenceDueAt, dispute.Won)).Refusal);
        }
    }

    private static void Alarm(CommissionWriting commission, string subject, Refusal? refusal)
    {
        if (refusal is not null)
        {
            commission.RaiseAlarm(subject, refusal.Detail);
        }
    }
}
