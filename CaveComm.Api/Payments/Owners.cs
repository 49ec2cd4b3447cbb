using CaveComm.Api.Commissions;

namespace CaveComm.Api.Payments;

/// <summary>Says which commission something at a provider belongs to: its webhooks do not.</summary>
public interface IOwner
{
    string Id { get; }
}

/// <summary>Which commission a provider's payout belongs to: webhooks name the payout only.</summary>
/// <param name="Id">See <see cref="Key"/>.</param>
public sealed record PayoutOwner(string Id, Guid Commission, int Attempt) : IOwner
{
    public static string Key(string provider, string payoutId) => $"{provider}:{payoutId}";
}

/// <summary>Which refund a provider's pull payment is.</summary>
/// <param name="Id">See <see cref="Key"/>.</param>
public sealed record RefundOwner(string Id, Guid Commission, int Number) : IOwner
{
    public static string Key(string provider, string refundId) => $"{provider}:{refundId}";
}

internal static class Owners
{
    /// <summary>Notes whose it is. Whoever does so first begins the schedule, in the same commit.</summary>
    /// <param name="asked">The round in which the provider was asked.</param>
    /// <returns>The round of the schedule to go on with.</returns>
    public static async Task<int> Note<T>(IDocumentSession session, T owner, int asked, CancellationToken cancel)
        where T : class, IOwner
    {
        var isKnown = asked < 0 && await session.LoadAsync<T>(owner.Id, cancel) is not null;
        session.Store(owner);
        return isKnown ? CheckInvoice.OneOff : 0;
    }
}
