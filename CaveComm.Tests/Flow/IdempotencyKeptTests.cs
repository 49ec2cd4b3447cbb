using System.Text;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Which answers are kept, for how long, and that nobody reads them where they lie.</summary>
[Collection(nameof(IdempotencyOffice))]
public sealed class IdempotencyKeptTests(Office office)
{
    [Fact]
    public async Task A_decided_refusal_is_answered_again_and_what_was_not_decided_is_not()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        var (key, path) = (KeyedRequests.NewKey(), KeyedRequests.PathOf(story));
        var body = new { customer = new { name = "", email = "nobody" } };

        // Broken and too large things are no requests yet.
        (await office.Anonymous.PostWith(key, path, new StringContent("{", Encoding.UTF8, "application/json"))).Status.ShouldBe(400);
        (await office.Anonymous.PostWith(key, path, new StringContent(new string(' ', 300_000), Encoding.UTF8, "application/json"))).Status.ShouldBe(413);
        (await office.Anonymous.PostWith(key, path, new StringContent("x", Encoding.UTF8, "text/plain"))).Status.ShouldBe(415);

        // A stranger's refusal wrote nothing, and keeping it would let strangers fill the table: it is decided anew.
        (await office.Anonymous.PostWith(key, path, KeyedRequests.Json(body))).Problem.ShouldBe("/problems/invalid");
        (await office.Anonymous.PostWith(key, path, KeyedRequests.Json(body))).IsReplayed.ShouldBeFalse();
        (await office.Anonymous.PostWith(key, path, KeyedRequests.Json(story.RequestBody("stripe")))).Status.ShouldBe(201);

        var (own, invoice) = (KeyedRequests.NewKey(), "freelancer/mira/createInvoice");
        var refused = await office.Freelancer.PostWith(own, invoice, KeyedRequests.Json(body));
        var again = await office.Freelancer.PostWith(own, invoice, KeyedRequests.Json(body));
        refused.Problem.ShouldBe("/problems/invalid");
        again.Whole.ShouldBe(refused.Whole, "even its trace id is the first one's");
        again.IsReplayed.ShouldBeTrue();
        (await office.Freelancer.PostWith(own, invoice, KeyedRequests.Json(new { description = "other" }))).Problem.ShouldBe("/problems/idempotency-key-reused");

        // Who was not up to date looks again, and acts with the same key.
        await story.Request("stripe");
        var act = KeyedRequests.NewKey();
        (await office.Freelancer.PostWith(act, $"{story.Path}/accept", null, ("If-Match", "\"7\""))).Status.ShouldBe(412);
        (await office.Freelancer.PostWith(act, $"{story.Path}/accept", null, ("If-Match", "\"1\""))).Status.ShouldBe(200);
        (await office.Freelancer.PostWith(act, $"{story.Path}/accept", null, ("If-Match", "\"1\""))).Status.ShouldBe(200);

        // A refusal by the stage stays one.
        var late = KeyedRequests.NewKey();
        var conflict = await office.Freelancer.PostWith(late, $"{story.Path}/decline");
        conflict.Problem.ShouldBe("/problems/wrong-stage");
        (await office.Freelancer.PostWith(late, $"{story.Path}/decline")).Whole.ShouldBe(conflict.Whole);
    }

    [Fact]
    public async Task After_a_day_a_key_is_free_again()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        var (key, path) = (KeyedRequests.NewKey(), KeyedRequests.PathOf(story));
        var first = await office.Anonymous.PostWith(key, path, KeyedRequests.Json(story.RequestBody("stripe")));
        var row = await Newest();

        (await office.Database.Scalar<double>($"select extract(epoch from expires_at - now())::float8 from cavecomm_http_answer where id = '{row}'"))
            .ShouldBeInRange(24 * 3600 - 60, 24 * 3600);
        await office.Database.Execute($"update cavecomm_http_answer set expires_at = now() - interval '1 second' where id = '{row}'");
        var later = await office.Anonymous.PostWith(key, path, KeyedRequests.Json(story.RequestBody("stripe")));

        (later.Status, later.IsReplayed).ShouldBe((201, false));
        later.Member("requestId").ShouldNotBe(first.Member("requestId"));
        (await office.CommissionsOf(story)).ShouldBe(2);
    }

    [Fact]
    public async Task What_is_past_is_cleared_away_as_new_answers_come()
    {
        await office.Database.Execute(
            "insert into cavecomm_http_answer select sha256(i::text::bytea), now() - interval '1 day', '' from generate_series(1, 3) i");
        var story = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");

        await office.Freelancer.PostWith(KeyedRequests.NewKey(), $"{story.Path}/read");
        await office.Freelancer.PostWith(KeyedRequests.NewKey(), $"{story.Path}/read");

        (await office.Database.Scalar<long>("select count(*) from cavecomm_http_answer where expires_at < now() - interval '1 hour'")).ShouldBe(0);
    }

    [Fact]
    public async Task Nothing_of_an_answer_or_a_body_lies_in_the_clear()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        var key = KeyedRequests.NewKey();
        var first = await office.Anonymous.PostWith(key, KeyedRequests.PathOf(story), KeyedRequests.Json(story.RequestBody("stripe")));

        var kept = await Rows();

        var token = new Uri(first.Member("statusUrl")).Query["?token=".Length..];
        foreach (var secret in new[] { token, story.CustomerEmail, first.Member("requestId"), key, "statusUrl" })
        {
            kept.ShouldAllBe(row => !row.Contains(secret, StringComparison.Ordinal));
        }

        kept.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Secrets_are_not_kept()
    {
        var before = await Count();
        var key = KeyedRequests.NewKey();
        var (handle, password) = Office.Mira;

        var first = await office.Anonymous.PostWith(key, "freelancer/login", KeyedRequests.Json(new { username = handle, password }));
        var again = await office.Anonymous.PostWith(key, "freelancer/login", KeyedRequests.Json(new { username = handle, password }));

        (first.Status, again.Status, again.IsReplayed).ShouldBe((200, 200, false));
        (await Count()).ShouldBe(before);
    }

    [Fact]
    public async Task A_registration_by_a_program_is_answered_again_and_by_a_form_it_is_not()
    {
        var handle = $"kim-{Guid.NewGuid():N}"[..20];
        var body = new { handle, displayName = "Kim", email = $"{handle}@example.com", password = "river-Stone-4-bicycle" };
        var key = KeyedRequests.NewKey();

        var first = await office.Anonymous.PostWith(key, "freelancer/register", KeyedRequests.Json(body));
        var again = await office.Anonymous.PostWith(key, "freelancer/register", KeyedRequests.Json(body));

        first.Status.ShouldBe(201, first.Body);
        again.Whole.ShouldBe(first.Whole);
        (await office.Anonymous.PostWith(KeyedRequests.NewKey(), "freelancer/register", KeyedRequests.Json(body))).Status.ShouldBe(409);
    }

    private Task<long> Count() => office.Database.Scalar<long>("select count(*) from cavecomm_http_answer");

    private Task<string> Newest() => office.Database.Scalar<string>("select id::text from cavecomm_http_answer order by expires_at desc limit 1");

    private async Task<List<string>> Rows()
    {
        await using var connection = await office.Database.Open();
        await using var command = new NpgsqlCommand("select encode(id, 'escape') || encode(answer, 'escape') from cavecomm_http_answer", connection);
        await using var rows = await command.ExecuteReaderAsync();
        var found = new List<string>();
        while (await rows.ReadAsync())
        {
            found.Add(rows.GetString(0));
        }

        return found;
    }
}
