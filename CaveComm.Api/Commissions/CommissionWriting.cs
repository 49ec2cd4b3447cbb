using CaveComm.Api.Composition;
using CaveComm.Api.Payments;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Papers;
using CaveComm.Domain.Payments;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Api.Commissions;

/// <summary>One commission, loaded to be written: decide as often as needed, then save the session. What follows is collected on the way.</summary>
public sealed class CommissionWriting
{
    private static readonly TimeSpan AlarmMemory = TimeSpan.FromDays(365);

    private readonly IDocumentSession session;
    private readonly IEventStream<Commission> stream;
    private readonly Guid id;
    private readonly List<DeliveryMessage<Alarm>> alarms = [];

    // By coin: what this commit changes of what the freelancer owes.
    private readonly Dictionary<string, long> owedChange = new(StringComparer.Ordinal);

    // What an invoice's paper says of the freelancer; known where an invoice may be recorded.
    private readonly BillingDetails? billing;

    private CommissionWriting(IDocumentSession session, Guid id, IEventStream<Commission> stream, BillingDetails? billing)
    {
        this.billing = billing;
        this.session = session;
        this.id = id;
        this.stream = stream;
        State = stream.Aggregate ?? Commission.Initial;
    }

    public Guid Id => id;

    /// <summary>The commission, with everything that was decided here.</summary>
    public Commission State { get; private set; }

    /// <summary>The version that was read; 0 when there is no such commission.</summary>
    public long StartingVersion => stream.StartingVersion ?? 0;

    /// <summary>The version after saving.</summary>
    public long Version => StartingVersion + stream.Events.Count;

    public IReadOnlyList<IEvent> Appended => stream.Events;

    public List<FollowUp> FollowUps { get; } = [];

    /// <summary>The stream of the provider's event that leads to what is decided here; null when there is none.</summary>
    public string? ToldBy { get; init; }

    /// <summary>Has a person look at something that does not fit. Once for each subject.</summary>
    public void RaiseAlarm(string subject, string reason) =>
        alarms.Add(new(new Alarm(id, reason), Deliver.Once($"alarm:{id}:{subject}", AlarmMemory)));

    public static Task<CommissionWriting> Open(IDocumentSession session, Guid id, CancellationToken cancel) => Open(session, id, toldBy: null, cancel);

    /// <inheritdoc cref="Open(IDocumentSession, Guid, CancellationToken)"/>
    /// <param name="toldBy">See <see cref="ToldBy"/>.</param>
    public static async Task<CommissionWriting> Open(IDocumentSession session, Guid id, string? toldBy, CancellationToken cancel)
    {
        var stream = await session.Events.FetchForWriting<Commission>(StreamKey.Commission(id), cancel);
        BillingDetails? billing = null;
        if (stream.Aggregate is { IsAccepted: true, IsFullyPaid: false, Invoice: null, Freelancer: var handle })
        {
            var shop = await session.Events.AggregateStreamAsync<Freelancer>(StreamKey.Freelancer(handle), token: cancel) ?? Freelancer.Initial;
            billing = shop.OnPapers(handle);
        }

        return new CommissionWriting(session, id, stream, billing) { ToldBy = toldBy };
    }

    public Decision<CommissionEvent> Decide(CommissionCommand command)
    {
        var decision = CommissionDecider.Decide(State, command);
        foreach (var happened in decision.Events)
        {
            var before = State;
            State = Commission.Evolve(before, happened);
            stream.AppendOne(happened);
            FollowUps.AddRange(WhatFollows.After(id, before, happened, State));
            FreeSlot(before, happened);
            KeepBalance(before, happened);
            GiveNumber(happened);
            TrackPurchase(before, happened);
        }

        return decision;
    }

    /// <summary>
    /// Has a person look when more comes back than is owed: a dispute is won, or a refund fails, after the money was taken back or held back from the
    /// freelancer, who has to have it again (docs/adr/0016).
    /// </summary>
    public async Task NoticeCredit(CancellationToken cancel)
    {
        foreach (var (coin, change) in owedChange.Where(it => it.Value < 0))
        {
            var owed = (await session.Events.AggregateStreamAsync<Balance>(StreamKey.Balance(State.Freelancer, coin), token: cancel))?.OwedMinor ?? 0;
            if (owed + change < 0)
            {
                var credit = new Money(-(owed + change), coin);
                RaiseAlarm($"{State.Freelancer}:{credit}", $"{credit} more came back from {State.Freelancer} than was owed.");
            }
        }
    }

    /// <summary>The follow-ups as what a handler returns.</summary>
    public OutgoingMessages Outgoing()
    {
        var messages = new OutgoingMessages();
        messages.AddRange(alarms);
        foreach (var next in FollowUps)
        {
            if (next.Delay is { } delay)
            {
                messages.Delay(next.Message, delay);
            }
            else
            {
                messages.Add(next.Message);
            }
        }

        return messages;
    }

    // A place is held while the work is open: requested, or accepted and not delivered.
    private void FreeSlot(Commission before, CommissionEvent happened)
    {
        var ends = happened is Declined or Withdrawn or Cancelled || (happened is Delivered && !before.IsDelivered)
            || (!before.IsDelivered && State.IsRefundedInFull && !before.IsRefundedInFull);
        if (ends && State.TemplateName is { } template)
        {
            session.Events.Append(StreamKey.Slots(State.Freelancer, template), new SlotEvent.SlotFreed(id));
        }
    }

    // What goes back after a payout is owed by the freelancer, from the same commit on.
    private void KeepBalance(Commission before, CommissionEvent happened)
    {
        foreach (var change in CommissionBalance.After(id, before, happened))
        {
            session.Events.Append(StreamKey.Balance(State.Freelancer, change.Amount.Currency), change);
            owedChange[change.Amount.Currency] = owedChange.GetValueOrDefault(change.Amount.Currency) + (change switch
            {
                BalanceEvent.Owed or BalanceEvent.Released => change.Amount.Minor,
                _ => -change.Amount.Minor,
            });
        }
    }

    // The number is the version that the row gives under its lock, in this commit: nobody shares it, and what is not committed leaves no gap.
    private void GiveNumber(CommissionEvent happened)
    {
        NumberEvent? numbered = happened switch
        {
            InvoiceIssued e => new NumberEvent.InvoiceNumbered(id, e.InvoiceId, billing ?? Freelancer.Initial.OnPapers(State.Freelancer)),
            Refunded e => new NumberEvent.CreditNumbered(id, e.RefundId, e.Amount),
            InvoiceCredited e => new NumberEvent.CreditNumbered(id, e.CreditId, e.Amount),
            _ => null,
        };
        if (numbered is not null)
        {
            session.Events.Append(StreamKey.Numbers(State.Freelancer), numbered);
        }
    }

    // What is paid for is tracked from the same commit on, so exactly once.
    private void TrackPurchase(Commission before, CommissionEvent happened)
    {
        if (CommissionPurchase.After(id, before, happened, ToldBy) is { } tracked)
        {
            session.Events.Append(StreamKey.Purchase(id), tracked);
        }
    }
}
