using CaveComm.Api.Http.Idempotency;
using CaveComm.Domain;
using CaveComm.Domain.Freelancers;

namespace CaveComm.Api.Freelancers;

/// <summary>Carries out one command of a freelancer's shop.</summary>
public sealed class FreelancerHandling(IDocumentStore store, IKeyedWrites keyed)
{
    private const int MostAttempts = 10;

    /// <summary>The shop as it stands; an empty one when there is none.</summary>
    public async Task<Freelancer> Find(string handle, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        return await session.Events.AggregateStreamAsync<Freelancer>(StreamKey.Freelancer(handle), token: cancel) ?? Freelancer.Initial;
    }

    /// <param name="tell">What else commits with a change, told the shop before and after it.</param>
    public async Task<ShopHandled> Handle(string handle, FreelancerCommand command, CancellationToken cancel, Func<IDocumentSession, Freelancer, Freelancer, Task>? tell = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var session = store.LightweightSession();
            session.LastModifiedBy = $"freelancer:{handle}";
            keyed.Enroll(session);
            var stream = await session.Events.FetchForWriting<Freelancer>(StreamKey.Freelancer(handle), cancel);
            var before = stream.Aggregate ?? Freelancer.Initial;
            var decision = FreelancerDecider.Decide(before, command);
            var after = decision.Events.Aggregate(before, Freelancer.Evolve);
            if (decision.Events is [])
            {
                return new ShopHandled(decision, before, after, null);
            }

            stream.AppendMany(decision.Events);
            await (tell?.Invoke(session, before, after) ?? Task.CompletedTask);
            try
            {
                await session.SaveChangesAsync(cancel);
                return new ShopHandled(decision, before, after, stream.Events.Max(e => e.Sequence));
            }
            catch (ConcurrencyException) when (attempt < MostAttempts)
            {
                // Somebody else was first: load and decide again.
            }
        }
    }
}

/// <param name="Position">The last event's place in the log; null when nothing was written.</param>
public sealed record ShopHandled(Decision<FreelancerEvent> Decision, Freelancer Before, Freelancer After, long? Position);
