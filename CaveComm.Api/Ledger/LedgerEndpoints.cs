using System.Globalization;
using CaveComm.Api.Audit;
using CaveComm.Api.Http;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Ledger;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Ledger;

/// <summary>The ledger for administrators, and for auditors as a table for spreadsheets.</summary>
internal static class LedgerEndpoints
{
    public const string Path = "/admin/ledger";
    public const string Csv = "/audit/ledger.csv";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var ledger = routes.MapGroup(Path).RequireRole(Role.Admin);
        ledger.MapGet("", Show).WithName("ShowLedger").Produces<LedgerModel>().ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        ledger.MapGet("/entries", List).WithName("ListLedgerEntries").Produces<Page<LedgerLine>>().ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        routes.MapGet(Csv, Export).RequireRole(Role.Auditor, Role.Admin).WithName("ExportLedger")
            .Produces(StatusCodes.Status200OK, contentType: LedgerCsv.MediaType).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    /// <summary>Where the lines stand behind a sum.</summary>
    public static string Entries(string? freelancer, LedgerSum? sum = null) => Path + "/entries" + QueryString.Create(
        new (string Name, string? Value)[] { ("freelancer", freelancer), ("account", sum is null ? null : NameOf(sum.Account)), ("currency", sum?.Balance.Currency) }
            .Where(it => it.Value is not null).Select(it => KeyValuePair.Create(it.Name, it.Value)));

    /// <summary>As JSON spells it.</summary>
    public static string NameOf(LedgerAccount account) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(account.ToString());

    private static async Task<IResult> Show(HttpContext http, IDocumentStore store, IViewFreshness views, CancellationToken cancel)
    {
        var faults = new Faults();
        var freelancer = AuditQuery.Text(http, "freelancer", faults);
        if (!faults.IsEmpty)
        {
            return faults.ToProblem();
        }

        await http.AwaitView<LedgerBook>(views, cancel);
        await using var session = store.QuerySession();
        return http.Negotiate(
            await LedgerReading.Sum(session.LedgerBooks(freelancer, cancel)),
            it => new RazorComponentResult<LedgerPage>(new { Model = it, Freelancer = freelancer }));
    }

    private static async Task<IResult> List(HttpContext http, IDocumentStore store, IViewFreshness views, CancellationToken cancel)
    {
        var faults = new Faults();
        var page = http.ReadPage(faults, parts: 2);
        var freelancer = AuditQuery.Text(http, "freelancer", faults);
        var account = Account(AuditQuery.Text(http, "account", faults), faults);
        var currency = AuditQuery.Text(http, "currency", faults);
        (string Book, long Set)? after = null;
        if (page.After is [var book, var set])
        {
            if (long.TryParse(set, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
            {
                after = (book, sequence);
            }
            else
            {
                faults.Add("after", "must be the next of an earlier page.");
            }
        }

        if (!faults.IsEmpty)
        {
            return faults.ToProblem();
        }

        await http.AwaitView<LedgerBook>(views, cancel);
        await using var session = store.QuerySession();
        var lines = await LedgerReading.Lines(session.NewestLedgerBooks(freelancer, after?.Book, cancel), account, currency, after, page.Rows);
        var found = page.Cut(lines, it => [StreamKey.Commission(it.RequestId), it.Set.ToString(CultureInfo.InvariantCulture)]);
        return http.Negotiate(found, it => new RazorComponentResult<LedgerEntriesPage>(new { Model = it, Freelancer = freelancer, Account = account, Currency = currency }));
    }

    private static IResult Export(HttpContext http, IDocumentStore store)
    {
        var faults = new Faults();
        var freelancer = AuditQuery.Text(http, "freelancer", faults);
        return faults.IsEmpty ? new LedgerCsv(store, freelancer) : faults.ToProblem();
    }

    private static LedgerAccount? Account(string? text, Faults faults)
    {
        var known = Enum.GetValues<LedgerAccount>();
        var account = known.Where(it => NameOf(it) == text).Select(it => (LedgerAccount?)it).FirstOrDefault();
        faults.Require(text is null || account is not null, "account", $"must be one of {string.Join(", ", known.Select(NameOf))}.");
        return account;
    }
}
