using System.Reflection;
using System.Text.RegularExpressions;
using Shouldly;

namespace CaveComm.Tests.Architecture;

/// <summary>Each arrow and box of the specification has a test, and <c>docs/traceability.md</c> says which.</summary>
public partial class TraceabilityTests
{
    private const string Planned = "planned";

    private static readonly IReadOnlyList<Row> Rows = Read();

    // Full names without the leading "CaveComm.Tests.", as the document writes them.
    private static readonly HashSet<string> Tests = [.. typeof(TraceabilityTests).Assembly.GetTypes()
        .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
        .Where(method => method.IsDefined(typeof(FactAttribute), inherit: true))
        .Select(method => $"{method.DeclaringType!.FullName!["CaveComm.Tests.".Length..]}.{method.Name}")];

    public static TheoryData<string> Flow => [.. Enumerable.Range(1, 20).Select(n => $"F{n}")];

    [Fact]
    public void Every_id_of_the_specification_is_listed_once_and_in_order() => Rows.Select(row => row.Id).ShouldBe(
        [.. Ids("F", 20), .. Ids("P", 11), .. Ids("M", 12), .. Ids("R", 13), .. Ids("E", 12), .. Ids("W", 7)]);

    [Theory]
    [MemberData(nameof(Flow))]
    public void Every_arrow_of_the_flowchart_has_a_test_named_after_it(string id)
    {
        Rows.Single(row => row.Id == id).Names.ShouldNotContain(Planned);
        Tests.ShouldContain(test => MethodName(test).StartsWith($"{id}_", StringComparison.Ordinal), $"No test is called {id}_….");
    }

    [Fact]
    public void Every_test_that_is_named_exists()
    {
        foreach (var row in Rows)
        {
            row.Names.Where(name => name != Planned && !Tests.Any(test => Fits(name, test))).ShouldBeEmpty($"{row.Id} names tests that are not there.");
        }
    }

    [Fact]
    public void Every_test_that_is_named_after_an_id_is_listed_there()
    {
        foreach (var test in Tests)
        {
            if (NamedAfterId().Match(MethodName(test)) is { Success: true } match && Rows.SingleOrDefault(row => row.Id == match.Groups[1].Value) is { } row)
            {
                row.Names.Any(name => Fits(name, test)).ShouldBeTrue($"{row.Id} does not list {test}.");
            }
        }
    }

    private static IEnumerable<string> Ids(string letter, int count) => Enumerable.Range(1, count).Select(n => $"{letter}{n}");

    private static string MethodName(string test) => test[(test.LastIndexOf('.') + 1)..];

    // "F3_*" stands for every test whose method begins so, "Messaging.RetryTests.*" for every test of that class; anything else is one test's whole name.
    private static bool Fits(string name, string test) => name.EndsWith('*')
        ? (name.Contains('.', StringComparison.Ordinal) ? test : MethodName(test)).StartsWith(name[..^1], StringComparison.Ordinal)
        : name == test;

    private static List<Row> Read()
    {
        using var document = new StreamReader(typeof(TraceabilityTests).Assembly.GetManifestResourceStream("traceability.md")!);
        return [.. TableRow().Matches(document.ReadToEnd())
            .Select(match => new Row(match.Groups[1].Value, [.. match.Groups[2].Value.Split(',').Select(name => name.Trim(' ', '`'))]))];
    }

    [GeneratedRegex(@"^\| ([FPMREW][0-9]+) \|[^|]*\| ([^|]+) \|\r?$", RegexOptions.Multiline)]
    private static partial Regex TableRow();

    [GeneratedRegex("^([FPMREW][0-9]+)_")]
    private static partial Regex NamedAfterId();

    private sealed record Row(string Id, IReadOnlyList<string> Names);
}
