using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>A request that is sent again with its key is carried out once, and answered as the first time.</summary>
[Collection(nameof(IdempotencyOffice))]
public sealed class IdempotencyTests(Office office)
{
    [Fact]
    public async Task A_request_sent_twice_is_one_commission_with_one_mail_and_one_answer()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        var (key, path) = (KeyedRequests.NewKey(), KeyedRequests.PathOf(story));

        var first = await office.Anonymous.PostWith(key, path, KeyedRequests.Json(story.RequestBody("stripe")));
        var again = await office.Anonymous.PostWith(key, path, KeyedRequests.Json(story.RequestBody("stripe")));

        first.Status.ShouldBe(201, first.Body);
        first.IsReplayed.ShouldBeFalse();
        first.Headers.Keys.ShouldContain("CaveComm-Position");
        first.Headers.Keys.ShouldContain("ETag");
        first.Headers.Keys.ShouldContain("Location");
        again.Whole.ShouldBe(first.Whole);
        again.IsReplayed.ShouldBeTrue();
        (await office.CommissionsOf(story)).ShouldBe(1);
        await office.Mail(story.CustomerEmail, story.Title);
        await office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));
        (await office.Mails(story.CustomerEmail)).Count.ShouldBe(1);
        (await office.Anonymous.GetAsync(again.Member("statusUrl"), TestContext.Current.CancellationToken)).IsSuccessStatusCode.ShouldBeTrue();
    }

    [Fact]
    public async Task Without_a_key_or_with_another_each_request_counts()
    {
        var story = await new Story(office).Publish("upFront", "stripe");

        foreach (var key in (string?[])[null, null, KeyedRequests.NewKey(), KeyedRequests.NewKey()])
        {
            (await office.Anonymous.PostWith(key, KeyedRequests.PathOf(story), KeyedRequests.Json(story.RequestBody("stripe")))).Status.ShouldBe(201);
        }

        (await office.CommissionsOf(story)).ShouldBe(4);
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_refused_and_nothing_happens()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        var key = KeyedRequests.NewKey();
        (await office.Anonymous.PostWith(key, KeyedRequests.PathOf(story), KeyedRequests.Json(story.RequestBody("stripe")))).Status.ShouldBe(201);

        var other = new Story(office);
        var refused = await office.Anonymous.PostWith(key, KeyedRequests.PathOf(story), KeyedRequests.Json(other.RequestBody("stripe")));
        var empty = await office.Anonymous.PostWith(key, KeyedRequests.PathOf(story));

        (refused.Status, refused.Problem).ShouldBe((422, "/problems/idempotency-key-reused"));
        (empty.Status, empty.Problem).ShouldBe((422, "/problems/idempotency-key-reused"));
        refused.Body.ShouldNotContain("statusUrl");
        (await office.CommissionsOf(story)).ShouldBe(1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("a\tb")]
    public async Task A_key_that_is_none_is_told_and_nothing_happens(string key)
    {
        var story = await new Story(office).Publish("upFront", "stripe");

        (await office.Anonymous.PostWith(key, KeyedRequests.PathOf(story), KeyedRequests.Json(story.RequestBody("stripe")))).Status.ShouldBe(400);

        (await office.CommissionsOf(story)).ShouldBe(0);
    }

    [Fact]
    public async Task A_key_has_at_most_255_characters()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        var body = story.RequestBody("stripe");

        (await office.Anonymous.PostWith(new string('k', 256), KeyedRequests.PathOf(story), KeyedRequests.Json(body))).Problem.ShouldBe("/problems/malformed");
        (await office.Anonymous.PostWith(KeyedRequests.NewKey(), KeyedRequests.PathOf(story), KeyedRequests.Json(body), ("Idempotency-Key", KeyedRequests.NewKey()))).Problem.ShouldBe("/problems/malformed");
        (await office.Anonymous.PostWith(new string('k', 255), KeyedRequests.PathOf(story), KeyedRequests.Json(body))).Status.ShouldBe(201);

        (await office.CommissionsOf(story)).ShouldBe(1);
    }

    [Fact]
    public async Task A_key_says_nothing_at_another_address_nor_from_another_caller()
    {
        var key = KeyedRequests.NewKey();
        var first = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");
        var second = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");

        (await office.Freelancer.PostWith(key, $"{first.Path}/accept", KeyedRequests.Json(new { }))).Status.ShouldBe(200);
        var other = await office.Freelancer.PostWith(key, $"{second.Path}/accept", KeyedRequests.Json(new { }));
        (other.Status, other.IsReplayed).ShouldBe((200, false));

        // Somebody else's key is nobody's; who is not let in is not told what was answered.
        (await office.Second.PostWith(key, $"{first.Path}/accept", KeyedRequests.Json(new { }))).Status.ShouldBe(404);
        (await office.Anonymous.PostWith(key, $"{first.Path}/accept", KeyedRequests.Json(new { }))).Status.ShouldBe(401);

        var body = KeyedRequests.Json(new { reason = "no" });
        (await office.Freelancer.PostWith(key, "freelancer/jonas/open", body)).Status.ShouldBe(404);
        var jonas = await office.Second.PostWith(key, "freelancer/jonas/open", KeyedRequests.Json(new { reason = "no" }));
        (jonas.Status, jonas.IsReplayed).ShouldBe((200, false));
    }

    [Fact]
    public async Task A_stranger_with_the_customers_key_gets_neither_the_private_address_nor_the_act()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        var key = KeyedRequests.NewKey();
        var asked = await office.Anonymous.PostWith(key, KeyedRequests.PathOf(story), KeyedRequests.Json(story.RequestBody("stripe")));
        var status = new Uri(asked.Member("statusUrl"));
        var withdraw = $"{status.AbsolutePath}/withdraw";
        (await office.Anonymous.PostWith(key, $"{withdraw}{status.Query}")).Status.ShouldBe(200);

        var guessed = await office.Anonymous.PostWith(key, KeyedRequests.PathOf(story), KeyedRequests.Json(new { customer = new { name = "Eve", email = story.CustomerEmail } }));
        var withoutToken = await office.Anonymous.PostWith(key, withdraw);
        var withWrongToken = await office.Anonymous.PostWith(key, $"{withdraw}?token=abc");

        guessed.Status.ShouldBe(422);
        guessed.Body.ShouldNotContain(status.Query);
        (withoutToken.Status, withWrongToken.Status).ShouldBe((404, 404));
        var replayed = await office.Anonymous.PostWith(key, $"{withdraw}{status.Query}");
        (replayed.Status, replayed.IsReplayed).ShouldBe((200, true));
    }

    [Fact]
    public async Task An_act_by_an_empty_post_is_answered_again_as_it_was_though_things_have_moved_on()
    {
        var story = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");
        var key = KeyedRequests.NewKey();

        var first = await office.Freelancer.PostWith(key, $"{story.Path}/accept");
        await story.Reaches("awaitingPayment");
        var again = await office.Freelancer.PostWith(key, $"{story.Path}/accept");

        first.Status.ShouldBe(200, first.Body);
        again.Whole.ShouldBe(first.Whole);
        (await story.History()).Count(it => it == "commission.accepted").ShouldBe(1);
    }

    [Fact]
    public async Task A_form_is_answered_again_and_compared_without_its_token()
    {
        var story = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");
        var key = KeyedRequests.NewKey();
        FormUrlEncodedContent Form(string reason, string token) => new(new Dictionary<string, string> { ["reason"] = reason, ["__RequestVerificationToken"] = token });

        var first = await office.Freelancer.PostWith(key, $"{story.Path}/decline", Form("no time", "one"), ("Accept", "text/html"));
        var again = await office.Freelancer.PostWith(key, $"{story.Path}/decline", Form("no time", "two"), ("Accept", "text/html"));
        var other = await office.Freelancer.PostWith(key, $"{story.Path}/decline", Form("no wish", "one"), ("Accept", "text/html"));

        first.Status.ShouldBe(303, first.Body);
        again.Whole.ShouldBe(first.Whole);
        again.Headers["Location"].ShouldEndWith(story.Path);
        other.Status.ShouldBe(422);
        (await story.History()).Count(it => it == "commission.declined").ShouldBe(1);
    }

    [Fact]
    public async Task An_upload_is_the_same_by_its_parts_whatever_its_boundary()
    {
        var story = await Accepted();
        var (key, path) = (KeyedRequests.NewKey(), $"{story.Path}/finalProduct");
        var first = await office.Freelancer.PostWith(key, path, KeyedRequests.Upload("one", ("file", "a.png", "raven"), ("file", "b.png", "crow")));
        var files = Files();

        var again = await office.Freelancer.PostWith(key, path, KeyedRequests.Upload("two", ("file", "a.png", "raven"), ("file", "b.png", "crow")));

        first.Status.ShouldBe(201, first.Body);
        again.Whole.ShouldBe(first.Whole);
        foreach (var other in new[]
        {
            KeyedRequests.Upload("one", ("file", "a.png", "raven"), ("file", "b.png", "crows")),
            KeyedRequests.Upload("one", ("file", "a.png", "raven"), ("file", "c.png", "crow")),
            KeyedRequests.Upload("one", ("file", "a.png", "raven"), ("other", "b.png", "crow")),
            KeyedRequests.Upload("one", ("file", "a.png", "raven")),
            KeyedRequests.Upload("one", ("file", "a.png", "raven"), ("file", "b.png", "crow"), ("file", "c.png", "")),
        })
        {
            (await office.Freelancer.PostWith(key, path, other)).Problem.ShouldBe("/problems/idempotency-key-reused");
        }

        Files().ShouldBe(files);
        (await story.History()).Count(it => it == "commission.product-uploaded").ShouldBe(1);
    }

    [Fact]
    public async Task Of_twenty_at_once_one_acts_and_all_get_its_answer()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        var (key, path) = (KeyedRequests.NewKey(), KeyedRequests.PathOf(story));

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => office.Anonymous.PostWith(key, path, KeyedRequests.Json(story.RequestBody("stripe")))));

        answers.Count(it => !it.IsReplayed && it.Status == 201).ShouldBe(1);
        answers.ShouldAllBe(it => it.Status == 201 || (it.Status == 409 && it.Headers.ContainsKey("Retry-After")));
        answers.Where(it => it.Status == 201).Select(it => it.Whole).Distinct().Count().ShouldBe(1);
        (await office.CommissionsOf(story)).ShouldBe(1);
    }

    [Fact]
    public async Task Of_eight_customers_at_once_five_get_the_five_slots()
    {
        var stories = Enumerable.Range(0, 8).Select(_ => new Story(office)).ToList();
        var shop = await new Story(office).Publish("upFront", "stripe", slots: 5);

        var answers = await Task.WhenAll(stories.Select(it => office.Anonymous.PostWith(KeyedRequests.NewKey(), KeyedRequests.PathOf(shop), KeyedRequests.Json(it.RequestBody("stripe")))));

        answers.Count(it => it.Status == 201).ShouldBe(5);
        answers.Where(it => it.Status != 201).ShouldAllBe(it => it.Problem == "/problems/slots-full");
        (await office.CommissionsOf(shop)).ShouldBe(5);
    }

    private async Task<Story> Accepted() => await (await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe")).Accept();

    private List<string> Files() => [.. Directory.EnumerateFiles(office.Storage, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
}
