using CaveComm.Api.Commissions;
using CaveComm.Api.Payouts;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Payments;

/// <summary>A provider told us something, and it is stored. It carries ids only; whatever counts is fetched.</summary>
public sealed record ProviderEventStored(
    string Provider, string EventId, string Type, Guid? Commission, string? InvoiceId, string? PaymentIntentId, string? PayoutId, Guid? Customer = null, string? PullPaymentId = null,
    string? PayoutAccount = null);

/// <summary>Finds out whom a provider's news concerns, and has that looked at (spec P4, P5, P8).</summary>
public static class ProviderEventStoredHandler
{
    public static async Task Handle(
        ProviderEventStored told, IDocumentSession session, IMessageBus bus, IPaymentProviders providers, IInvoiceLookup invoices, IPersonalData personal, CancellationToken cancel)
    {
        if (told.Customer is { } customer)
        {
            Assign(told, customer, session, personal);
        }

        if (told.PayoutAccount is { } account)
        {
            await bus.PublishAsync(new CheckPayoutAccount(told.Provider, account));
            return;
        }

        if (told.PullPaymentId is { } pullPayment)
        {
            // What a customer claims of a refund is a payout at the provider, which only the pull payment ties to its refund.
            if (await session.LoadAsync<RefundOwner>(RefundOwner.Key(told.Provider, pullPayment), cancel) is { } refund)
            {
                await Send(told, refund.Commission, [new CheckRefund(refund.Commission, refund.Number, pullPayment, CheckInvoice.OneOff)], session, bus, cancel);
            }

            return;
        }

        if (told is { Type: "transfer.reversed", Commission: { } reversed })
        {
            if (await session.Events.AggregateStreamAsync<Commission>(StreamKey.Commission(reversed), token: cancel) is { IsPaidOut: true, Payout: { } payout, PayoutId: { } paidOut })
            {
                await Send(told, reversed, [new CheckPayout(reversed, payout.Attempt, paidOut, CheckInvoice.OneOff)], session, bus, cancel);
            }

            return;
        }

        if (told.PayoutId is { } payoutId)
        {
            if (await session.LoadAsync<PayoutOwner>(PayoutOwner.Key(told.Provider, payoutId), cancel) is { } owner)
            {
                await Send(told, owner.Commission, [new CheckPayout(owner.Commission, owner.Attempt, payoutId, CheckInvoice.OneOff)], session, bus, cancel);
            }

            return;
        }

        var invoiceId = told.InvoiceId;
        if (invoiceId is null && told.PaymentIntentId is { } paymentIntent)
        {
            // An invoice with a subscription is a recurring payment (P6): its membership's billing hears of it, no commission does.
            var behind = await invoices.FindInvoice(paymentIntent, cancel);
            invoiceId = PurchaseKinds.Of(behind) == PurchaseKind.Once ? behind?.InvoiceId : null;
        }

        if (invoiceId is null)
        {
            return;
        }

        var commission = told.Commission ?? (await providers.Get(told.Provider).FetchInvoice(invoiceId, cancel))?.Commission;
        if (commission is { } id)
        {
            var toldBy = StreamKey.ProviderEvent(told.Provider, told.EventId);
            ICommissionMessage[] messages = told is { Type: "payment_intent.payment_failed", PaymentIntentId: { } failed }
                ? [new CheckInvoice(id, invoiceId, CheckInvoice.OneOff, toldBy), new PaymentAttemptFailed(id, failed, toldBy)]
                : [new CheckInvoice(id, invoiceId, CheckInvoice.OneOff, toldBy)];
            if (await session.Events.AggregateStreamAsync<CommissionDetail>(StreamKey.Commission(id), token: cancel) is { } detail)
            {
                Assign(told, detail.Customer.Id, session, personal);
            }

            await Send(told, id, messages, session, bus, cancel);
        }
    }

    // Whoever follows the commission shall find what came of the webhook in the commission's own trace.
    private static async Task Send(
        ProviderEventStored told, Guid commission, ICommissionMessage[] messages, IDocumentSession session, IMessageBus bus, CancellationToken cancel)
    {
        var trace = await CommissionTrace.Find(session, commission, cancel);
        using var rejoined = CommissionTrace.Rejoin($"{told.Provider} told {told.Type}", commission, trace);
        session.CorrelationId = trace?.ToString() ?? session.CorrelationId;
        foreach (var message in messages)
        {
            await bus.PublishAsync(message);
        }
    }

    // The body may name the customer, so it shall go with the customer. Whom it names was not known when it was stored.
    private static void Assign(ProviderEventStored told, Guid customer, IDocumentSession session, IPersonalData personal) =>
        personal.Assign(session, StreamKey.ProviderEvent(told.Provider, told.EventId), StreamKey.Customer(customer));
}

/// <summary>The customer tried to pay and could not.</summary>
public sealed record PaymentAttemptFailed(Guid Commission, string PaymentId, string? ToldBy = null) : ICommissionMessage;

public static class PaymentAttemptFailedHandler
{
    public static async Task<OutgoingMessages> Handle(PaymentAttemptFailed told, IDocumentSession session, CancellationToken cancel)
    {
        var commission = await CommissionWriting.Open(session, told.Commission, told.ToldBy, cancel);
        commission.Decide(new CommissionCommand.RecordPaymentFailure(told.PaymentId));
        return commission.Outgoing();
    }
}
