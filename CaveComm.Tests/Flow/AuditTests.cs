using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Auditors read every stream, step by step, and the whole log; they change nothing.</summary>
public sealed class AuditTests(Office office) : IClassFixture<Office>
{
    [Fact]
    public async Task A_commissions_story_can_be_stopped_at_a_version_and_at_a_moment()
    {
        var story = await Accepted();
        var key = $"commission:{story.RequestId:D}";

        var all = await Stream(key);
        ((string)all["key"]!).ShouldBe(key);
        var events = all["events"]!.AsArray();
        events.Select(it => (string)it!["type"]!).Take(2).ShouldBe(["commission.requested", "commission.accepted"]);
        ((string)events[1]!["previousHash"]!).ShouldBe((string)events[0]!["hash"]!);
        ((string)events[1]!["actor"]!).ShouldBe($"freelancer:{Office.Mira.Handle}");

        var first = await Stream($"{key}?version=1");
        ((long)first["version"]!).ShouldBe(1);
        ((string)first["state"]!["status"]!).ShouldBe("requested");
        first["events"]!.AsArray().Count.ShouldBe(1);

        var then = Uri.EscapeDataString((string)events[1]!["at"]!);
        ((string)(await Stream($"{key}?at={then}"))["state"]!["status"]!).ShouldBe("accepted");
        var before = await Stream($"{key}?at=2020-01-01T00:00:00Z");
        before["events"]!.AsArray().ShouldBeEmpty();
        before["state"].ShouldBeNull();
    }

    [Fact]
    public async Task Streams_of_every_kind_are_shown_with_the_state_they_have()
    {
        var story = new Story(office);
        await (await story.Publish("upFront", "stripe", slots: 3)).Request("stripe");

        ((string)(await Stream($"freelancer:{Office.Mira.Handle}"))["state"]!["handle"]!).ShouldBe(Office.Mira.Handle);
        var slots = await Stream($"slots:{Office.Mira.Handle}/{story.Template}");
        ((Guid)slots["state"]!["holders"]![0]!).ShouldBe(story.RequestId);
        (await Stream($"slots:{Office.Mira.Handle}%2F{story.Template}"))["key"]!.ToString().ShouldBe((string)slots["key"]!);
        (await Stream($"handle:{Office.Mira.Handle}"))["state"].ShouldBeNull();
    }

    [Fact]
    public async Task An_event_that_nobody_knows_is_shown_as_it_is_stored()
    {
        var key = $"mystery:{Guid.NewGuid():N}";
        await office.Database.Execute(
            $$"""
            insert into mt_streams (id, version) values ('{{key}}', 1);
            insert into mt_events (seq_id, id, stream_id, version, data, type, tenant_id)
            values (nextval('mt_events_sequence'), gen_random_uuid(), '{{key}}', 1, '{"what": ["nobody", "knows"]}', 'mystery.happened', '*DEFAULT*');
            """);

        var shown = (await Stream(key))["events"]![0]!;

        ((string)shown["type"]!).ShouldBe("mystery.happened");
        ((string)shown["data"]!["what"]![1]!).ShouldBe("knows");
        shown["hash"].ShouldBeNull();
        using var page = office.Client(await office.SignIn(Office.Otto), "text/html");
        (await page.GetStringAsync($"audit/streams/{key}")).ShouldContain("nobody");
    }

    [Fact]
    public async Task A_story_with_an_event_that_nobody_knows_is_told_without_a_state()
    {
        var key = $"slots:nobody/{Guid.NewGuid():N}";
        await office.Database.Execute(
            $$"""
            insert into mt_streams (id, version) values ('{{key}}', 1);
            insert into mt_events (seq_id, id, stream_id, version, data, type, tenant_id)
            values (nextval('mt_events_sequence'), gen_random_uuid(), '{{key}}', 1, '{"what": "nobody knows"}', 'slots.of-tomorrow', '*DEFAULT*');
            """);

        var shown = await Stream(key);

        shown["state"].ShouldBeNull();
        ((string)shown["events"]![0]!["data"]!["what"]!).ShouldBe("nobody knows");
        using var page = office.Client(await office.SignIn(Office.Otto), "text/html");
        (await page.GetStringAsync($"audit/streams/{key}")).ShouldContain("nobody knows");
    }

    [Fact]
    public async Task The_log_is_sent_as_lines_in_its_order_and_filtered_as_asked()
    {
        var story = await Accepted();
        var key = $"commission:{story.RequestId:D}";
        using var answer = await office.Auditor.GetAsync("audit/events");
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/x-ndjson");

        var all = Lines(await answer.Content.ReadAsStringAsync());

        var positions = all.Select(it => (long)it["position"]!).ToList();
        positions.ShouldBe(positions.Order());
        positions.Count.ShouldBe((int)await office.Database.Scalar<long>($"select count(*) from mt_events where seq_id <= {positions[^1]}"));
        (await Log($"stream={key}&type=commission.accepted")).ShouldHaveSingleItem()["version"]!.GetValue<long>().ShouldBe(2);
        (await Log($"after={positions[^2]}")).ShouldNotBeEmpty();
        (await Log($"after={positions[^2]}")).Min(it => (long)it["position"]!).ShouldBe(positions[^1]);
        (await Log("to=2020-01-01")).ShouldBeEmpty();
        (await Log("from=2020-01-01&type=commission.accepted")).ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("audit/events?after=-1", "after")]
    [InlineData("audit/events?after=some", "after")]
    [InlineData("audit/events?from=yesterday", "from")]
    [InlineData("audit/events?to=2020-13-01", "to")]
    [InlineData("audit/events?from=2021-01-01&to=2020-01-01", "to")]
    [InlineData("audit/events?type=a%00b", "type")]
    [InlineData("audit/streams/freelancer:mira?version=0", "version")]
    [InlineData("audit/streams/freelancer:mira?version=two", "version")]
    [InlineData("audit/streams/freelancer:mira?version=1&version=2", "version")]
    [InlineData("audit/streams/freelancer:mira?at=noon", "at")]
    public async Task A_parameter_that_cannot_be_meant_is_named(string path, string field)
    {
        using var answer = await office.Auditor.GetAsync(path);

        await answer.IsProblem(HttpStatusCode.UnprocessableEntity, "invalid", field);
    }

    [Theory]
    [InlineData("audit/streams/freelancer:mirabella")]
    [InlineData("audit/events?stream=freelancer:mirabella")]
    public async Task An_unknown_stream_is_answered_with_those_that_begin_alike(string path)
    {
        using var answer = await office.Auditor.GetAsync(path);

        var problem = await answer.IsProblem(HttpStatusCode.NotFound, "no-such-stream");
        ((string)problem["detail"]!).ShouldContain("freelancer:mira.");
    }

    [Theory]
    [InlineData("audit")]
    [InlineData("audit/events")]
    [InlineData("audit/streams/freelancer:mira")]
    public async Task Only_auditors_and_administrators_get_there_and_nobody_writes(string path)
    {
        using (var anonymous = await office.Anonymous.GetAsync(path))
        {
            await anonymous.IsProblem(HttpStatusCode.Unauthorized, "sign-in-required");
        }

        using (var freelancer = await office.Freelancer.GetAsync(path))
        {
            await freelancer.IsProblem(HttpStatusCode.Forbidden, "forbidden");
        }

        foreach (var client in new[] { office.Auditor, office.Admin })
        {
            using var read = await client.GetAsync(path);
            read.StatusCode.ShouldBe(HttpStatusCode.OK);
            using var written = await client.PostAsync(path, null);
            await written.IsProblem(HttpStatusCode.MethodNotAllowed, "method-not-allowed");
        }
    }

    [Fact]
    public async Task The_pages_lead_from_the_search_through_the_versions()
    {
        var story = await Accepted();
        var key = $"commission:{story.RequestId:D}";
        using var otto = new Browser(office.Url);
        await otto.Open("/audit");
        await otto.Submit("/freelancer/login", ("username", Office.Otto.Handle), ("password", Office.Otto.Password));
        otto.Path.ShouldBe("/audit");
        otto.Html.ShouldNotContain("/admin/projections");
        otto.Html.ShouldContain(key);

        await otto.Open($"/audit?stream={Uri.EscapeDataString(key)}");
        otto.Path.ShouldBe($"/audit/streams/{key}");
        otto.Html.ShouldContain("type=\"range\"");
        await otto.Open($"/audit/streams/{key}?version=1");
        otto.Html.ShouldNotContain("The request was accepted.");
        await otto.Open(otto.Link("Next"));
        otto.Path.ShouldBe($"/audit/streams/{key}?version=2");
        otto.Html.ShouldContain("The request was accepted.");
        await otto.Open(otto.Link("Previous"));
        otto.Html.ShouldContain("State at version 1");
    }

    private async Task<Story> Accepted()
    {
        var story = new Story(office);
        await (await (await story.Publish("upFront", "stripe")).Request("stripe")).Accept();
        return story;
    }

    private async Task<JsonObject> Stream(string key)
    {
        using var answer = await office.Auditor.GetAsync($"audit/streams/{key}");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
    }

    private async Task<IReadOnlyList<JsonObject>> Log(string query) => Lines(await office.Auditor.GetStringAsync($"audit/events?{query}"));

    private static IReadOnlyList<JsonObject> Lines(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject())];
}
