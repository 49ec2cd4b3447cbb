using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Tests.CommandLine;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>A backup is taken while the product runs, and put back on a new cluster; what is not whole changes nothing.</summary>
public sealed class BackupTests(Office office) : IClassFixture<Office>, IDisposable
{
    private readonly TestFolder folder = new();

    private string Backup => folder["backup"];

    private string Elsewhere => folder["elsewhere"];

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task What_was_backed_up_beside_the_running_product_goes_on_in_a_new_cluster()
    {
        var (story, link) = await Delivered();
        using var signedIn = await office.Anonymous.PostAsJsonAsync("freelancer/login", new { username = Office.Mira.Handle, password = Office.Mira.Password });
        var refreshToken = (string)(await signedIn.Content.ReadFromJsonAsync<JsonObject>())!["refresh_token"]!;
        await TakeBackup();
        await new Story(office).Publish("upFront", "stripe");

        await Restores(0);

        (await Run("events", "verify")).Output.ShouldContain("every one fits");
        (await Run("events", "replay", "--stream", "installation")).Output.ShouldContain("was put in place. It ended at position");
        await using var up = CaveCommProcess.Start("up", "--port", "0", "--data", Elsewhere);
        using var mira = await SignIn(await up.Ready());
        var detail = (await mira.GetFromJsonAsync<JsonObject>(story.Path))!;
        ((string)detail["customer"]!["name"]!).ShouldBe(story.CustomerName);
        (await mira.GetStringAsync(link.PathAndQuery)).ShouldBe("the raven, finished", "The keys came along, so links of before go on working.");

        using var stranger = new HttpClient { BaseAddress = mira.BaseAddress };
        using var refreshed = await stranger.PostAsync("oauth2/token", new FormUrlEncodedContent(
            [new("grant_type", "refresh_token"), new("client_id", "cavecomm"), new("refresh_token", refreshToken)]));
        (await refreshed.Content.ReadAsStringAsync()).ShouldContain("invalid_grant", customMessage: "Everybody signs in anew: what was signed out meanwhile stands in the backup.");

        // The log goes on behind its old end, and the views follow.
        using var asked = await mira.PostAsJsonAsync(
            $"customer/mira/template/{story.Template}/request", story.RequestBody("stripe"));
        asked.IsSuccessStatusCode.ShouldBeTrue(await asked.Content.ReadAsStringAsync());
        var request = (string)(await asked.Content.ReadFromJsonAsync<JsonObject>())!["requestId"]!;
        await Eventually.Holds(
            "the inbox shows what was asked after the restore",
            async () => (await mira.GetStringAsync("freelancer/mira/inbox?limit=200")).Contains(request, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_corrupt_backup_is_noticed_before_anything_changes()
    {
        await Delivered();
        await TakeBackup();
        await Restores(0);
        var before = await Run("events", "export");
        var whole = await File.ReadAllBytesAsync(Backup);
        var files = Listing();

        // Anywhere: in tar's headers, in the dump, in a key, in the manifest, in the digest; and cut off at several places.
        foreach (var place in new[] { 5, 700, whole.Length / 2, whole.Length - 3000, whole.Length - 500, whole.Length - 1 })
        {
            var flipped = whole.ToArray();
            flipped[place] ^= 1;
            await File.WriteAllBytesAsync(Backup, flipped);
            (await Restores(1, "--force")).Errors.ShouldContain("Nothing was changed", Case.Sensitive, $"byte {place}");
        }

        foreach (var length in new[] { 0, 100, 512, whole.Length / 2, whole.Length - 512, whole.Length - 1 })
        {
            await File.WriteAllBytesAsync(Backup, whole[..length]);
            (await Restores(1, "--force")).Errors.ShouldContain("Nothing was changed", Case.Sensitive, $"{length} bytes");
        }

        Listing().ShouldBe(files);
        (await Run("events", "export")).Output.ShouldBe(before.Output);
    }

    [Fact]
    public async Task What_is_there_is_only_replaced_by_force_and_never_under_a_running_product()
    {
        await Delivered();
        await TakeBackup();
        await Restores(0);

        (await Restores(1)).Errors.ShouldContain("--force");
        Directory.Delete(Path.Combine(Elsewhere, "files"), recursive: true);
        (await Restores(1)).Errors.ShouldContain("There are events");
        await Restores(0, "--force");
        Directory.GetFiles(Path.Combine(Elsewhere, "files"), "*", SearchOption.AllDirectories).ShouldNotBeEmpty();
        Listing().ShouldNotContain(it => it.Contains("restore", StringComparison.Ordinal));

        await using var up = CaveCommProcess.Start("up", "--port", "0", "--data", Elsewhere);
        await up.Ready();
        (await Restores(3, "--force")).Errors.ShouldContain("runs on");
    }

    [Fact]
    public async Task After_a_restore_that_was_killed_between_keys_and_database_only_another_restore_goes_on()
    {
        await Delivered();
        await TakeBackup();
        await Restores(0);
        var mark = Path.Combine(Elsewhere, "restore.unfinished");
        await File.WriteAllTextAsync(mark, "");

        await using var refused = CaveCommProcess.Start("events", "verify", "--data", Elsewhere);
        (await refused.Ended()).ShouldBe(1, refused.Output + refused.Errors);
        refused.Errors.ShouldContain("was cut off");

        await Restores(0, "--force");
        File.Exists(mark).ShouldBeFalse();
        (await Run("events", "verify")).Output.ShouldContain("every one fits");
    }

    [Fact]
    public async Task Who_was_erased_meanwhile_is_erased_again()
    {
        var (story, _) = await Delivered();
        var customer = (Guid)(await story.Detail())["customer"]!["id"]!;
        await TakeBackup();
        await Restores(0);
        (await Run("events", "replay", "--stream", $"commission:{story.RequestId:D}")).Output.ShouldContain(story.CustomerName);

        // As the register beside the database remembers it.
        var register = Path.Combine(Elsewhere, "erasures.jsonl");
        await File.AppendAllTextAsync(register, $$"""{"customer":"{{customer}}","at":"2026-03-01T12:00:00Z"}""" + "\n");
        (await Restores(0, "--force")).Output.ShouldContain("1 customers");
        (await Run("events", "replay", "--stream", $"commission:{story.RequestId:D}")).Output.ShouldNotContain(story.CustomerName);

        // And as the database that is replaced remembers it.
        File.Delete(register);
        (await Restores(0, "--force")).Output.ShouldContain("1 customers");
        (await Run("events", "replay", "--stream", $"commission:{story.RequestId:D}")).Output.ShouldContain("[erased]");
        (await File.ReadAllTextAsync(register)).ShouldContain($"{customer}");
    }

    private async Task<(Story Story, Uri Link)> Delivered()
    {
        var story = new Story(office);
        await (await (await story.Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");
        return (story, new Uri((string)(await story.Upload())["downloadUrl"]!));
    }

    private async Task TakeBackup()
    {
        await using var command = CaveCommProcess.StartIn(
            new() { ["ConnectionStrings__CaveComm"] = office.Database.ConnectionString }, "backup", Backup, "--data", office.Folder);
        (await command.Ended()).ShouldBe(0, command.Errors);
        File.GetUnixFileMode(Backup).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Directory.GetFiles(folder.Path).ShouldBe([Backup]);
    }

    private async Task<CaveCommProcess> Restores(int code, params string[] options)
    {
        await using var command = CaveCommProcess.Start(["restore", Backup, .. options, "--data", Elsewhere]);
        (await command.Ended()).ShouldBe(code, command.Output + command.Errors);
        return command;
    }

    private async Task<CaveCommProcess> Run(params string[] arguments)
    {
        await using var command = CaveCommProcess.Start([.. arguments, "--data", Elsewhere]);
        (await command.Ended()).ShouldBe(0, command.Errors);
        return command;
    }

    private async Task<HttpClient> SignIn(string url)
    {
        var facts = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Elsewhere, "up.json")))!;
        var client = new HttpClient { BaseAddress = new Uri($"{url}/") };
        using var answer = await client.PostAsJsonAsync(
            "freelancer/login", new { username = (string)facts["accounts"]!["freelancer"]!["username"]!, password = (string)facts["accounts"]!["freelancer"]!["password"]! });
        var token = (string)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["access_token"]!;
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    // Names and lengths of all that the installation keeps beside its database.
    private IReadOnlyList<string> Listing() =>
    [
        .. Directory.EnumerateFiles(Elsewhere, "*", SearchOption.AllDirectories)
            .Where(it => !it.StartsWith(Path.Combine(Elsewhere, "postgres"), StringComparison.Ordinal))
            .Select(it => $"{Path.GetRelativePath(Elsewhere, it)} {new FileInfo(it).Length}").Order(StringComparer.Ordinal),
    ];
}
