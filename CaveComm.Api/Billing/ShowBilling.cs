using System.Globalization;
using System.Text;
using System.Text.Json;
using CaveComm.Api.Http;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using CaveComm.Projections.Commissions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Billing;

/// <param name="From">The first day (UTC).</param>
/// <param name="To">The last day (UTC).</param>
/// <param name="Totals">Of the whole time, one entry for each currency.</param>
/// <param name="Items">The movements, oldest first.</param>
public sealed record BillingModel(DateOnly From, DateOnly To, IReadOnlyList<BillingTotals> Totals, IReadOnlyList<BillingLine> Items, string? Next);

/// <param name="Reference">The provider's invoice, payment or payout.</param>
public sealed record BillingLine(DateTimeOffset At, Guid RequestId, BillingKind Kind, string Reference, Money Amount);

/// <summary>A freelancer's money over some time: as a page, as JSON, as CSV.</summary>
internal static class ShowBilling
{
    private const string Csv = "text/csv";

    // What one answer holds in memory; a longer time is asked for in pieces.
    private const int MostDays = 366;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/freelancer/{freelancer}/billing", Handle).WithName(nameof(ShowBilling)).RequireFreelancer(Scope.ReadBilling).Produces<BillingModel>();

        // A link cannot say what it accepts.
        routes.MapGet(
            "/freelancer/{freelancer}/billing.csv",
            (string freelancer, string? from, string? to, HttpContext http, IDocumentStore store, IViewFreshness views, TimeProvider clock, CancellationToken cancel) =>
            {
                http.Request.Headers.Accept = Csv;
                return Handle(freelancer, from, to, http, store, views, clock, cancel);
            }).RequireFreelancer(Scope.ReadBilling).ExcludeFromDescription();
    }

    private static async Task<IResult> Handle(
        string freelancer, string? from, string? to, HttpContext http, IDocumentStore store, IViewFreshness views, TimeProvider clock, CancellationToken cancel)
    {
        var faults = new Faults();
        var page = http.ReadPage(faults);
        var last = Day(to, "to", faults) ?? DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        var first = Day(from, "from", faults) ?? new DateOnly(last.Year, last.Month, 1);
        if (first > last)
        {
            faults.Add("from", "must not be after to.");
        }
        else if (last.DayNumber - first.DayNumber >= MostDays)
        {
            faults.Add("from", $"must be within {MostDays} days of to.");
        }

        var after = 0L;
        if (page.After is [var cursor] && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out after))
        {
            faults.Add("after", "must be the next of an earlier page.");
        }

        if (!faults.IsEmpty)
        {
            return faults.ToProblem();
        }

        await http.AwaitView<BillingDay>(views, cancel);
        await using var session = store.QuerySession();
        var rows = (await session.Billing(freelancer, first, last, cancel)).SelectMany(day => day.Rows).ToList();
        if (http.BestOf("application/json", "text/html", Csv) == Csv)
        {
            return TypedResults.Text(AsCsv(rows), Csv, Encoding.UTF8);
        }

        // A payout and its fee are one event: a page ends behind both.
        var shown = rows.Where(row => row.Sequence > after).ToList();
        if (shown.Count > page.Limit)
        {
            var end = shown[page.Limit - 1].Sequence;
            shown = [.. shown.TakeWhile(row => row.Sequence <= end)];
        }

        var next = shown is [.., var bottom] && rows[^1].Sequence > bottom.Sequence ? Paging.Encode([bottom.Sequence.ToString(CultureInfo.InvariantCulture)]) : null;
        var model = new BillingModel(first, last, BillingTotals.Of(rows), [.. shown.Select(Line)], next);
        return http.Negotiate(model, it => new RazorComponentResult<BillingPage>(new { Model = it, Freelancer = freelancer }));
    }

    private static BillingLine Line(BillingRow row) => new(row.At, row.RequestId, row.Kind, row.Reference, row.Amount);

    private static DateOnly? Day(string? text, string field, Faults faults)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            return day;
        }

        faults.Add(field, "must be a day such as 2026-03-01.");
        return null;
    }

    // References come from the providers. Quotes hold them together, and the apostrophe keeps a spreadsheet from calculating with them.
    private static string AsCsv(IEnumerable<BillingRow> rows)
    {
        var text = new StringBuilder("at,requestId,kind,reference,amount,currency\r\n");
        foreach (var row in rows)
        {
            var reference = row.Reference is ['=' or '+' or '-' or '@' or '\t' or '\r', ..] ? $"'{row.Reference}" : row.Reference;
            text.Append(CultureInfo.InvariantCulture, $"{row.At.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'},{row.RequestId},{JsonNamingPolicy.CamelCase.ConvertName(row.Kind.ToString())},\"{reference.Replace("\"", "\"\"", StringComparison.Ordinal)}\",{row.Amount.ToDecimalString()},{row.Amount.Currency}\r\n");
        }

        return text.ToString();
    }
}
