using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>The inbox asked for what it cannot give, walked through page by page, and read right after a write; and hostile texts on their way to people.</summary>
[Collection(nameof(BadInputOffice))]
public sealed class InboxBadInputTests(Office office)
{
    private const string Hostile = "<script>alert(1)</script>\"'&";

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("limit=-1", "limit")]
    [InlineData("limit=1.5", "limit")]
    [InlineData("limit=many", "limit")]
    [InlineData("limit=99999999999999999999", "limit")]
    [InlineData("after=garbage", "after")]
    [InlineData("after=%00", "after")]
    [InlineData("after=WyJhIiwiYiJd", "after")]
    [InlineData("status=nonsense", "status")]
    [InlineData("status=7", "status")]
    [InlineData("limit=0&after=%25&status=x", "limit,after,status")]
    public async Task Parameters_out_of_range_are_told(string query, string fields)
    {
        using var answer = await office.Freelancer.GetAsync($"freelancer/mira/inbox?{query}");
        await answer.IsProblem(HttpStatusCode.UnprocessableEntity, "invalid", fields.Split(','));
    }

    [Fact]
    public async Task A_cursor_that_somebody_made_up_is_no_way_in()
    {
        var cursor = Convert.ToBase64String(Encoding.UTF8.GetBytes("""["'; drop table mt_events; --"]""")).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        using var answer = await office.Freelancer.GetAsync($"freelancer/mira/inbox?after={cursor}");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await office.HighestSequence()).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_walk_through_the_pages_sees_each_line_once()
    {
        var story = await new Story(office).Publish("onDelivery", "stripe");
        var asked = new List<Guid>();
        var position = "0";
        for (var n = 0; n < 8; n++)
        {
            using var answer = await story.PostRequest("stripe");
            asked.Add((Guid)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["requestId"]!);
            position = answer.Headers.GetValues("CaveComm-Position").Single();
        }

        await Inbox("?limit=1", position);
        var seen = new List<Guid>();
        string? after = null;
        do
        {
            var page = await office.Freelancer.GetFromJsonAsync<JsonObject>($"freelancer/mira/inbox?limit=3{(after is null ? "" : $"&after={after}")}");
            var lines = page!["items"]!.AsArray();
            lines.Count.ShouldBeLessThanOrEqualTo(3);
            seen.AddRange(lines.Select(it => (Guid)it!["requestId"]!));
            after = (string?)page["next"];
            seen.Count.ShouldBeLessThan(10_000, "the walk does not end");
        }
        while (after is not null);

        seen.ShouldBeUnique();
        var all = (await Inbox("?limit=200", position))["items"]!.AsArray().Select(it => (Guid)it!["requestId"]!).ToList();
        seen.Take(200).ShouldBe(all.Take(seen.Count));
        seen.Take(asked.Count).ShouldBe(Enumerable.Reverse(asked));
    }

    [Fact]
    public async Task A_write_sent_back_as_a_position_is_seen_in_the_inbox()
    {
        for (var round = 0; round < 10; round++)
        {
            var story = await new Story(office).Publish("onDelivery", "stripe");
            using var asked = await story.PostRequest("stripe");
            var id = (Guid)(await asked.Content.ReadFromJsonAsync<JsonObject>())!["requestId"]!;
            (await Inbox("?limit=1", asked.Headers.GetValues("CaveComm-Position").Single()))["items"]![0]!["requestId"]!.GetValue<Guid>().ShouldBe(id);

            using var declined = await office.Freelancer.PostAsJsonAsync($"freelancer/mira/requests/{id}/decline", new { });
            var line = (await Inbox("?limit=1", declined.Headers.GetValues("CaveComm-Position").Single()))["items"]![0]!;
            ((string)line["status"]!).ShouldBe("declined");
        }
    }

    [Fact]
    public async Task A_position_from_the_future_or_from_nowhere_is_answered_with_what_there_is()
    {
        foreach (var (position, stale) in new[] { ("9999999999", true), ("nonsense", false), ("-1", false), ("99999999999999999999999", false) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "freelancer/mira/inbox");
            request.Headers.Add("CaveComm-Position", position);
            using var answer = await office.Freelancer.SendAsync(request);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            answer.Headers.Contains("CaveComm-Stale").ShouldBe(stale, position);
        }
    }

    [Fact]
    public async Task Hostile_text_reaches_pages_and_mails_as_text()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        using var published = await office.Freelancer.PutAsJsonAsync($"freelancer/mira/templates/{story.Template}", new
        {
            title = $"{story.Title} {Hostile}",
            description = Hostile,
            price = new { amount = "1.00", currency = "EUR" },
            paymentTerms = "upFront",
            providers = new[] { "stripe" },
            questions = new[] { new { id = "subject", label = Hostile, kind = "longText", required = true } },
        });
        published.StatusCode.ShouldBe(HttpStatusCode.OK);
        var name = $"Ada {Hostile} \U0001F99C \U0001D4D0";
        using var asked = await office.Ask(story, new { customer = new { name, email = story.CustomerEmail }, answers = new { subject = $"{Hostile}\r\n.\r\nBcc: eve@example.com" } });
        asked.StatusCode.ShouldBe(HttpStatusCode.Created, await asked.Content.ReadAsStringAsync());
        var body = await asked.Content.ReadFromJsonAsync<JsonObject>();
        var path = $"freelancer/mira/requests/{(Guid)body!["requestId"]!}";

        ((string)(await office.Freelancer.GetFromJsonAsync<JsonObject>(path))!["customer"]!["name"]!).ShouldBe(name);
        using var browser = office.Client(office.Freelancer.DefaultRequestHeaders.Authorization!.Parameter, "text/html");
        foreach (var page in (string[])["", $"customer/mira/template/{story.Template}", (string)body["statusUrl"]!, path, "freelancer/mira/inbox"])
        {
            (await browser.GetStringAsync(page)).ShouldNotContain("<script>alert", Case.Insensitive, page);
        }

        (await browser.GetStringAsync($"customer/mira/template/{story.Template}")).ShouldContain("&lt;script&gt;alert(1)");
        var mail = await office.Mail(story.CustomerEmail, "has arrived");
        ((string)mail["html"]!).ShouldNotContain("<script");
        ((string)mail["html"]!).ShouldContain("&lt;script&gt;alert(1)");
        ((string)mail["text"]!).ShouldContain("\U0001F99C \U0001D4D0");
        using var declined = await office.Freelancer.PostAsJsonAsync($"{path}/decline", new { reason = $"{Hostile}\r\n.\r\nBcc: eve@example.com" });
        declined.StatusCode.ShouldBe(HttpStatusCode.OK);
        ((string)(await office.Mail(story.CustomerEmail, "declined"))["text"]!).ShouldContain("Bcc: eve@example.com");
        (await office.Mails("eve@example.com")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_line_break_in_a_name_or_title_begins_no_mail_header()
    {
        const string Smuggled = "\r\nBcc: mallory@example.com\r\n\r\nPay here instead";
        var story = await new Story(office).Publish("upFront", "stripe");
        await office.IsRefused(
            null,
            () => office.Ask(story, new { customer = new { name = "Ada" + Smuggled, email = story.CustomerEmail }, answers = new { subject = "x" } }),
            HttpStatusCode.UnprocessableEntity,
            "invalid",
            "customer.name");
        await office.IsRefused(
            null,
            () => office.Ask(story, new { customer = new { name = "Ada", email = story.CustomerEmail }, answers = new { subject = "x" + Smuggled } }),
            HttpStatusCode.UnprocessableEntity,
            "invalid",
            "answers.subject");
        await office.IsRefused(
            null,
            () => office.Freelancer.PutAsJsonAsync($"freelancer/mira/templates/{story.Template}", new
            {
                title = "Portrait" + Smuggled,
                description = "One figure.",
                price = new { amount = "1.00", currency = "EUR" },
                paymentTerms = "upFront",
                providers = new[] { "stripe" },
            }),
            HttpStatusCode.UnprocessableEntity,
            "invalid",
            "title");
        await office.IsRefused(
            null,
            () => office.Freelancer.PutAsJsonAsync("freelancer/mira/profile", new { displayName = "Mira" + Smuggled, email = "mira@cavecomm.example" }),
            HttpStatusCode.UnprocessableEntity,
            "invalid",
            "displayName");
        (await office.Mails("mallory@example.com")).ShouldBeEmpty();
    }

    private async Task<JsonObject> Inbox(string query, string position)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"freelancer/mira/inbox{query}");
        request.Headers.Add("CaveComm-Position", position);
        using var answer = await office.Freelancer.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.Contains("CaveComm-Stale").ShouldBeFalse("the inbox did not follow within two seconds");
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
    }
}
