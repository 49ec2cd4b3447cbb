using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Projections.Commissions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Commissions;

/// <summary>What the commission's page shows its freelancer.</summary>
/// <param name="Detail">The fold itself: questions with labels, what can be done next.</param>
/// <param name="DownloadUrl">The freelancer's own link to the product; null while there is none.</param>
public sealed record CommissionModel(string Freelancer, RequestDetail Request, CommissionDetail Detail, string? DownloadUrl);

/// <summary>F5: one request with its history. Folded live from its stream, so it is never stale.</summary>
internal static class ShowCommission
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/freelancer/{freelancer}/requests/{requestID:guid}", Handle)
            .WithName(nameof(ShowCommission))
            .RequireFreelancer()
            .Produces<RequestDetail>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        routes.MapPost("/freelancer/{freelancer}/requests/{requestID:guid}/read", MarkRead).WithName("MarkRead").RequireFreelancer().KeepsItsAnswer();
    }

    private static async Task<IResult> Handle(string freelancer, Guid requestID, HttpContext http, IDocumentStore store, Links links, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        if (await session.Detail(freelancer, requestID, cancel) is not { } detail)
        {
            return Problems.Missing();
        }

        if (http.HasVersion(detail.Version) && !http.WantsHtml())
        {
            http.SetETag(detail.Version);
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        }

        var read = (await session.LoadAsync<ReadMark>(detail.Id, cancel))?.Version ?? 0;
        http.SetETag(detail.Version);
        var download = detail.Files is [] ? null : links.Download(detail, DownloadRecipient.Freelancer).PathAndQuery;
        return http.Negotiate(
            RequestDetail.Of(detail, read), model => new RazorComponentResult<CommissionPage>(new { Model = new CommissionModel(freelancer, model, detail, download) }));
    }

    private static async Task<IResult> MarkRead(string freelancer, Guid requestID, HttpContext http, IDocumentStore store, IKeyedWrites keyed, CancellationToken cancel)
    {
        await using var session = store.LightweightSession();
        if (await session.Detail(freelancer, requestID, cancel) is not { } detail)
        {
            return Problems.Missing();
        }

        keyed.Enroll(session);
        session.Store(new ReadMark(detail.Id, detail.Version));
        await session.SaveChangesAsync(cancel);
        return http.Done(CommissionEndpoint.Page(freelancer, requestID), TypedResults.Json(RequestStatus.Of(requestID, detail.State), Json.Options));
    }
}
