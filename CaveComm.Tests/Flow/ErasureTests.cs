using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Api.Customers;
using CaveComm.Domain;
using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>A customer who asks to be forgotten is; the work and its money go on, and history still folds.</summary>
public sealed class ErasureTests(Office office) : IClassFixture<Office>
{
    private const string Erased = "[erased]";
    private const string Answer = "A raven";

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task Who_is_erased_is_nowhere_in_the_database(string provider)
    {
        var (story, other) = (Somebody(), Somebody());
        await Deliver(story, provider);
        await other.Publish("upFront", provider);
        await (await other.Request(provider)).Accept();
        await other.PayUrl();
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        var before = await Dump();
        Occurrences(before["mt_events"], story).ShouldBe(0);
        before.Keys.Where(table => Occurrences(before[table], story) > 0).ShouldBe(["mt_doc_inboxitem_3"]);
        (await story.Detail())["customer"]!["email"]!.GetValue<string>().ShouldBe(story.CustomerEmail);
        (await Bodies(provider)).ShouldContain(body => Names(body, story), "Otherwise this shows nothing about what providers tell.");

        using var answer = await Erase(await CustomerId(story));

        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        foreach (var (table, text) in await Dump())
        {
            Occurrences(text, story).ShouldBe(0, table);
        }

        var bodies = await Bodies(provider);
        bodies.ShouldContain(Erased);
        bodies.ShouldNotContain(body => Names(body, story));
        bodies.ShouldContain(body => Names(body, other), "What is told of others stays.");
        (await other.Detail())["customer"]!["name"]!.GetValue<string>().ShouldBe(other.CustomerName);
        (await other.Detail())["answers"]!["subject"]!.GetValue<string>().ShouldBe(Answer);
    }

    [Fact]
    public async Task Everything_that_was_shown_shows_that_it_was_erased()
    {
        var story = Somebody();
        await Deliver(story, "stripe");
        var customer = await CustomerId(story);
        using var before = await office.Freelancer.GetAsync(story.Path);

        using var answer = await Erase(customer);

        var account = (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
        ((bool)account["erased"]!).ShouldBeTrue();
        ((Guid)account["commissions"]!.AsArray().ShouldHaveSingleItem()!["requestId"]!).ShouldBe(story.RequestId);
        using var after = await office.Freelancer.GetAsync(story.Path);
        after.Headers.ETag.ShouldNotBe(before.Headers.ETag, "Who has a copy must not be told that it still holds.");
        var detail = (await after.Content.ReadFromJsonAsync<JsonObject>())!;
        detail["customer"]!.ToJsonString().ShouldBe($$"""{"id":"{{customer}}","name":"{{Erased}}","email":"{{Erased}}"}""");
        detail["answers"]!.AsObject().ShouldAllBe(it => (string)it.Value! == Erased);
        ((string)detail["history"]![0]!["text"]!).ShouldStartWith($"{Erased} asked for");
        ((string)detail["history"]!.AsArray()[^1]!["type"]!).ShouldBe("commission.customer-erased");
        ((string)detail["status"]!).ShouldBe("paidOut");
        var inbox = await office.Freelancer.GetStringAsync($"freelancer/{Office.Mira.Handle}/inbox?limit=100");
        inbox.ShouldNotContain(story.CustomerName);
        inbox.ShouldContain(Erased);
        (await office.Anonymous.GetStringAsync(story.StatusUrl)).ShouldNotContain(story.CustomerName);
        foreach (var page in new[] { story.Path, $"admin/customers/{customer}" })
        {
            using var browser = office.Client(await office.SignIn(page == story.Path ? Office.Mira : Office.Vera), "text/html");
            var html = await browser.GetStringAsync(page);
            html.ShouldNotContain(story.CustomerName);
            html.ShouldContain("rased");
        }
    }

    [Fact]
    public async Task Erasing_twice_is_harmless_and_recorded_once_with_who_and_why()
    {
        var story = Somebody();
        await story.Publish("upFront", "stripe");
        await story.Request("stripe");
        var customer = await CustomerId(story);

        var answers = await Task.WhenAll(Erase(customer), Erase(customer), Erase(customer));
        using var again = await Erase(customer);

        answers.Append(again).ShouldAllBe(it => it.StatusCode == HttpStatusCode.OK || it.StatusCode == HttpStatusCode.Accepted);
        await using var session = office.Store.QuerySession();
        var happened = (await session.Events.FetchStreamAsync(StreamKey.Customer(customer), token: TestContext.Current.CancellationToken)).ShouldHaveSingleItem();
        happened.Data.ShouldBe(new Domain.Customers.CustomerEvent.Erased("asked for"));
        happened.Headers!["actor"].ToString()!.ShouldStartWith("account:");
        (await story.History()).ShouldBe(["commission.requested", "commission.customer-erased"]);
        (await File.ReadAllLinesAsync(Path.Combine(office.Folder, ErasureRegister.FileName), TestContext.Current.CancellationToken))
            .Count(line => line.Contains(customer.ToString(), StringComparison.Ordinal)).ShouldBe(1);
        foreach (var answer in answers)
        {
            answer.Dispose();
        }
    }

    [Fact]
    public async Task Only_administrators_erase_and_only_customers_that_there_are()
    {
        var story = Somebody();
        await story.Publish("upFront", "stripe");
        await story.Request("stripe");
        var path = $"admin/customers/{await CustomerId(story)}";

        foreach (var (who, status) in new[] { (office.Freelancer, HttpStatusCode.Forbidden), (office.Anonymous, HttpStatusCode.Unauthorized) })
        {
            using var shown = await who.GetAsync(path);
            shown.StatusCode.ShouldBe(status);
            using var erased = await who.PostAsJsonAsync($"{path}/erase", new { reason = "spite" });
            erased.StatusCode.ShouldBe(status);
        }

        ((string)(await story.Detail())["customer"]!["name"]!).ShouldBe(story.CustomerName);
        using var unknown = await Erase(Guid.NewGuid());
        await unknown.IsProblem(HttpStatusCode.NotFound, "not-found");
        using var nowhere = await office.Admin.GetAsync($"admin/customers/{Guid.NewGuid()}");
        await nowhere.IsProblem(HttpStatusCode.NotFound, "not-found");
        using var talkative = await office.Admin.PostAsJsonAsync($"{path}/erase", new { reason = new string('x', 1_001) });
        await talkative.IsProblem(HttpStatusCode.UnprocessableEntity, "invalid", "reason");
    }

    [Fact]
    public async Task A_form_erases_too()
    {
        var story = Somebody();
        await story.Publish("upFront", "stripe");
        await story.Request("stripe");
        var customer = await CustomerId(story);
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["reason"] = "asked for" });
        using var browser = office.Client(await office.SignIn(Office.Vera), "text/html");

        using var answer = await browser.PostAsync($"admin/customers/{customer}/erase", form);

        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        answer.Headers.Location!.OriginalString.ShouldBe($"/admin/customers/{customer}");
        ((string)(await story.Detail())["customer"]!["name"]!).ShouldBe(Erased);
    }

    [Fact]
    public async Task Work_without_an_invoice_gets_none_when_its_customer_is_gone()
    {
        var story = Somebody();
        await story.Publish("upFront", "stripe");
        await story.Request("stripe");
        await office.Mail(story.CustomerEmail, story.Title);
        using var erased = await Erase(await CustomerId(story));
        var mails = (await office.Mails(story.CustomerEmail)).Count;

        await story.Accept();

        await Eventually.Holds("the set-up is refused", async () => (await story.History()).Contains("commission.invoice-set-up-failed"));
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        using var cancelled = await story.Post("cancel");
        cancelled.StatusCode.ShouldBe(HttpStatusCode.OK);
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        (await office.Mails(story.CustomerEmail)).Count.ShouldBe(mails, "Nobody is written to who was erased.");
        (await office.Mails(Erased)).ShouldBeEmpty();
        (await office.Messages.ListDeadLetters(10, null, TestContext.Current.CancellationToken)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Work_under_way_is_finished_and_paid_out()
    {
        var story = Somebody();
        await (await (await story.Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.PayUrl();
        var erasing = Erase(await CustomerId(story));

        await story.Pay();
        await story.Reaches("inProgress");
        (await erasing).Dispose();
        await story.Upload();

        await story.Reaches("paidOut");
        await Eventually.Holds("the customer is forgotten", async () => (string)(await story.Detail())["customer"]!["name"]! == Erased);
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        foreach (var (table, text) in await Dump())
        {
            Occurrences(text, story).ShouldBe(0, table);
        }
    }

    [Fact]
    public async Task Of_many_first_requests_from_one_address_all_get_one_id()
    {
        var story = Somebody();
        await story.Publish("upFront", "stripe");

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => story.PostRequest("stripe")));

        var ids = new HashSet<Guid>();
        foreach (var answer in answers)
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
            var id = (Guid)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["requestId"]!;
            ids.Add((Guid)(await office.Freelancer.GetFromJsonAsync<JsonObject>($"freelancer/{Office.Mira.Handle}/requests/{id}"))!["customer"]!["id"]!);
            answer.Dispose();
        }

        ids.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Who_comes_back_after_being_erased_is_somebody_new()
    {
        var story = Somebody();
        await story.Publish("upFront", "stripe");
        await story.Request("stripe");
        var (first, customer) = (story.RequestId, await CustomerId(story));
        using var erased = await Erase(customer);

        await story.Request("stripe");

        story.RequestId.ShouldNotBe(first);
        (await CustomerId(story)).ShouldNotBe(customer);
        ((string)(await story.Detail())["customer"]!["name"]!).ShouldBe(story.CustomerName);
    }

    [Fact]
    public async Task Requests_while_their_customer_is_erased_are_either_erased_or_somebody_elses()
    {
        var story = Somebody();
        await story.Publish("upFront", "stripe");
        await story.Request("stripe");
        var customer = await CustomerId(story);

        var asking = Enumerable.Range(0, 10).Select(_ => story.PostRequest("stripe")).ToList();
        using var erased = await Erase(customer);
        var answers = await Task.WhenAll(asking);

        foreach (var answer in answers)
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
            var id = (Guid)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["requestId"]!;
            await Eventually.Holds("the name is gone from all that the erased one asked for", async () =>
            {
                var who = (await office.Freelancer.GetFromJsonAsync<JsonObject>($"freelancer/{Office.Mira.Handle}/requests/{id}"))!["customer"]!;
                return (Guid)who["id"]! == customer ? (string)who["name"]! == Erased : (string)who["name"]! == story.CustomerName;
            });
            answer.Dispose();
        }
    }

    [Fact]
    public async Task A_database_from_before_an_erasure_is_erased_again()
    {
        var story = Somebody();
        await story.Publish("upFront", "stripe");
        await story.Request("stripe");
        var customer = await CustomerId(story);
        var subject = StreamKey.Customer(customer);
        await office.Database.Execute($"create table kept_key as select * from cavecomm_personal_key where subject = '{subject}'");
        using var erased = await Erase(customer);
        await PutBack(subject, story);
        (await HasKey(subject)).ShouldBeTrue();

        await using (var scope = office.Services.CreateAsyncScope())
        {
            (await scope.ServiceProvider.GetRequiredService<CustomerErasure>().ReapplyRemembered(TestContext.Current.CancellationToken)).ShouldBe(1);
            (await scope.ServiceProvider.GetRequiredService<CustomerErasure>().ReapplyRemembered(TestContext.Current.CancellationToken)).ShouldBe(0);
        }

        (await HasKey(subject)).ShouldBeFalse();
        await Eventually.Holds("the views follow", async () => (await story.History()).Contains("commission.customer-erased"));
        await using var session = office.Store.QuerySession();
        (await session.Events.FetchStreamAsync(subject, token: TestContext.Current.CancellationToken)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Before_a_database_is_replaced_its_erasures_are_written_down()
    {
        var story = Somebody();
        await story.Publish("upFront", "stripe");
        await story.Request("stripe");
        var customer = await CustomerId(story);
        await using (var session = office.Store.LightweightSession())
        {
            office.Services.GetRequiredService<IPersonalData>().Erase(session, StreamKey.Customer(customer));
            await session.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        await using var scope = office.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<CustomerErasure>().RememberAll(TestContext.Current.CancellationToken);

        (await scope.ServiceProvider.GetRequiredService<ErasureRegister>().All(TestContext.Current.CancellationToken)).ShouldContain(it => it.Customer == customer);
    }

    private static Story Somebodys(Office office) => new(office) { CustomerName = $"Zelda {Guid.NewGuid():N}"[..20] };

    private Story Somebody() => Somebodys(office);

    private static async Task Deliver(Story story, string provider)
    {
        await (await (await story.Publish("upFront", provider)).Request(provider)).Accept();
        await story.Pay();
        await story.Reaches("inProgress");
        await story.Upload();
        await story.Reaches("paidOut");
    }

    private static async Task<Guid> CustomerId(Story story) => (Guid)(await story.Detail())["customer"]!["id"]!;

    private Task<HttpResponseMessage> Erase(Guid customer) => office.Admin.PostAsJsonAsync($"admin/customers/{customer}/erase", new { reason = "asked for" });

    private static int Occurrences(string text, Story story) => new[] { story.CustomerName, story.CustomerEmail }.Count(it => text.Contains(it, StringComparison.OrdinalIgnoreCase));

    private static bool Names(string text, Story story) => Occurrences(text, story) > 0;

    /// <summary>What was there before the erasure, as a backup has it.</summary>
    private Task PutBack(string subject, Story story) => office.Database.Execute($"""
        delete from mt_events where stream_id = '{subject}' or (stream_id = '{StreamKey.Commission(story.RequestId)}' and type = 'commission.customer-erased');
        delete from mt_streams where id = '{subject}';
        update mt_streams set version = 1 where id = '{StreamKey.Commission(story.RequestId)}';
        update mt_doc_inboxitem_3 set mt_version = 1, data = jsonb_set(jsonb_set(data, '{"{version}"}', '1'), '{"{state,isCustomerErased}"}', 'false') where id = '{StreamKey.Commission(story.RequestId)}';
        delete from cavecomm_messages where type like '%SpreadErasure%' or type like '%spread%';
        update cavecomm_personal_key k set key = o.key, erased_at = null from kept_key o where o.subject = k.subject;
        drop table kept_key
        """);

    private Task<bool> HasKey(string subject) => office.Database.Scalar<bool>($"select key is not null from cavecomm_personal_key where subject = '{subject}'");

    private async Task<Dictionary<string, string>> Dump()
    {
        await using var connection = await office.Database.Open();
        var tables = new List<string>();
        await using (var command = new NpgsqlCommand("select table_name from information_schema.tables where table_schema = 'public' order by table_name", connection))
        {
            await using var rows = await command.ExecuteReaderAsync();
            while (await rows.ReadAsync())
            {
                tables.Add(rows.GetString(0));
            }
        }

        var texts = new Dictionary<string, string>();
        foreach (var table in tables)
        {
            texts[table] = await office.Database.Scalar<string>($"select coalesce(string_agg(t::text, ' '), '') from \"{table}\" t");
        }

        return texts;
    }

    /// <summary>The bodies of a provider's webhooks, as far as they can be read.</summary>
    private async Task<IReadOnlyList<string>> Bodies(string provider)
    {
        await using var connection = await office.Database.Open();
        await using var command = new NpgsqlCommand($"select stream_id from mt_events where stream_id like '{provider}-event:%'", connection);
        var keys = new List<string>();
        await using (var rows = await command.ExecuteReaderAsync())
        {
            while (await rows.ReadAsync())
            {
                keys.Add(rows.GetString(0));
            }
        }

        await using var session = office.Store.QuerySession();
        var bodies = new List<string>();
        foreach (var key in keys)
        {
            bodies.AddRange((await session.Events.FetchStreamAsync(key)).Select(it => ((Domain.Payments.ProviderEvent.Received)it.Data).Body));
        }

        return bodies;
    }
}
