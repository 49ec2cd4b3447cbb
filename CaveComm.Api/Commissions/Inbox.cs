using CaveComm.Api.Http;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Projections.Commissions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Commissions;

/// <param name="Status">The filter that is set; null for all.</param>
public sealed record InboxModel(string Freelancer, Page<InboxLine> Lines, string? Status);

/// <summary>F4: a freelancer's requests, newest first.</summary>
internal static class Inbox
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapGet("/freelancer/{freelancer}/inbox", Handle)
        .WithName(nameof(Inbox))
        .RequireFreelancer()
        .Produces<Page<InboxLine>>();

    private static async Task<IResult> Handle(
        string freelancer, string? status, HttpContext http, IDocumentStore store, IViewFreshness views, CancellationToken cancel)
    {
        var faults = new Faults();
        var page = http.ReadPage(faults);
        var filter = StatusText.Parse(status);
        if (!string.IsNullOrEmpty(status) && filter is null)
        {
            faults.Add("status", $"One of: {string.Join(", ", Enum.GetValues<CommissionStatus>().Where(s => s != CommissionStatus.None).Select(s => StatusText.Of(s)))}.");
        }

        if (!faults.IsEmpty)
        {
            return faults.ToProblem();
        }

        await http.AwaitView<InboxItem>(views, cancel);
        await using var session = store.QuerySession();
        var items = page.Cut(await session.Inbox(freelancer, filter, page.After is [var after] ? after : null, page.Rows, cancel), it => [it.Id]);
        var marks = await ReadMarks.Of(session, items.Items, cancel);
        var lines = new Page<InboxLine>([.. items.Items.Select(it => InboxLine.Of(it, marks.GetValueOrDefault(it.Id)))], items.Next);
        return http.Negotiate(lines, model => new RazorComponentResult<InboxPage>(new { Model = new InboxModel(freelancer, model, StatusText.Of(filter)) }));
    }
}

internal static class ReadMarks
{
    /// <summary>How far the freelancer has read each of these commissions, by stream key.</summary>
    public static async Task<Dictionary<string, long>> Of(IQuerySession session, IReadOnlyList<InboxItem> items, CancellationToken cancel)
    {
        if (items is [])
        {
            return [];
        }

        var marks = await session.QueryAsync<ReadMark>("where id = any(?)", cancel, (object)items.Select(it => it.Id).ToArray());
        return marks.ToDictionary(mark => mark.Id, mark => mark.Version, StringComparer.Ordinal);
    }
}
