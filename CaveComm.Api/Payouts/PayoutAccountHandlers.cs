using CaveComm.Api.Commissions;
using CaveComm.Api.Http;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Payouts;

/// <summary>Ask the provider how an account that it made for a freelancer stands. Its webhook, the way back from its pages and every payout that waits come in here.</summary>
public sealed record CheckPayoutAccount(string Provider, string Account);

public static class CheckPayoutAccountHandler
{
    public static async Task<OutgoingMessages> Handle(CheckPayoutAccount asked, IDocumentSession session, IPaymentProviders providers, CancellationToken cancel)
    {
        if (providers.Get(asked.Provider) is not IPayoutAccounts accounts
            || await accounts.FetchAccount(asked.Account, cancel) is not { Freelancer: { Length: > 0 } handle } seen)
        {
            return [];
        }

        var stream = await session.Events.FetchForWriting<Freelancer>(StreamKey.Freelancer(handle), cancel);
        var decision = FreelancerDecider.Decide(
            stream.Aggregate ?? Freelancer.Initial, new FreelancerCommand.RecordPayoutAccount(asked.Provider, asked.Account, seen.IsReady, seen.Reason));
        stream.AppendMany(decision.Events);
        return decision.Events is [FreelancerEvent.PayoutAccountReady] ? [new RingWaitingPayouts(handle, asked.Provider)] : [];
    }
}

/// <summary>Payouts that waited for a destination can go.</summary>
public sealed record RingWaitingPayouts(string Freelancer, string Provider);

public static class RingWaitingPayoutsHandler
{
    public static async Task Handle(RingWaitingPayouts ring, IDocumentStore store, IMessageBus bus, IViewFreshness views, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        var shop = await session.Events.FetchStreamAsync(StreamKey.Freelancer(ring.Freelancer), token: cancel);
        if (shop is [.., var last])
        {
            await Ring(ring.Freelancer, ring.Provider, last.Sequence, session, bus, views, cancel);
        }
    }

    /// <param name="position">The inbox has to know what happened before this, or it would miss a payout that came to wait a moment ago.</param>
    /// <exception cref="TimeoutException">It does not yet: rung later, then.</exception>
    private static async Task Ring(string freelancer, string provider, long position, IQuerySession session, IMessageBus bus, IViewFreshness views, CancellationToken cancel)
    {
        if (!await views.WaitFor<InboxItem>(position, Position.Patience, cancel))
        {
            throw new TimeoutException($"The inbox has not come to event {position} yet.");
        }

        string? after = null;
        do
        {
            var delivered = await session.Inbox(freelancer, CommissionStatus.Delivered, after, Paging.MostItems, cancel);
            foreach (var waiting in delivered.Where(it => it.State.NeedsPayout && it.State.Provider == provider))
            {
                await bus.PublishAsync(new PayoutDue(StreamKey.CommissionId(waiting.Id), CheckInvoice.OneOff));
            }

            after = delivered.Count == Paging.MostItems ? delivered[^1].Id : null;
        }
        while (after is not null);
    }
}
