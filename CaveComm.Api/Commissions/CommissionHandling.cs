using CaveComm.Api.Http.Idempotency;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;

namespace CaveComm.Api.Commissions;

/// <summary>Carries one command out: load, decide, append, send what follows, all in one transaction.</summary>
public sealed class CommissionHandling(IDocumentStore store, IOutbox outbox, IKeyedWrites keyed)
{
    private const int MostAttempts = 25;

    /// <summary>Loses no race silently: when somebody else was first, it loads and decides again.</summary>
    /// <param name="actor">Who asks: recorded with each event.</param>
    /// <param name="allows">From <c>If-Match</c>: whether the caller's answer holds for this version; null for any.</param>
    /// <param name="alongside">More to write in the same transaction; a refusal stops everything.</param>
    public async Task<Handled> Handle(
        Guid id,
        CommissionCommand command,
        string actor,
        Predicate<long>? allows,
        Func<IDocumentSession, CancellationToken, Task<Refusal?>>? alongside,
        CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var session = store.LightweightSession();
            session.LastModifiedBy = actor;
            outbox.Enroll(session);
            keyed.Enroll(session);
            var commission = await CommissionWriting.Open(session, id, cancel);
            if (allows is not null && commission.StartingVersion > 0 && !allows(commission.StartingVersion))
            {
                return new Handled(Decision<CommissionEvent>.Nothing, commission, null, LostRace: true);
            }

            var decision = commission.Decide(command);
            if (decision.Events is [])
            {
                return new Handled(decision, commission, null);
            }

            if (alongside is not null && await alongside(session, cancel) is { } refusal)
            {
                return new Handled(refusal, commission, null);
            }

            foreach (var next in commission.FollowUps)
            {
                await outbox.PublishAsync(next.Message, next.Delay is { } delay ? new DeliveryOptions { ScheduleDelay = delay } : null);
            }

            try
            {
                await session.SaveChangesAsync(cancel);
                await CommissionTrace.Link(command.GetType().Name, session, id, cancel);
                return new Handled(decision, commission, commission.Appended.Max(e => e.Sequence));
            }
            catch (ConcurrencyException) when (attempt < MostAttempts)
            {
                // Somebody else was first: what they wrote may change the answer. Many who lost together shall not meet again at once.
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(4 * attempt)), cancel);
            }
        }
    }

    public Task<Handled> Handle(Guid id, CommissionCommand command, string actor, CancellationToken cancel) => Handle(id, command, actor, null, null, cancel);
}

/// <param name="Position">The last event's place in the log; null when nothing was written.</param>
/// <param name="LostRace">The caller's <c>If-Match</c> no longer held.</param>
public sealed record Handled(Decision<CommissionEvent> Decision, CommissionWriting Commission, long? Position, bool LostRace = false);
