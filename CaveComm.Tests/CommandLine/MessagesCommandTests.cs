using System.Text.Json.Nodes;
using CaveComm.Messaging;
using CaveComm.Tests.Flow;
using Shouldly;

namespace CaveComm.Tests.CommandLine;

/// <summary>The operator's commands on messages, beside a product that runs.</summary>
public sealed class MessagesCommandTests(Office office) : IClassFixture<Office>
{
    [Fact]
    public async Task Messages_are_listed_by_state_as_a_table_and_as_json()
    {
        var group = $"mail:{Guid.NewGuid()}";
        var ids = new[] { await office.Retrying(group), await office.Retrying(group) };

        var table = await Ends(0, "messages", "list", "--state", "retrying", "--group", group, "--limit", "1");
        table.Output.ShouldContain("WHAT WENT WRONG");
        table.Output.ShouldContain($"{ids[0]}  The mail server is away.");
        table.Output.ShouldNotContain($"{ids[1]}");
        var next = table.Errors[(table.Errors.IndexOf("--after ", StringComparison.Ordinal) + 8)..].Trim();
        var json = JsonNode.Parse((await Ends(0, "messages", "list", "--group", group, "--after", next, "--json")).Output)!;
        ((Guid)json["items"]!.AsArray().ShouldHaveSingleItem()!["id"]!).ShouldBe(ids[1]);
        json["next"].ShouldBeNull();
        (await Ends(0, "messages", "list", "--state", "dead", "--group", group)).Output.ShouldBe("No message fits.");
    }

    [Fact]
    public async Task A_letter_is_sent_again_or_discarded_by_its_id()
    {
        var (replayed, discarded) = (await office.Dead("Try once more."), await office.Dead("Give it up."));

        (await Ends(0, "messages", "replay", $"{replayed}", "--reason", "mended")).Output.ShouldBe($"{replayed} is sent again.");
        (await Ends(0, "messages", "discard", $"{discarded}", "--reason", "told by phone")).Output.ShouldBe($"{discarded} is discarded.");

        (await Ends(1, "messages", "discard", $"{discarded}", "--reason", "again")).Errors.ShouldContain("told by phone");
        (await Ends(1, "messages", "replay", $"{Guid.NewGuid()}")).Errors.ShouldContain("There is no message");
        (await Ends(0, "events", "replay", "--stream", $"message:{discarded}")).Output.ShouldContain("The dead letter mail-customer was discarded: told by phone");
    }

    [Fact]
    public async Task Letters_are_sent_again_by_filter_with_progress_and_a_count()
    {
        var mark = $"Greylisted {Guid.NewGuid():N}";
        await office.Dead(mark);
        await office.Dead(mark);

        var done = await Ends(0, "messages", "replay", "--type", "mail-customer", "--error", mark, "--since", "2026-01-01", "--per-second", "10");

        done.Output.ShouldBe("2 sent again: 2 handled, 0 dead again, 0 under way.");
        done.Errors.ShouldContain("100 %");
        (await Ends(1, "messages", "replay", "--type", "no-such-type")).Errors.ShouldContain("No dead letter fits (type no-such-type).");
        (await office.Messages.CountDeadLetters(new ReplayFilter(Error: mark), CancellationToken.None)).ShouldBe(0);
    }

    [Theory]
    [InlineData("messages", "list", "--state", "odd")]
    [InlineData("messages", "list", "--limit", "0")]
    [InlineData("messages", "list", "--after", "nonsense")]
    [InlineData("messages", "replay", "not-an-id")]
    [InlineData("messages", "replay", "--since", "yesterday")]
    [InlineData("messages", "replay", "--per-second", "0")]
    [InlineData("messages", "replay", "0195ab12-0000-7000-8000-000000000001", "--type", "alarm")]
    [InlineData("messages", "discard", "0195ab12-0000-7000-8000-000000000001")]
    [InlineData("messages", "discard", "0195ab12-0000-7000-8000-000000000001", "--reason", " ")]
    public async Task A_command_that_cannot_be_understood_does_nothing(params string[] arguments) =>
        (await Ends(2, arguments)).Errors.ShouldNotContain("   at ");

    private async Task<CaveCommProcess> Ends(int exitCode, params string[] arguments)
    {
        await using var command = CaveCommProcess.StartIn(
            new() { ["ConnectionStrings__CaveComm"] = office.Database.ConnectionString }, [.. arguments, "--data", office.Folder]);
        (await command.Ended()).ShouldBe(exitCode, command.Output + command.Errors);
        return command;
    }
}
