using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Administrators see every message, and deal with the dead ones, by page and by JSON; each act stands in the log.</summary>
public sealed class MessagesDeskTests(Office office) : IClassFixture<Office>
{
    private const string Messages = "admin/messages";
    private const string Letters = "admin/dead-letters";

    [Fact]
    public async Task A_dead_letter_shows_its_body_every_error_and_its_trace_and_hides_whose_address_it_was()
    {
        var id = await office.Dead("550 <kate@example.com> is unknown; see https://mail.example/c/Ab12Cd34Ef56");

        foreach (var address in new[] { $"{Messages}/{id}", $"{Letters}/{id}" })
        {
            var it = (await office.Admin.GetFromJsonAsync<JsonObject>(address))!;
            ((string)it["state"]!).ShouldBe("dead");
            ((string)it["type"]!).ShouldBe("mail-customer");
            ((string)it["queue"]!).ShouldBe("mail");
            ((string)it["group"]!).ShouldBe($"mail:{id}");
            ((Guid)it["body"]!["commission"]!).ShouldBe(id);
            ((int)it["attempts"]!).ShouldBe(2);
            it["errors"]!.AsArray().Count.ShouldBe(2);
            ((string)it["traceId"]!).ShouldBe("0af7651916cd43dd8448eb211c80319c");
            ((string)it["reason"]!).ShouldBe("550 <k***@example.com> is unknown; see https://mail.example/c/[hidden]");
            ((string)it["advice"]!).ShouldNotBeNullOrWhiteSpace();
            it.ToJsonString().ShouldNotContain("kate@");
        }

        (await Items($"{Letters}?group=mail:{id}")).ShouldHaveSingleItem()["errors"]!.AsArray().Count.ShouldBe(2);
    }

    [Fact]
    public async Task Lists_narrow_by_state_type_queue_and_group_and_are_paged()
    {
        var group = $"mail:{Guid.NewGuid()}";
        var ids = new[] { await office.Retrying(group), await office.Retrying(group), await office.Retrying(group) };

        var first = (await office.Admin.GetFromJsonAsync<JsonObject>($"{Messages}?state=retrying&type=mail-customer&queue=mail&group={group}&limit=2"))!;
        var second = (await office.Admin.GetFromJsonAsync<JsonObject>($"{Messages}?group={group}&limit=2&after={(string)first["next"]!}"))!;

        first["items"]!.AsArray().Concat(second["items"]!.AsArray()).Select(it => (Guid)it!["id"]!).ShouldBe(ids);
        second["next"].ShouldBeNull();
        ((long)second["counts"]!["retrying"]!).ShouldBeGreaterThanOrEqualTo(3);
        (await Items($"{Messages}?group={group}&state=scheduled")).ShouldBeEmpty();
        (await Items($"{Letters}?group={group}")).ShouldBeEmpty();
        using var notDead = await office.Admin.GetAsync($"{Letters}/{ids[0]}");
        await notDead.IsProblem(HttpStatusCode.NotFound, "no-such-message");
    }

    [Fact]
    public async Task A_letter_that_is_sent_again_is_handled_and_stands_in_the_log_with_who_and_why()
    {
        var id = await office.Dead("The mail server was away.");

        using var answer = await office.Admin.PostAsJsonAsync($"{Letters}/{id}/replay", new { reason = "It is back." });

        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        await Eventually.Holds("it is handled", async () => (await office.Admin.GetAsync($"{Messages}/{id}")).StatusCode == HttpStatusCode.NotFound);
        var told = await Last($"message:{id}", "message.replayed");
        ((string)told["data"]!["reason"]!).ShouldBe("It is back.");
        ((string)told["actor"]!).ShouldBe($"account:{(string)told["data"]!["by"]!}");
        using var again = await office.Admin.PostAsync($"{Letters}/{id}/replay", null);
        ((string)(await again.IsProblem(HttpStatusCode.Conflict, "not-dead"))["detail"]!).ShouldContain("handled since");
    }

    [Fact]
    public async Task A_discarded_letter_keeps_its_reason_and_cannot_be_sent_again_or_discarded_twice()
    {
        var id = await office.Dead("No such address.");

        using var answer = await office.Admin.PostAsJsonAsync($"{Letters}/{id}/discard", new { reason = " Told by phone. " });

        var shown = (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
        ((string)shown["state"]!).ShouldBe("discarded");
        ((string)shown["discardReason"]!).ShouldBe("Told by phone.");
        (await Items($"{Letters}?group=mail:{id}")).ShouldBeEmpty();
        (await Items($"{Letters}?state=discarded&group=mail:{id}")).Count.ShouldBe(1);
        ((string)(await Last($"message:{id}", "message.discarded"))["data"]!["reason"]!).ShouldBe("Told by phone.");
        foreach (var act in new[] { "replay", "discard" })
        {
            using var late = await office.Admin.PostAsJsonAsync($"{Letters}/{id}/{act}", new { reason = "Once more." });
            ((string)(await late.IsProblem(HttpStatusCode.Conflict, "not-dead"))["detail"]!).ShouldContain("Told by phone.");
        }
    }

    [Fact]
    public async Task A_message_that_is_not_dead_cannot_be_sent_again_or_discarded()
    {
        var id = await office.Retrying($"mail:{Guid.NewGuid()}");
        foreach (var act in new[] { "replay", "discard" })
        {
            using var answer = await office.Admin.PostAsJsonAsync($"{Letters}/{id}/{act}", new { reason = "Now." });
            ((string)(await answer.IsProblem(HttpStatusCode.Conflict, "not-dead"))["detail"]!).ShouldContain("retrying");
        }
    }

    [Fact]
    public async Task A_replay_by_filter_shows_its_progress_and_a_second_one_is_refused_with_it()
    {
        var mark = $"Greylisted {Guid.NewGuid():N}";
        for (var number = 0; number < 3; number++)
        {
            await office.Dead(mark);
        }

        await NoReplaySends();
        using var accepted = await office.Admin.PostAsJsonAsync($"{Letters}/replay", new { type = "mail-customer", error = mark, perSecond = 1, reason = "Tried by hand." });

        accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted, await accepted.Content.ReadAsStringAsync());
        var progress = accepted.Headers.Location!.OriginalString;
        ((int)(await accepted.Content.ReadFromJsonAsync<JsonObject>())!["total"]!).ShouldBe(3);
        var other = await office.Dead("Another cause.");
        using (var second = await office.Admin.PostAsJsonAsync($"{Letters}/replay", new { error = "Another cause." }))
        {
            var problem = await second.IsProblem(HttpStatusCode.Conflict, "replay-running");
            ((string)problem["progress"]!["id"]!).ShouldBe(progress.Split('/')[^1]);
        }

        JsonObject? run = null;
        await Eventually.Holds("it is done", async () => (string)(run = await office.Admin.GetFromJsonAsync<JsonObject>(progress))!["state"]! == "done");
        ((int)run!["handled"]!).ShouldBe(3);
        ((int)run["deadAgain"]!).ShouldBe(0);
        (await Items($"{Letters}?group=mail:{other}")).Count.ShouldBe(1, "it did not fit");
        var asked = await Last($"replay:{(string)run["id"]!}", "replay.requested");
        ((string)asked["data"]!["reason"]!).ShouldBe("Tried by hand.");
        ((int)asked["data"]!["perSecond"]!).ShouldBe(1);
    }

    [Fact]
    public async Task A_filter_that_fits_nothing_says_so_and_what_there_is()
    {
        await office.Dead("Something.");
        await NoReplaySends();

        using var answer = await office.Admin.PostAsJsonAsync($"{Letters}/replay", new { type = "no-such-type", since = "2026-03-01" });

        var detail = (string)(await answer.IsProblem(HttpStatusCode.NotFound, "nothing-to-replay"))["detail"]!;
        detail.ShouldContain("type no-such-type");
        detail.ShouldContain("mail-customer (");
    }

    [Fact]
    public async Task An_alarm_stands_first_on_the_page_and_in_health_and_is_left_out_of_replays()
    {
        var commission = Guid.CreateVersion7();
        var id = await office.Raise(commission, $"Paid twice, {commission:N}.");
        var letter = await office.Dead("Some other trouble.");

        using var client = office.Client(await office.SignIn(Office.Vera), "text/html");
        var html = await client.GetStringAsync(Messages);
        html.IndexOf($"{commission:N}", StringComparison.Ordinal).ShouldBeInRange(0, html.IndexOf($"{letter}", StringComparison.Ordinal));
        html.ShouldContain($"/audit/streams/commission:{commission}");
        html.ShouldContain("put right what is wrong");
        var health = (await office.Anonymous.GetFromJsonAsync<JsonObject>("health/ready"))!["checks"]!["messages"]!;
        ((string)health["status"]!).ShouldBe("degraded");
        ((string)health["detail"]!).ShouldContain("/admin/messages");
        await NoReplaySends();
        using (var all = await office.Admin.PostAsJsonAsync($"{Letters}/replay", new { error = $"{commission:N}" }))
        {
            ((string)(await all.IsProblem(HttpStatusCode.NotFound, "nothing-to-replay"))["detail"]!).ShouldContain("Alarms are left out");
        }

        (await office.Admin.PostAsJsonAsync($"{Letters}/{id}/discard", new { reason = "Paid back." })).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_forms_on_the_pages_do_what_they_say()
    {
        var id = await office.Dead("By the button.");
        using var vera = new Browser(office.Url);
        await vera.Open($"/{Messages}/{id}");
        await vera.Submit("/freelancer/login", ("username", Office.Vera.Handle), ("password", Office.Vera.Password));
        await vera.Open($"/{Messages}/{id}");
        vera.Html.ShouldContain("MailRefusedException");
        vera.Html.ShouldContain("0af7651916cd43dd8448eb211c80319c");
        vera.Html.ShouldNotContain("kate@");

        await vera.Submit($"/{Letters}/{id}/discard", ("reason", "Not needed <b>any more</b>."));

        vera.Status.ShouldBe(HttpStatusCode.OK);
        vera.Path.ShouldBe($"/{Messages}/{id}");
        vera.Html.ShouldContain("Not needed &lt;b&gt;any more&lt;/b&gt;.");
        using var bare = await vera.Send($"/{Letters}/{id}/replay");
        bare.StatusCode.ShouldBe(HttpStatusCode.BadRequest, "A form of another site has no token.");
        await vera.Open("/admin/projections");
        vera.Html.ShouldContain($"href=\"/{Messages}\"");

        var mark = $"By the form {Guid.NewGuid():N}";
        await office.Dead(mark);
        await NoReplaySends();
        await vera.Open($"/{Messages}");
        await vera.Submit($"/{Letters}/replay", ("type", ""), ("perSecond", "50"), ("since", ""), ("error", mark), ("reason", ""));
        vera.Status.ShouldBe(HttpStatusCode.OK, vera.Html);
        vera.Path.ShouldStartWith($"/{Letters}/replays/");
        vera.Html.ShouldContain("Replay of dead letters");
    }

    [Theory]
    [InlineData("state=odd&limit=0&after=nonsense", "state,limit,after")]
    [InlineData("state=Dead", "state")]
    [InlineData("type=a&type=b", "type")]
    [InlineData("group=%00", "group")]
    [InlineData("after=WyJkZWFkIiwibm93IiwieCJd", "after")]
    public async Task A_list_names_every_fault_in_what_was_asked(string query, string fields)
    {
        foreach (var list in new[] { Messages, Letters })
        {
            using var answer = await office.Admin.GetAsync($"{list}?{query}");
            await answer.IsProblem(HttpStatusCode.UnprocessableEntity, "invalid", fields.Split(','));
        }
    }

    [Fact]
    public async Task What_is_wrong_with_a_replay_or_a_discard_is_told_at_once()
    {
        using var replay = await office.Admin.PostAsJsonAsync($"{Letters}/replay", new { type = new string('x', 201), since = "yesterday", perSecond = 0, reason = "a\u0001b" });
        await replay.IsProblem(HttpStatusCode.UnprocessableEntity, "invalid", "type", "since", "perSecond", "reason");
        using var shape = await office.Admin.PostAsJsonAsync($"{Letters}/replay", new { perSecond = "fast", colour = "red" });
        await shape.IsProblem(HttpStatusCode.UnprocessableEntity, "invalid", "perSecond", "colour");
        var id = await office.Dead("Without a reason.");
        using var silent = await office.Admin.PostAsJsonAsync($"{Letters}/{id}/discard", new { reason = " " });
        await silent.IsProblem(HttpStatusCode.UnprocessableEntity, "invalid", "reason");
        using var empty = await office.Admin.PostAsync($"{Letters}/{id}/discard", null);
        await empty.IsProblem(HttpStatusCode.UnprocessableEntity, "invalid", "reason");
        (await Items($"{Letters}?group=mail:{id}")).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("GET", $"{Messages}/{{0}}", "no-such-message")]
    [InlineData("GET", $"{Letters}/{{0}}", "no-such-message")]
    [InlineData("POST", $"{Letters}/{{0}}/replay", "no-such-message")]
    [InlineData("POST", $"{Letters}/{{0}}/discard", "no-such-message")]
    [InlineData("GET", $"{Letters}/replays/{{0}}", "no-such-replay")]
    [InlineData("GET", $"{Messages}/not-an-id", "not-found")]
    public async Task What_is_unknown_is_answered_with_a_sentence(string method, string path, string code)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path.Replace("{0}", $"{Guid.NewGuid()}", StringComparison.Ordinal))
        {
            Content = method == "POST" ? JsonContent.Create(new { reason = "x" }) : null,
        };
        using var answer = await office.Admin.SendAsync(request);
        await answer.IsProblem(HttpStatusCode.NotFound, code);
    }

    private async Task<IReadOnlyList<JsonObject>> Items(string address) =>
        [.. (await office.Admin.GetFromJsonAsync<JsonObject>(address))!["items"]!.AsArray().Select(it => it!.AsObject())];

    private Task NoReplaySends() => Eventually.Holds(
        "no replay sends", async () => (await Items($"{Letters}/replays")).All(it => (int)it["waiting"]! == 0));

    private async Task<JsonObject> Last(string stream, string type) =>
        (await office.Auditor.GetFromJsonAsync<JsonObject>($"audit/streams/{stream}"))!["events"]!.AsArray().Select(it => it!.AsObject()).Last(it => (string)it["type"]! == type);
}
