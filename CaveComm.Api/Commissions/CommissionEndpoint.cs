using CaveComm.Api.Http;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Commissions;

/// <summary>What the endpoints of one commission share: ownership, <c>If-Match</c>, and how an act is answered.</summary>
internal static class CommissionEndpoint
{
    /// <summary>Carries out a freelancer's act and answers it: JSON with the new status, or back to the commission's page.</summary>
    public static async Task<IResult> Act(
        this HttpContext http, string freelancer, Guid requestId, CommissionCommand command, CommissionHandling handling, IDocumentStore store, CancellationToken cancel)
    {
        if (!await store.Owns(freelancer, requestId, cancel))
        {
            return Problems.Missing();
        }

        var handled = await handling.Handle(requestId, command, Actor(freelancer), http.IfMatch().Allows, null, cancel);
        return http.Answer(handled, () => http.Done(Page(freelancer, requestId), TypedResults.Json(RequestStatus.Of(requestId, handled.Commission.State), Json.Options)));
    }

    /// <summary>Turns what became of a command into an answer: refusal, lost race, or success with position and ETag.</summary>
    public static IResult Answer(this HttpContext http, Handled handled, Func<IResult> success)
    {
        if (handled.LostRace)
        {
            return http.VersionMismatch(handled.Commission.StartingVersion);
        }

        if (handled.Decision.Refusal is { } refusal)
        {
            return refusal.ToProblem();
        }

        if (handled.Position is { } position)
        {
            http.AnswerPosition(position);
        }

        http.SetETag(handled.Commission.Version);
        return success();
    }

    /// <summary>Whether the commission is this freelancer's; one that belongs to another is as good as none.</summary>
    public static async Task<bool> Owns(this IDocumentStore store, string freelancer, Guid requestId, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        return await session.Detail(freelancer, requestId, cancel) is not null;
    }

    /// <summary>A freelancer's commission, folded live; null when there is none or it belongs to another.</summary>
    public static async Task<CommissionDetail?> Detail(this IQuerySession session, string freelancer, Guid requestId, CancellationToken cancel) =>
        await session.Events.AggregateStreamAsync<CommissionDetail>(StreamKey.Commission(requestId), token: cancel) is { } detail && detail.State.Freelancer == freelancer
            ? detail
            : null;

    public static string Actor(string freelancer) => $"freelancer:{freelancer}";

    public static string Page(string freelancer, Guid requestId) => $"/freelancer/{freelancer}/requests/{requestId}";
}
