using CaveComm.Api.Commissions;
using CaveComm.Api.Notifications;
using CaveComm.Api.Payments;
using CaveComm.Api.Recurring;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Payments;
using Microsoft.Extensions.Options;

namespace CaveComm.Api.Payouts;

/// <summary>F19: delivery of paid work starts the payout. It is recorded before the provider is called.</summary>
public static class PayoutDueHandler
{
    public static async Task<OutgoingMessages> Handle(PayoutDue due, IDocumentSession session, IOptions<CaveCommOptions> options, TimeProvider clock, CancellationToken cancel)
    {
        var commission = await CommissionWriting.Open(session, due.Commission, cancel);
        if (!commission.State.NeedsPayout)
        {
            return [];
        }

        var freelancer = await session.Events.AggregateStreamAsync<Freelancer>(StreamKey.Freelancer(commission.State.Freelancer), token: cancel);
        if (freelancer?.PaysOutTo(commission.State.Provider) is not { } destination)
        {
            // Setting a destination, or finishing it at the provider, rings this at once; the schedule is the safety net behind it.
            var messages = new OutgoingMessages();
            var unfinished = freelancer?.UnfinishedAccount(commission.State.Provider);
            if (due.Round == 0)
            {
                messages.Add(new MailFreelancer(due.Commission, unfinished is null ? FreelancerLetter.PayoutWithoutDestination : FreelancerLetter.PayoutAccountUnfinished));
            }

            if (unfinished is not null)
            {
                messages.Add(new CheckPayoutAccount(commission.State.Provider, unfinished.Id));
            }

            ProviderCheck.Note(session, due.Commission, clock.GetUtcNow());
            if (due.Round >= 0)
            {
                messages.Delay(due with { Round = due.Round + 1 }, WhatFollows.CheckPause(due.Round + 3));
            }

            return messages;
        }

        // Read for writing: of two payouts in one moment, only one can take what is owed off.
        var coin = (commission.State.Held ?? commission.State.Price).Currency;
        var balance = await session.Events.FetchForWriting<Balance>(StreamKey.Balance(commission.State.Freelancer, coin), cancel);
        var minor = balance.Aggregate?.OwedMinor ?? 0;
        var owed = new Money(Math.Max(0, minor), coin);
        if (minor < 0)
        {
            // More came back than was owed: the payout is not more for it, a person settles it (docs/adr/0016).
            var credit = new Money(-minor, coin);
            commission.RaiseAlarm($"{commission.State.Freelancer}:{credit}", $"{credit} more came back from {commission.State.Freelancer} than was owed.");
        }

        commission.Decide(new CommissionCommand.RequestPayout(
            destination.ByHand ? PaymentProviders.Manual : commission.State.Provider, destination.Address, options.Value.PlatformFeeBasisPoints, owed));
        return commission.Outgoing();
    }
}

/// <summary>F20: the provider is told to send the money.</summary>
public static class SendPayoutHandler
{
    public static async Task<OutgoingMessages> Handle(SendPayout asked, IDocumentSession session, IPaymentProviders providers, TimeProvider clock, CancellationToken cancel)
    {
        var commission = await CommissionWriting.Open(session, asked.Commission, cancel);
        if (commission.State is not { IsPaidOut: false, Payout: { } payout } || payout.Attempt != asked.Attempt)
        {
            return [];
        }

        // The same key until a definite refusal is recorded: an unknown outcome is asked about, never sent twice.
        var order = new PayoutOrder($"{StreamKey.Commission(asked.Commission)}/payout/{payout.Attempt}", asked.Commission, payout.Destination, payout.Amount, payout.Charge);
        var standing = await providers.Get(payout.Provider).RequestPayout(order, cancel);
        var round = standing.PayoutId is { } payoutId
            ? await Owners.Note(session, new PayoutOwner(PayoutOwner.Key(payout.Provider, payoutId), asked.Commission, payout.Attempt), asked.Round, cancel)
            : 0;
        PayoutNews.Note(session, asked.Commission, standing, clock.GetUtcNow());
        return PayoutNews.Record(commission, asked.Commission, payout.Attempt, standing, round);
    }
}

/// <summary>A payout that is on its way is asked about until it has arrived.</summary>
public static class CheckPayoutHandler
{
    public static async Task<OutgoingMessages> Handle(CheckPayout asked, IDocumentSession session, IPaymentProviders providers, TimeProvider clock, CancellationToken cancel)
    {
        var commission = await CommissionWriting.Open(session, asked.Commission, cancel);
        if (commission.State is not { Payout: { Provider: not PaymentProviders.Manual } payout } || payout.Attempt != asked.Attempt)
        {
            return [];
        }

        var standing = await providers.Get(payout.Provider).FetchPayout(asked.PayoutId, payout.Destination, cancel)
            ?? new PayoutSnapshot(asked.PayoutId, PayoutStanding.Pending, null);
        if (commission.State.IsPaidOut)
        {
            PayoutReversals.Record(commission, payout, standing);
            return commission.Outgoing();
        }

        PayoutNews.Note(session, asked.Commission, standing, clock.GetUtcNow());
        return PayoutNews.Record(commission, asked.Commission, asked.Attempt, standing, asked.Round);
    }
}

internal static class PayoutNews
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(2);

    public static void Note(IDocumentSession session, Guid id, PayoutSnapshot payout, DateTimeOffset now)
    {
        if (payout.Standing == PayoutStanding.Pending)
        {
            ProviderCheck.Note(session, id, now);
        }
        else
        {
            ProviderCheck.Forget(session, id);
        }
    }

    public static OutgoingMessages Record(CommissionWriting commission, Guid id, int attempt, PayoutSnapshot payout, int round)
    {
        switch (payout)
        {
            case { Standing: PayoutStanding.Refused }:
                commission.Decide(new CommissionCommand.RecordPayoutRefusal(attempt, payout.Reason ?? "The provider refused."));
                return commission.Outgoing();
            case { Standing: PayoutStanding.Paid, PayoutId: { } payoutId }:
                commission.Decide(new CommissionCommand.ConfirmPayout(attempt, payoutId));
                return commission.Outgoing();
            case { PayoutId: { } payoutId } when round >= 0:
                var messages = commission.Outgoing();
                messages.Delay(new CheckPayout(id, attempt, payoutId, round + 1), round == 0 ? FirstLook : WhatFollows.CheckPause(round - 1));
                return messages;
            default:
                return commission.Outgoing();
        }
    }
}
