using CaveComm.Api.Audit;
using CaveComm.Api.Http;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Payments;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Purchases;

/// <summary>The tracking of purchases: provider's event, payment, purchase, fulfilment.</summary>
internal static class PurchaseEndpoints
{
    public const string Path = "/admin/purchases";

    public static IEnumerable<PurchaseStatus> Statuses { get; } = Enum.GetValues<PurchaseStatus>().Where(it => it != PurchaseStatus.None);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var purchases = routes.MapGroup(Path).RequireRole(Role.Admin);
        purchases.MapGet("", List).WithName("ListPurchases").Produces<Page<PurchaseSummary>>().ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        purchases.MapGet("/{id:guid}", Show).WithName("ShowPurchase").Produces<PurchaseDetail>().ProducesProblem(StatusCodes.Status404NotFound);
    }

    public static string AddressOf(Guid id) => $"{Path}/{id:D}";

    /// <summary>As JSON spells it.</summary>
    public static string NameOf(PurchaseStatus status) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(status.ToString());

    private static async Task<IResult> List(HttpContext http, IDocumentStore store, IViewFreshness views, CancellationToken cancel)
    {
        var faults = new Faults();
        var page = http.ReadPage(faults);
        var text = AuditQuery.Text(http, "status", faults);
        var status = Statuses.Where(it => NameOf(it) == text).Select(it => (PurchaseStatus?)it).FirstOrDefault();
        faults.Require(text is null || status is not null, "status", $"must be one of {string.Join(", ", Statuses.Select(NameOf))}.");
        var freelancer = AuditQuery.Text(http, "freelancer", faults);
        var from = AuditQuery.Instant(http, "from", faults);
        var to = AuditQuery.Instant(http, "to", faults);
        faults.Require(!(from > to), "to", "must not be before from.");
        if (!faults.IsEmpty)
        {
            return faults.ToProblem();
        }

        await http.AwaitView<PurchaseTrack>(views, cancel);
        await using var session = store.QuerySession();
        var rows = await session.Purchases(status, freelancer, from, to, page.After is [var after] ? after : null, page.Rows, cancel);
        var found = page.Cut(rows, it => [it.Id]);
        return http.Negotiate(
            new Page<PurchaseSummary>([.. found.Items.Select(PurchaseSummary.Of)], found.Next),
            it => new RazorComponentResult<PurchasesPage>(new { Model = it, Status = status, Freelancer = freelancer, From = from, To = to }));
    }

    private static async Task<IResult> Show(Guid id, HttpContext http, IDocumentStore store, IViewFreshness views, CancellationToken cancel)
    {
        await http.AwaitView<PurchaseTrack>(views, cancel);
        await using var session = store.QuerySession();
        if (await session.LoadAsync<PurchaseTrack>(StreamKey.Purchase(id), cancel) is not { Status: not PurchaseStatus.None } track)
        {
            return Problems.Missing();
        }

        var steps = track.Steps.Select(step => new TrackedStep(step.At, step.Kind, step.Reference, null, step.Amount, step.ToldBy)).ToList();
        foreach (var told in track.Steps.Select(step => step.ToldBy).OfType<string>().Distinct())
        {
            if (await session.Events.FetchStreamAsync(told, version: 1, token: cancel) is [{ Data: ProviderEvent.Received received } e, ..])
            {
                steps.Add(new TrackedStep(e.Timestamp, "provider-event", received.EventId, received.Type, null, null));
            }
        }

        // A step was recorded after what was told of it, so the order of the sort is the order of the story.
        return http.Negotiate(new PurchaseDetail(PurchaseSummary.Of(track), [.. steps.OrderBy(step => step.At)]), it => new RazorComponentResult<PurchasePage>(new { Model = it }));
    }
}
