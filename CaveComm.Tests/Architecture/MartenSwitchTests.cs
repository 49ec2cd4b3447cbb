using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Shouldly;

namespace CaveComm.Tests.Architecture;

/// <summary>What can be said of the build on Marten where its packages are not: that it is kept in step with the one on the kernels.</summary>
public partial class MartenSwitchTests
{
    private static readonly string Kernel = Text("KernelBackend.cs") + Text("MessagePolicies.cs");
    private static readonly string Marten = Text("MartenBackend.cs");

    [Fact]
    public void Every_contract_of_the_kernels_that_is_named_for_Marten_exists()
    {
        var named = XDocument.Parse(Text("Backend.props")).Descendants("Using")
            .Select(it => it.Attribute("Include")!.Value)
            .Where(it => it.StartsWith("CaveComm.", StringComparison.Ordinal) && it.Count(letter => letter == '.') > 1)
            .ToList();
        named.Count.ShouldBeGreaterThan(10);
        foreach (var name in named)
        {
            var project = Assembly.Load(string.Join('.', name.Split('.')[..2]));
            project.GetType(name).ShouldNotBeNull().IsPublic.ShouldBeTrue(name);
        }
    }

    [Fact]
    public void Both_backends_register_the_same_projections() =>
        Found(Registration(), Marten).ShouldBe(Found(Registration(), Kernel), ignoreOrder: true);

    [Fact]
    public void Operators_see_every_stored_projection_on_Marten() =>
        Found(Progress(), Text("MartenProgress.cs")).ShouldBe(
            [.. Found(Registration(), Marten).Where(it => it.EndsWith(".Async", StringComparison.Ordinal)).Select(it => it.Split(' ')[0])], ignoreOrder: true);

    [Fact]
    public void Both_backends_keep_the_same_documents_and_columns() =>
        Found(Document(), Marten).ShouldBe(Found(Document(), Kernel), ignoreOrder: true);

    [Fact]
    public void Both_backends_group_the_same_messages_by_the_same_keys() =>
        Found(Grouping(), Marten).ShouldBe(Found(Grouping(), Kernel), ignoreOrder: true);

    [Fact]
    public void Both_backends_run_the_same_queues() =>
        Found(LocalQueue(), Marten).ShouldBe(Found(KernelQueue(), Kernel), ignoreOrder: true);

    [Fact]
    public void Both_backends_send_the_same_messages_to_the_same_queues() =>
        Rule().Matches(Marten).SelectMany(rule => Sent().Matches(rule.Groups[1].Value).Select(it => $"{it.Groups[1].Value} {rule.Groups[2].Value}"))
            .ShouldBe(Found(Route(), Kernel), ignoreOrder: true);

    [Fact]
    public void Both_backends_pause_as_long_before_each_attempt() => Found(Pauses(), Marten).ShouldBe(Found(Pauses(), Kernel));

    [Fact]
    public void Both_backends_have_an_answer_to_the_same_failures()
    {
        var known = Found(Failure(), Kernel);
        Found(Failure(), Marten).Intersect(known).ShouldBe(known, ignoreOrder: true);
    }

    [Fact]
    public void Both_backends_commit_writes_with_their_key()
    {
        Found(Keyed(), Kernel).ShouldBe(["HeldWrites"]);
        Found(Keyed(), Marten).ShouldBe(["QueuedWrites"]);
    }

    private static List<string> Found(Regex what, string text)
    {
        var found = what.Matches(text).Select(it => string.Join(' ', it.Groups.Values.Skip(1).Select(group => group.Value))).ToList();
        found.ShouldNotBeEmpty();
        return found;
    }

    private static string Text(string name)
    {
        using var stream = typeof(MartenSwitchTests).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"Projections\.Add(?:\(new |<)([\w<>, ]+?)(?:\(\), |>\(| \{[^}]*\}, )(ProjectionLifecycle\.\w+)\)")]
    private static partial Regex Registration();

    [GeneratedRegex(@"(options\.(?:Schema\.For<|Configure)[^;]+;)")]
    private static partial Regex Document();

    [GeneratedRegex(@"\.ByMessage<(\w+)>\((.+)\);?")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"new\(nameof\((\w+)\), new \1\(\)\.Version")]
    private static partial Regex Progress();

    [GeneratedRegex(@"AddKeyedWrites<(\w+)>")]
    private static partial Regex Keyed();

    [GeneratedRegex(@"options\.Queue\(""(\w+)""")]
    private static partial Regex KernelQueue();

    [GeneratedRegex(@"options\.LocalQueue\(""(\w+)""\)\.UseDurableInbox\(\)\.PartitionProcessingByGroupId")]
    private static partial Regex LocalQueue();

    [GeneratedRegex(@"RouteTo<(\w+)>\(""(\w+)""\)")]
    private static partial Regex Route();

    [GeneratedRegex(@"options\.Publish\(rule =>\s*\{(.*?)rule\.ToLocalQueue\(""(\w+)""\)", RegexOptions.Singleline)]
    private static partial Regex Rule();

    [GeneratedRegex(@"rule\.(?:Message|MessagesImplementing)<(\w+)>")]
    private static partial Regex Sent();

    [GeneratedRegex(@"Backoff =\s*\[([^\]]+)\]")]
    private static partial Regex Pauses();

    [GeneratedRegex(@"OnException<(\w+)>")]
    private static partial Regex Failure();
}
