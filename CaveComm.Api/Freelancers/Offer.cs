using CaveComm.Domain;
using CaveComm.Domain.Freelancers;

namespace CaveComm.Api.Freelancers;

/// <summary>A template on offer and whose it is.</summary>
public sealed record Offer(Freelancer Freelancer, Template Template);

internal static class Offers
{
    /// <summary>A template on offer, folded live; null when there is none.</summary>
    public static async Task<Offer?> Offer(this IQuerySession session, string handle, string templateName, CancellationToken cancel) =>
        await session.Shop(handle, cancel) is { } shop && shop.Templates.TryGetValue(templateName, out var template) ? new Offer(shop, template) : null;

    /// <summary>A freelancer's shop, folded live; null when there is none.</summary>
    public static Task<Freelancer?> Shop(this IQuerySession session, string handle, CancellationToken cancel) =>
        session.Events.AggregateStreamAsync<Freelancer>(StreamKey.Freelancer(handle), token: cancel);
}
