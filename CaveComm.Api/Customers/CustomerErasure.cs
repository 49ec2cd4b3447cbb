using CaveComm.Api.Commissions;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Customers;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Customers;

/// <summary>Erases customers: destroys the key of what is sealed for them, then has every view forget what it shows of them.</summary>
/// <remarks>Every step may be done again, so whatever interrupts it, the message that goes with the key's end brings it to its own.</remarks>
public sealed class CustomerErasure
{
    private const int MostAttempts = 10;

    // The one who asks does the work at once; the message is for when that was interrupted.
    private static readonly TimeSpan Afterwards = TimeSpan.FromSeconds(5);

    private readonly IDocumentStore store;
    private readonly IPersonalData personal;
    private readonly IOutbox outbox;
    private readonly IViewFreshness views;
    private readonly CommissionHandling commissions;
    private readonly ErasureRegister register;
    private readonly IKeyedWrites keyed;

    internal CustomerErasure(
        IDocumentStore store, IPersonalData personal, IOutbox outbox, IViewFreshness views, CommissionHandling commissions, ErasureRegister register, IKeyedWrites keyed) =>
        (this.store, this.personal, this.outbox, this.views, this.commissions, this.register, this.keyed) = (store, personal, outbox, views, commissions, register, keyed);

    /// <summary>Erases a customer. When it returns, nobody can read the sealed data any more, and what may still be shown is being rewritten.</summary>
    /// <returns>Whether every view has forgotten too; null when there is no such customer.</returns>
    public async Task<bool?> Erase(Guid customer, string? reason, string actor, CancellationToken cancel)
    {
        if (await personal.Find(StreamKey.Customer(customer), cancel) is null)
        {
            return null;
        }

        // Remembered before it is done: what is written down and not done is done at the next start, what is done and not written down would come back with a backup.
        await register.Remember(customer, cancel);
        await DestroyKey(customer, reason, actor, cancel);
        return await Spread(customer, reason, actor, Position.Patience, cancel);
    }

    /// <summary>Erases again whom the register remembers and the database does not: it was put back from an older backup.</summary>
    /// <returns>How many were erased again. Their views follow when the product runs.</returns>
    public async Task<int> ReapplyRemembered(CancellationToken cancel)
    {
        var again = 0;
        foreach (var remembered in await register.All(cancel))
        {
            if (await personal.Find(StreamKey.Customer(remembered.Customer), cancel) is { ErasedAt: null })
            {
                await DestroyKey(remembered.Customer, $"Erased on {remembered.At:yyyy-MM-dd}; the database was put back from before that day.", "system", cancel);
                again++;
            }
        }

        return again;
    }

    /// <summary>Writes into the register whom this database knows as erased: to be called before it is replaced by another.</summary>
    public async Task RememberAll(CancellationToken cancel)
    {
        foreach (var erased in await personal.ErasedSubjects(StreamKey.Customer(null), cancel))
        {
            await register.Remember(StreamKey.CustomerId(erased.Subject), cancel);
        }
    }

    /// <summary>Records the erasure and has the commissions' views forget, once they have seen everything that could be shown.</summary>
    /// <returns>False when a view is behind or may still show the customer, or a commission could not be told; then it is to be tried again.</returns>
    internal async Task<bool> Spread(Guid customer, string? reason, string actor, TimeSpan patience, CancellationToken cancel)
    {
        // Nothing can be sealed for this customer any more, so this event stands behind all of the customer's in the log.
        var position = await Record(customer, reason, actor, cancel);
        if (!await views.WaitFor<InboxItem>(position, patience, cancel))
        {
            return false;
        }

        await using var session = store.QuerySession();
        var areAllTold = true;
        foreach (var line in await session.CommissionsOf(customer, cancel))
        {
            try
            {
                var handled = await commissions.Handle(StreamKey.CommissionId(line.Id), new CommissionCommand.ForgetCustomer(), actor, cancel);
                position = Math.Max(position, handled.Position ?? 0);
            }
            catch (Exception unfoldable) when (unfoldable is EventUnreadableException or UnknownEventTypeException)
            {
                areAllTold = false; // Its views are parked there too, so operators know. The others must not wait for it.
            }
        }

        // A view that is parked does not come to the event that tells it, wherever it is in the log.
        return await views.WaitFor<InboxItem>(position, patience, cancel) && await views.HaveForgotten(patience, cancel) && areAllTold;
    }

    private async Task DestroyKey(Guid customer, string? reason, string actor, CancellationToken cancel)
    {
        await using var session = store.LightweightSession();
        outbox.Enroll(session);
        keyed.Enroll(session);
        foreach (var record in await session.QueryAsync<CustomerRecord>("where customer_id = ?", cancel, customer))
        {
            session.Delete<CustomerRecord>(record.Id);
        }

        personal.Erase(session, StreamKey.Customer(customer));
        await outbox.PublishAsync(new SpreadErasure(customer, reason, actor), new DeliveryOptions { ScheduleDelay = Afterwards });
        await session.SaveChangesAsync(cancel);
    }

    /// <returns>The event's place in the log.</returns>
    private async Task<long> Record(Guid customer, string? reason, string actor, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var session = store.LightweightSession();
            session.LastModifiedBy = actor;
            var stream = await session.Events.FetchForWriting<KnownCustomer>(StreamKey.Customer(customer), cancel);
            var decision = (stream.Aggregate ?? KnownCustomer.Initial).Erase(reason);
            if (decision.Events is [])
            {
                return (await session.Events.FetchStreamAsync(StreamKey.Customer(customer), token: cancel))[^1].Sequence;
            }

            stream.AppendMany(decision.Events);
            try
            {
                await session.SaveChangesAsync(cancel);
                return stream.Events[^1].Sequence;
            }
            catch (ConcurrencyException) when (attempt < MostAttempts)
            {
                // Somebody else erases the same customer.
            }
        }
    }
}
