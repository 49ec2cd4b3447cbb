using CaveComm.Api.Http;
using CaveComm.Domain;
using CaveComm.Projections.Freelancers;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Freelancers;

/// <summary>A freelancer on the front page.</summary>
public sealed record ShopJson(string Handle, string DisplayName, string? About, IReadOnlyList<ShopTemplate> Templates)
{
    public static ShopJson Of(ShopWindow it) => new(
        it.State.Handle, it.State.DisplayName, it.State.About, [.. it.State.Templates.Values.Select(t => new ShopTemplate(t.Name, t.Title, t.Price, $"/customer/{it.Handle}/template/{t.Name}"))]);
}

public sealed record ShopTemplate(string Name, string Title, Money Price, string Url);

/// <summary>F1: freelancers who are open, with their templates.</summary>
internal static class FrontPage
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/", Handle).WithName(nameof(FrontPage)).Produces<Page<ShopJson>>();

    private static async Task<IResult> Handle(HttpContext http, IDocumentStore store, IViewFreshness views, CancellationToken cancel)
    {
        var faults = new Faults();
        var page = http.ReadPage(faults);
        if (!faults.IsEmpty)
        {
            return faults.ToProblem();
        }

        await http.AwaitView<ShopWindow>(views, cancel);
        await using var session = store.QuerySession();
        var shops = page.Cut(await session.OpenShops(page.After is [var after] ? after : null, page.Rows, cancel), it => [it.Handle]);
        return http.Negotiate(
            new Page<ShopJson>([.. shops.Items.Select(ShopJson.Of)], shops.Next), model => new RazorComponentResult<HomePage>(new { Model = model }));
    }
}
