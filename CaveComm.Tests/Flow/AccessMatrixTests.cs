using System.Text;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Who gets in where: <c>docs/access.md</c> says so for every route and every kind of caller, and here each cell is tried.</summary>
[Collection(nameof(AccessCallers))]
public sealed class AccessMatrixTests(AccessCallers callers)
{
    private static readonly IReadOnlyList<AccessRow> Rows = AccessRow.Read();

    [Fact]
    public void Every_route_has_one_row_and_every_row_a_route() =>
        string.Join('\n', Routes().Order(StringComparer.Ordinal)).ShouldBe(string.Join('\n', Rows.Select(it => it.Route).Order(StringComparer.Ordinal)));

    /// <remarks>Reading comes first, and what ends a session or forgets a person comes last: no cell spoils another.</remarks>
    [Fact]
    public async Task Every_cell_is_as_the_table_says()
    {
        var wrong = new StringBuilder();
        foreach (var row in Rows.OrderBy(it => it.Harm))
        {
            foreach (var caller in callers.All)
            {
                var expected = row.Cells[caller.Name];
                var found = await caller.Try(row);
                if (found != expected)
                {
                    wrong.AppendLine($"{row.Route}: {caller.Name} gets {found}, the table says {expected}");
                }
            }
        }

        wrong.ToString().ShouldBe("");
    }

    [Fact]
    public void The_table_has_a_column_for_each_caller() => AccessRow.Columns.ShouldBe(callers.All.Select(it => it.Name));

    private IEnumerable<string> Routes() => callers.Office.Services.GetServices<EndpointDataSource>().SelectMany(it => it.Endpoints).OfType<RouteEndpoint>()
        .SelectMany(it => (it.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Where(method => method is not "HEAD" and not "OPTIONS")
            .Select(method => $"{method} /{it.RoutePattern.RawText!.Trim('/')}"))
        .Distinct();
}

/// <summary>One line of the table.</summary>
/// <param name="Route">Method and pattern, as the router knows them.</param>
/// <param name="Cells">By caller: <c>yes</c>, or the status of the refusal.</param>
public sealed record AccessRow(string Route, IReadOnlyDictionary<string, string> Cells)
{
    private const string Heading = "| route |";

    /// <summary>After these something is gone: a template, a person's data, a key.</summary>
    private static readonly string[] Enders = ["DELETE ", "/retire", "/erase", "/remove", "/revoke", "/account/", "/oauth"];

    /// <summary>After these the caller is signed out. Signing out itself is open to everybody, and so comes after all.</summary>
    private static readonly string[] LastOfAll = ["/sessions/end-all", "/logout"];

    public static IReadOnlyList<string> Columns { get; } = Split(Lines().First(it => it.StartsWith(Heading, StringComparison.Ordinal)))[1..];

    public string Method => Route[..Route.IndexOf(' ', StringComparison.Ordinal)];

    public string Pattern => Route[(Method.Length + 1)..];

    /// <summary>How much a try can spoil for those after it.</summary>
    public int Harm => Array.FindIndex(LastOfAll, it => Route.Contains(it, StringComparison.Ordinal)) is var last and >= 0 ? 3 + last
        : Method == "GET" ? 0
        : Enders.Any(it => Route.Contains(it, StringComparison.Ordinal)) ? 2 : 1;

    public static IReadOnlyList<AccessRow> Read() =>
    [
        .. Lines().SkipWhile(it => !it.StartsWith(Heading, StringComparison.Ordinal)).Skip(2).TakeWhile(it => it.StartsWith('|')).Select(line =>
        {
            var cells = Split(line);
            return new AccessRow(cells[0].Trim('`'), Columns.Zip(cells[1..]).ToDictionary(it => it.First, it => it.Second, StringComparer.Ordinal));
        }),
    ];

    private static string[] Split(string line) => line.Trim('|').Split('|', StringSplitOptions.TrimEntries);

    private static IReadOnlyList<string> Lines()
    {
        using var document = new StreamReader(typeof(AccessRow).Assembly.GetManifestResourceStream("access.md")!);
        return document.ReadToEnd().Split('\n', StringSplitOptions.TrimEntries);
    }
}
