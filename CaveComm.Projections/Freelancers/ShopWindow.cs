using CaveComm.Domain.Freelancers;

namespace CaveComm.Projections.Freelancers;

/// <summary>A freelancer on the front page.</summary>
/// <param name="Id">The stream's key.</param>
public sealed record ShopWindow(string Id, Freelancer State, string Handle, bool IsOpen);

public sealed class ShopWindowProjection : SingleStreamProjection<ShopWindow, string>
{
    public ShopWindowProjection()
    {
        Version = 3;
        IncludeType<FreelancerEvent>();
    }

    public override ShopWindow? Evolve(ShopWindow? snapshot, string id, IEvent e)
    {
        if (e.Data is not FreelancerEvent happened)
        {
            return snapshot;
        }

        var state = Freelancer.Evolve(snapshot?.State ?? Freelancer.Initial, happened);
        return new ShopWindow(id, state, state.Handle, state.IsOpen);
    }
}

/// <summary>The front page's questions.</summary>
public static class ShopWindowQueries
{
    /// <summary>Freelancers who are open, by handle.</summary>
    /// <param name="after">The handle that ended the page before; null for the first page.</param>
    public static Task<IReadOnlyList<ShopWindow>> OpenShops(this IQuerySession session, string? after, int limit, CancellationToken cancel) =>
        session.QueryAsync<ShopWindow>("where is_open = true and handle > ? order by handle limit ?", cancel, after ?? "", limit);
}
