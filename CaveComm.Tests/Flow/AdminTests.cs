using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Administrators look after the views, by page and by JSON; each act stands in the log.</summary>
public sealed class AdminTests(Office office) : IClassFixture<Office>
{
    private const string All = "admin/projections";
    private const string Inbox = $"{All}/InboxProjection";
    private const string Shop = $"{All}/ShopWindowProjection";

    [Fact]
    public async Task Every_stored_projection_is_listed_with_how_far_it_is()
    {
        var items = (await office.Admin.GetFromJsonAsync<JsonObject>(All))!["items"]!.AsArray();

        items.Select(it => (string)it!["name"]!).ShouldBe(["InboxProjection", "ShopWindowProjection", "BillingProjection", "LedgerProjection", "PurchaseProjection"], ignoreOrder: true);
        foreach (var item in items.Select(it => it!.AsObject()))
        {
            foreach (var field in new[] { "version", "state", "position", "lagEvents", "lagSeconds", "parked" })
            {
                item.ShouldContainKey(field);
            }
        }
    }

    [Fact]
    public async Task A_rebuild_is_accepted_and_shows_its_progress_until_it_is_done_and_the_views_are_the_same()
    {
        var story = new Story(office);
        await (await story.Publish("upFront", "stripe")).Request("stripe");
        await IsInInbox(story);

        using var accepted = await office.Admin.PostAsJsonAsync($"{Inbox}/rebuild", new { reason = "A test." });

        accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted, await accepted.Content.ReadAsStringAsync());
        accepted.Headers.Location!.OriginalString.ShouldBe($"/{Inbox}");
        (await accepted.Content.ReadFromJsonAsync<JsonObject>())!["rebuild"].ShouldNotBeNull();
        await RebuildEnds(Inbox);
        await IsInInbox(story);
        var asked = await Last("projection:InboxProjection", "projection.rebuild-requested");
        ((string)asked["data"]!["reason"]!).ShouldBe("A test.");
        ((string)asked["actor"]!).ShouldBe($"account:{(string)asked["data"]!["by"]!}");
    }

    [Fact]
    public async Task A_second_rebuild_is_refused_with_the_progress_of_the_first()
    {
        // What is paused stays where it is.
        (await office.Admin.PostAsync($"{Shop}/pause", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await office.Admin.PostAsync($"{Shop}/rebuild", null)).StatusCode.ShouldBe(HttpStatusCode.Accepted);

        using var second = await office.Admin.PostAsync($"{Shop}/rebuild", null);

        var problem = await second.IsProblem(HttpStatusCode.Conflict, "rebuild-running");
        problem["progress"]!["eventsTotal"].ShouldNotBeNull();
        using var page = office.Client(await office.SignIn(Office.Vera), "text/html");
        var html = await page.GetStringAsync(Shop);
        html.ShouldContain("<progress");
        html.ShouldContain("http-equiv=\"refresh\"");
        (await office.Admin.PostAsync($"{Shop}/resume", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await RebuildEnds(Shop);
        (await page.GetStringAsync(Shop)).ShouldNotContain("http-equiv=\"refresh\"");
    }

    [Fact]
    public async Task What_is_paused_says_so_and_is_recorded_once_until_it_is_resumed()
    {
        const string billing = $"{All}/BillingProjection";
        foreach (var act in new[] { "pause", "pause", "resume", "resume" })
        {
            using var answer = await office.Admin.PostAsync($"{billing}/{act}", null);
            ((string)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["state"]! == "paused").ShouldBe(act == "pause");
        }

        var types = (await Events("projection:BillingProjection")).Select(it => (string)it["type"]!).Where(type => type is "projection.paused" or "projection.resumed");
        types.ShouldBe(["projection.paused", "projection.resumed"]);
        await Eventually.Holds("it runs again", async () => (string)(await office.Admin.GetFromJsonAsync<JsonObject>(billing))!["state"]! == "running");
    }

    [Fact]
    public async Task A_parked_key_is_shown_with_its_event_and_a_retry_keeps_it_while_its_event_cannot_be_applied()
    {
        var key = $"commission:{Guid.NewGuid():D}";
        var poison = Guid.NewGuid();
        await office.Database.Execute(
            $$"""
            insert into mt_streams (id, version) values ('{{key}}', 1);
            insert into mt_events (seq_id, id, stream_id, version, data, type, tenant_id)
            values (nextval('mt_events_sequence'), '{{poison}}', '{{key}}', 1, '{"price": "nonsense"}', 'commission.requested', '*DEFAULT*');
            """);
        JsonObject? parked = null;
        await Eventually.Holds("the key is parked", async () => (parked = (await Parked()).FirstOrDefault(it => (string)it["key"]! == key)) is not null);
        ((Guid)parked!["eventId"]!).ShouldBe(poison);
        ((string)parked["reason"]!).ShouldNotBeNullOrWhiteSpace();
        using (var page = office.Client(await office.SignIn(Office.Vera), "text/html"))
        {
            (await page.GetStringAsync(Inbox)).ShouldContain($"{poison}");
        }

        var health = (await office.Anonymous.GetFromJsonAsync<JsonObject>("health/ready"))!["checks"]!["projections"]!;
        ((string)health["status"]!).ShouldBe("degraded");
        ((string)health["detail"]!).ShouldContain("InboxProjection");

        using var retried = await office.Admin.PostAsJsonAsync($"{Inbox}/retry", new { key });

        ((int)(await retried.Content.ReadFromJsonAsync<JsonObject>())!["stillParked"]!).ShouldBe(1);
        ((string)(await Last("projection:InboxProjection", "projection.retried"))["data"]!["key"]!).ShouldBe(key);
        (await Parked()).ShouldContain(it => (string)it["key"]! == key);
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("GET", "/rebuild")]
    [InlineData("POST", "/rebuild")]
    [InlineData("POST", "/pause")]
    [InlineData("POST", "/resume")]
    [InlineData("POST", "/retry")]
    public async Task An_unknown_projection_is_answered_with_a_list_of_those_there_are(string method, string act)
    {
        using var answer = await office.Admin.SendAsync(new HttpRequestMessage(new HttpMethod(method), $"{All}/Nothing{act}"));

        var problem = await answer.IsProblem(HttpStatusCode.NotFound, "no-such-projection");
        ((string)problem["detail"]!).ShouldContain("InboxProjection");
        ((string)problem["detail"]!).ShouldContain("BillingProjection");
    }

    [Fact]
    public async Task The_buttons_on_the_page_do_what_they_say()
    {
        using var vera = new Browser(office.Url);
        await vera.Open("/admin");
        await vera.Submit("/freelancer/login", ("username", Office.Vera.Handle), ("password", Office.Vera.Password));
        vera.Path.ShouldBe($"/{All}");
        vera.Html.ShouldContain("href=\"/audit\"");
        await vera.Open($"/{All}/BillingProjection");

        await vera.Submit($"/{All}/BillingProjection/rebuild", ("reason", "By the button."));

        vera.Status.ShouldBe(HttpStatusCode.OK);
        vera.Path.ShouldBe($"/{All}/BillingProjection");
        await RebuildEnds($"{All}/BillingProjection");
        using var bare = await vera.Send($"/{All}/BillingProjection/pause");
        bare.StatusCode.ShouldBe(HttpStatusCode.BadRequest, "A form of another site has no token.");
    }

    private Task IsInInbox(Story story) => Eventually.Holds(
        "the inbox shows the request",
        async () => (await office.Freelancer.GetStringAsync($"freelancer/{Office.Mira.Handle}/inbox?limit=200")).Contains($"{story.RequestId:D}", StringComparison.Ordinal));

    private Task RebuildEnds(string path) => Eventually.Holds(
        "the rebuild is done", async () => (string)(await office.Admin.GetFromJsonAsync<JsonObject>($"{path}/rebuild"))!["state"]! == "done");

    private async Task<IReadOnlyList<JsonObject>> Parked() =>
        [.. (await office.Admin.GetFromJsonAsync<JsonObject>(Inbox))!["parkedKeys"]!.AsArray().Select(it => it!.AsObject())];

    private async Task<IReadOnlyList<JsonObject>> Events(string stream) =>
        [.. (await office.Auditor.GetFromJsonAsync<JsonObject>($"audit/streams/{stream}"))!["events"]!.AsArray().Select(it => it!.AsObject())];

    private async Task<JsonObject> Last(string stream, string type) => (await Events(stream)).Last(it => (string)it["type"]! == type);
}
