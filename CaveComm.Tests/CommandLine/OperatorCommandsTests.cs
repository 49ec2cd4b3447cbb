using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Flow;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.CommandLine;

/// <summary>The operator's commands beside a product that runs, on its database.</summary>
public sealed class OperatorCommandsTests(Office office) : IClassFixture<Office>, IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Projections_are_listed_rebuilt_paused_and_resumed()
    {
        var table = await Succeeds("projections", "list");
        table.Output.ShouldContain("NAME");
        table.Output.ShouldContain("InboxProjection");
        JsonNode.Parse((await Succeeds("projections", "list", "--json")).Output)!["items"]!.AsArray().Count.ShouldBe(5);

        (await Succeeds("projections", "pause", "InboxProjection")).Output.ShouldBe("InboxProjection is paused.");
        (await Succeeds("projections", "pause", "InboxProjection")).Output.ShouldBe("InboxProjection was paused already.");
        (await Succeeds("projections", "resume", "InboxProjection", "--reason", "the disk is bigger now")).Output.ShouldBe("InboxProjection goes on.");
        var rebuilt = await Succeeds("projections", "rebuild", "InboxProjection");
        rebuilt.Output.ShouldStartWith("InboxProjection is rebuilt: ");
        rebuilt.Errors.ShouldContain("100 %");
        (await Succeeds("projections", "retry", "InboxProjection")).Output.ShouldBe("InboxProjection has no parked keys.");

        var story = await Succeeds("events", "replay", "--stream", "projection:InboxProjection");
        story.Output.Split('\n').Select(line => line.Split("  ")[^1].Trim()).ShouldBe(
            ["WHAT", "The projection was paused.", "The projection was resumed: the disk is bigger now", "A rebuild was asked for."]);
        story.Output.ShouldContain("operator");
    }

    [Theory]
    [InlineData("rebuild")]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("retry")]
    public async Task An_unknown_projection_fails_with_a_list_of_those_there_are(string act)
    {
        var failed = await Fails("projections", act, "Nothing");

        failed.Errors.ShouldContain("'Nothing'");
        failed.Errors.ShouldContain("InboxProjection, ");
        failed.Errors.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task A_commissions_story_is_told_up_to_a_version()
    {
        var story = new Story(office);
        await (await (await story.Publish("upFront", "stripe")).Request("stripe")).Accept();
        var key = $"commission:{story.RequestId:D}";

        var told = await Succeeds("events", "replay", "--stream", key, "--to", "1");

        told.Output.ShouldContain($"{story.CustomerName} asked for");
        told.Output.ShouldNotContain("accepted");
        (await Succeeds("events", "replay", "--stream", key)).Output.ShouldContain("The request was accepted.");
        (await Fails("events", "replay", "--stream", key[..^2])).Errors.ShouldContain(key);
    }

    [Fact]
    public async Task Events_are_exported_to_a_file_and_to_standard_output()
    {
        await Succeeds("events", "export", folder["all.ndjson"]);
        var lines = await File.ReadAllLinesAsync(folder["all.ndjson"]);
        lines.Length.ShouldBeGreaterThan(5);
        lines.Select(line => (long)JsonNode.Parse(line)!["position"]!).ShouldBeInOrder();

        var some = await Succeeds("events", "export", "--type", "freelancer.freelancer-registered");
        some.Output.Split('\n').ShouldAllBe(line => line.Contains("freelancer-registered", StringComparison.Ordinal));
        Directory.GetFiles(folder.Path).ShouldBe([folder["all.ndjson"]]);
        await using var wrong = Start("events", "export", "--from", "yesterday");
        (await wrong.Ended()).ShouldBe(2);
    }

    [Fact]
    public async Task A_rewritten_history_shows_against_an_earlier_seal_and_a_flipped_event_by_itself()
    {
        var seal = folder["seal.ndjson"];
        await Succeeds("events", "seal", seal);
        await Succeeds("events", "verify");
        await Succeeds("events", "verify", "--against", seal);

        // The seal itself, changed: a head, the count, or cut off.
        var text = await File.ReadAllTextAsync(seal);
        var head = text.IndexOf("\"version\":1", StringComparison.Ordinal);
        await File.WriteAllTextAsync(folder["head"], $"{text[..head]}\"version\":2{text[(head + 11)..]}");
        (await Fails("events", "verify", "--against", folder["head"])).Errors.ShouldContain("digest");
        await File.WriteAllTextAsync(folder["count"], text.Replace("{\"count\":", "{\"count\":1", StringComparison.Ordinal));
        (await Fails("events", "verify", "--against", folder["count"])).Errors.ShouldContain("signature");
        await File.WriteAllTextAsync(folder["cut"], text[..(text.Length / 2)]);
        (await Fails("events", "verify", "--against", folder["cut"])).Errors.ShouldContain("does not end with a seal");

        const string victim = "freelancer:mira";
        await office.Database.Execute("update mt_events set data = jsonb_set(data, '{displayName}', '\"Mirb\"') where stream_id = 'freelancer:mira' and version = 1");
        var broken = await Fails("events", "verify");
        broken.Errors.ShouldContain($"{victim}, version 1");
        await office.Database.Execute("update mt_events set data = jsonb_set(data, '{displayName}', '\"Mira\"') where stream_id = 'freelancer:mira' and version = 1");
        await Succeeds("events", "verify", "--against", seal);
    }

    [Fact]
    public async Task A_hash_that_was_removed_is_not_put_down_to_another_program_alone_and_shows_against_a_seal()
    {
        var seal = folder["whole.ndjson"];
        await Succeeds("events", "seal", seal);
        const string last = "stream_id = 'freelancer:mira' and version = (select version from mt_streams where id = 'freelancer:mira')";
        var headers = await office.Database.Scalar<string>($"select headers::text from mt_events where {last}");
        await office.Database.Execute($"update mt_events set headers = headers - 'hash' where {last}");

        (await Succeeds("events", "verify")).Output.ShouldContain("Without a hash: 1; another program wrote them, or somebody removed it");
        (await Fails("events", "verify", "--against", seal)).Errors.ShouldContain("freelancer:mira");

        await office.Database.Execute($"update mt_events set headers = '{headers}' where {last}");
        await Succeeds("events", "verify", "--against", seal);
    }

    [Fact]
    public async Task Who_lost_the_second_factor_and_the_password_is_let_in_again_and_made_an_administrator()
    {
        const string Name = "locked-out";
        using var registered = await office.Anonymous.PostAsJsonAsync("freelancer/register", new { handle = Name, displayName = "Lost", email = "lost@cavecomm.example", password = "velvet-Anchor-6-harbour" });
        var account = (Guid)(await registered.Content.ReadFromJsonAsync<JsonObject>())!["accountId"]!;
        using var stolen = office.Client(await office.SignIn((Name, "velvet-Anchor-6-harbour")));
        await office.Services.GetRequiredService<AccountHandling>().Handle(account, new AccountCommand.TurnOnSecondFactor(10, "test"), "test", TestContext.Current.CancellationToken);

        (await Succeeds("accounts", "second-factor-off", Name, "--reason", "came by with a passport")).Output.ShouldContain("password alone");
        (await Succeeds("accounts", "second-factor-off", Name, "--reason", "once more")).Output.ShouldContain("had no second factor");
        var made = (await Succeeds("accounts", "password", Name, "--reason", "forgot it, too")).Output.Trim().Split(' ')[^1];
        (await Succeeds("accounts", "grant", Name, "admin", "--reason", "is to look after all")).Output.ShouldContain("done");
        (await Succeeds("accounts", "grant", Name, "admin", "--reason", "is to look after all")).Output.ShouldContain("already");

        using var again = office.Client(await office.SignIn((Name, made)));
        (await again.GetAsync("admin/accounts", TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await stolen.GetAsync("account", TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await office.Mail("lost@cavecomm.example", "no code any more")).ShouldNotBeNull();
        (await Succeeds("accounts", "revoke", Name, "admin", "--reason", "enough")).Output.ShouldContain("done");
        (await Succeeds("events", "replay", "--stream", $"account:{account:D}")).Output.ShouldContain("came by with a passport");
        (await Fails("accounts", "grant", Name, "emperor", "--reason", "likes it")).Errors.ShouldContain("admin, auditor, freelancer");
        (await Fails("accounts", "grant", "nobody-at-all", "admin", "--reason", "likes it")).Errors.ShouldContain("Nobody signs in");
    }

    [Fact]
    public async Task A_folder_without_a_database_is_named_and_stays_as_it_is()
    {
        foreach (var arguments in new[] { new[] { "projections", "list" }, ["events", "verify"], ["backup", folder["backup"]] })
        {
            await using var command = CaveCommProcess.Start([.. arguments, "--data", folder["nowhere"]]);
            (await command.Ended()).ShouldBe(1);
            command.Errors.ShouldContain(folder["nowhere"]);
        }

        Directory.EnumerateFileSystemEntries(folder.Path).ShouldBeEmpty();
    }

    private async Task<CaveCommProcess> Succeeds(params string[] arguments)
    {
        await using var command = Start(arguments);
        (await command.Ended()).ShouldBe(0, command.Output + command.Errors);
        return command;
    }

    private async Task<CaveCommProcess> Fails(params string[] arguments)
    {
        await using var command = Start(arguments);
        (await command.Ended()).ShouldBe(1, command.Output + command.Errors);
        return command;
    }

    private CaveCommProcess Start(params string[] arguments) => CaveCommProcess.StartIn(
        new() { ["ConnectionStrings__CaveComm"] = office.Database.ConnectionString }, [.. arguments, "--data", office.Folder]);
}
