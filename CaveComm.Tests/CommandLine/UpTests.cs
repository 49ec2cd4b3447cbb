using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.CommandLine;

public sealed class UpTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    public async Task Up_runs_until_it_is_asked_to_stop_and_then_stops_all_within_five_seconds(string signal)
    {
        await using var up = CaveCommProcess.Start("up", "--port", "0", "--data", folder.Path);
        var url = await up.Ready();
        (await Status(url)).ShouldBe(HttpStatusCode.OK);
        var facts = await Facts();
        ((string?)facts["url"]).ShouldBe(url);
        File.GetUnixFileMode(folder["up.json"]).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        foreach (var role in new[] { "freelancer", "second", "admin", "auditor" })
        {
            up.Output.ShouldContain((string)facts["accounts"]![role]!["password"]!);
        }

        var watch = Stopwatch.StartNew();
        await up.Signal(signal);
        (await up.Ended()).ShouldBe(0, up.Errors);

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        up.Errors.ShouldBeEmpty();
        File.Exists(folder["up.json"]).ShouldBeFalse();
        (await Connects((string)facts["database"]!)).ShouldBeFalse();
    }

    [Fact]
    public async Task After_a_kill_the_next_up_adopts_the_database_and_keeps_the_sign_ins()
    {
        JsonNode before;
        await using (var killed = CaveCommProcess.Start("up", "--port", "0", "--data", folder.Path))
        {
            await killed.Ready();
            before = await Facts();
            await killed.Signal("KILL");
            await killed.Ended();
        }

        (await Connects((string)before["database"]!)).ShouldBeTrue("PostgreSQL outlives a killed product");

        await using var next = CaveCommProcess.Start("up", "--port", "0", "--data", folder.Path);
        await next.Ready();
        var after = await Facts();
        ((string?)after["database"]).ShouldBe((string?)before["database"]);
        after["accounts"]!.ToJsonString().ShouldBe(before["accounts"]!.ToJsonString());

        await next.Signal("TERM");
        (await next.Ended()).ShouldBe(0);
        (await Connects((string)before["database"]!)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_second_up_on_the_same_folder_is_refused_and_harms_nothing()
    {
        await using var first = CaveCommProcess.Start("up", "--port", "0", "--data", folder.Path);
        var url = await first.Ready();

        await using var second = CaveCommProcess.Start("up", "--port", "0", "--data", folder.Path);

        (await second.Ended()).ShouldBe(3);
        second.Errors.ShouldContain(url);
        second.Errors.ShouldContain("--data");
        ((string?)(await Facts())["url"]).ShouldBe(url);
        (await Status(url)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Two_products_on_two_folders_run_side_by_side()
    {
        using var other = new TestFolder();
        await using var first = CaveCommProcess.Start("up", "--port", "0", "--data", folder.Path);
        await using var second = CaveCommProcess.Start("up", "--port", "0", "--data", other.Path);
        var (here, there) = (await first.Ready(), await second.Ready());

        await first.Signal("TERM");
        (await first.Ended()).ShouldBe(0);

        here.ShouldNotBe(there);
        (await Status(there)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named_before_anything_starts()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

        await using var up = CaveCommProcess.Start("up", "--port", port, "--data", folder.Path);

        (await up.Ended()).ShouldBe(3);
        up.Errors.ShouldContain(port);
        up.Errors.ShouldContain("--port");
        Directory.Exists(folder["postgres"]).ShouldBeFalse();
    }

    [Fact]
    public async Task Products_beside_a_sandbox_use_it_and_one_takes_over_from_another_that_was_killed()
    {
        await using var sandbox = CaveCommProcess.Start("sandbox", "--data", folder.Path);
        await sandbox.Shown("The sandbox is ready");
        await using var first = CaveCommProcess.Start("up", "--no-sandbox", "--port", "0", "--data", folder.Path);
        var firstUrl = await first.Ready();
        await using var second = CaveCommProcess.Start("up", "--no-sandbox", "--port", "0", "--data", folder.Path);
        var secondUrl = await second.Ready();
        var facts = await Facts();
        ((string?)facts["url"]).ShouldBe(firstUrl);
        facts["stripe"].ShouldNotBeNull();

        await first.Signal("KILL");
        await first.Ended();

        await Eventually.Holds("the second node stands in up.json", async () => (string?)(await Facts())["url"] == secondUrl);
        await second.Signal("TERM");
        (await second.Ended()).ShouldBe(0);
        (await Connects((string)facts["database"]!)).ShouldBeTrue("the sandbox still uses PostgreSQL");

        await sandbox.Signal("INT");
        (await sandbox.Ended()).ShouldBe(0);
        File.Exists(folder["sandbox.json"]).ShouldBeFalse();
        (await Connects((string)facts["database"]!)).ShouldBeFalse();
    }

    private async Task<JsonNode> Facts() =>
        JsonNode.Parse(await File.ReadAllTextAsync(folder["up.json"], TestContext.Current.CancellationToken))!;

    private static async Task<HttpStatusCode> Status(string url)
    {
        using var client = new HttpClient();
        using var answer = await client.GetAsync(new Uri($"{url}/health/ready"), TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private static async Task<bool> Connects(string database)
    {
        try
        {
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }
}
