using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Repeats that meet on the way: another node at the same request, a client that has gone, steps that were broken off.</summary>
[Collection(nameof(IdempotencyOffice))]
public sealed class IdempotencyMeetingTests(Office office)
{
    [Fact]
    public async Task While_another_node_is_at_it_a_repeat_is_asked_to_come_back()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        var key = KeyedRequests.NewKey();
        await using (await Hold(key, KeyedRequests.PathOf(story)))
        {
            var answer = await office.Anonymous.PostWith(key, KeyedRequests.PathOf(story), KeyedRequests.Json(story.RequestBody("stripe")));

            answer.Problem.ShouldBe("/problems/idempotency-key-in-use");
            answer.Headers["Retry-After"].ShouldBe("2");
            (await office.CommissionsOf(story)).ShouldBe(0);
        }

        (await office.Anonymous.PostWith(key, KeyedRequests.PathOf(story), KeyedRequests.Json(story.RequestBody("stripe")))).Status.ShouldBe(201);
        (await office.CommissionsOf(story)).ShouldBe(1);
    }

    [Fact]
    public async Task What_another_node_answered_meanwhile_is_the_answer_and_an_upload_leaves_no_second_file()
    {
        var story = await (await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe")).Accept();
        var (key, path) = (KeyedRequests.NewKey(), $"{story.Path}/finalProduct");
        var first = await office.Freelancer.PostWith(key, path, KeyedRequests.Upload("one", ("file", "a.png", "raven")));
        var files = Files();
        first.Status.ShouldBe(201, first.Body);

        // As if the first answer were being written by another node at this very moment.
        await office.Database.Execute("create table aside as select * from cavecomm_http_answer; delete from cavecomm_http_answer");
        Task<Heard> again;
        await using (var node = await Hold(key, path, await Caller()))
        {
            again = office.Freelancer.PostWith(key, path, KeyedRequests.Upload("two", ("file", "a.png", "raven")));
            await Task.WhenAny(Waiting(), again);
            again.IsCompleted.ShouldBeFalse(again.IsCompleted ? (await again).Whole : "");
            await Execute(node, "insert into cavecomm_http_answer select * from aside; drop table aside");
        }

        (await again).Whole.ShouldBe(first.Whole);
        (await again).IsReplayed.ShouldBeTrue();
        Files().ShouldBe(files);
        (await story.History()).Count(it => it == "commission.product-uploaded").ShouldBe(1);
    }

    [Fact]
    public async Task Who_goes_away_before_the_answer_finds_it_whole_on_coming_back()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        var (key, path) = (KeyedRequests.NewKey(), KeyedRequests.PathOf(story));
        var json = await KeyedRequests.Json(story.RequestBody("stripe")).ReadAsStringAsync(TestContext.Current.CancellationToken);
        await using (await Hold(key, path))
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(office.Url.Host, office.Url.Port);
            await socket.GetStream().WriteAsync(Encoding.UTF8.GetBytes(
                $"POST /{path} HTTP/1.1\r\nHost: {office.Url.Authority}\r\nIdempotency-Key: {key}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {json.Length}\r\n\r\n{json}"));
            await Waiting();
        }

        await Eventually.Holds("it is carried out all the same", async () => await office.CommissionsOf(story) == 1);
        var again = await office.Anonymous.PostWith(key, path, KeyedRequests.Json(story.RequestBody("stripe")));
        (again.Status, again.IsReplayed).ShouldBe((201, true));
        again.Member("statusUrl").ShouldContain("token=");
        (await office.CommissionsOf(story)).ShouldBe(1);
    }

    [Fact]
    public async Task A_commit_that_fails_leaves_nothing_and_the_repeat_is_the_first()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        var (key, path) = (KeyedRequests.NewKey(), KeyedRequests.PathOf(story));
        await office.Database.Execute(
            """
            create function break_answers() returns trigger language plpgsql as $$ begin raise exception 'the answer cannot be kept'; end $$;
            create trigger break_answers before insert on cavecomm_http_answer for each row execute function break_answers()
            """);
        var failed = await office.Anonymous.PostWith(key, path, KeyedRequests.Json(story.RequestBody("stripe")));
        await office.Database.Execute("drop trigger break_answers on cavecomm_http_answer; drop function break_answers()");

        failed.Status.ShouldBe(500);
        failed.Headers.Keys.ShouldNotContain("CaveComm-Position");
        (await office.CommissionsOf(story)).ShouldBe(0);
        (await office.Mails(story.CustomerEmail)).ShouldBeEmpty();
        var again = await office.Anonymous.PostWith(key, path, KeyedRequests.Json(story.RequestBody("stripe")));
        (again.Status, again.IsReplayed).ShouldBe((201, false));
        (await office.CommissionsOf(story)).ShouldBe(1);
    }

    [Fact]
    public async Task An_act_of_several_steps_is_recorded_once()
    {
        var name = "BillingProjection";
        var (key, path) = (KeyedRequests.NewKey(), $"admin/projections/{name}/rebuild");
        var reason = $"idempotency {Guid.NewGuid():N}";

        var first = await office.Admin.PostWith(key, path, KeyedRequests.Json(new { reason }));
        var again = await office.Admin.PostWith(key, path, KeyedRequests.Json(new { reason }));

        first.Status.ShouldBe(202, first.Body);
        again.Whole.ShouldBe(first.Whole);
        (await Recorded(reason)).ShouldBe(1);
    }

    [Fact]
    public async Task Steps_that_were_begun_and_not_ended_are_gone_through_again_and_recorded_once()
    {
        var (key, path) = (KeyedRequests.NewKey(), "admin/projections/ShopWindowProjection/rebuild");
        var reason = $"idempotency {Guid.NewGuid():N}";

        // The node dies after the first step: its answer cannot be written.
        await office.Database.Execute(
            """
            create function break_answers() returns trigger language plpgsql as $$ begin raise exception 'the node dies here'; end $$;
            create trigger break_answers before update on cavecomm_http_answer for each row execute function break_answers()
            """);
        var died = await office.Admin.PostWith(key, path, KeyedRequests.Json(new { reason }));
        await office.Database.Execute("drop trigger break_answers on cavecomm_http_answer; drop function break_answers()");
        var other = await office.Admin.PostWith(key, path, KeyedRequests.Json(new { reason = "another" }));
        var again = await office.Admin.PostWith(key, path, KeyedRequests.Json(new { reason }));
        var third = await office.Admin.PostWith(key, path, KeyedRequests.Json(new { reason }));

        died.Status.ShouldBe(500);
        other.Problem.ShouldBe("/problems/idempotency-key-reused");
        again.Status.ShouldBe(202, again.Body);
        third.Whole.ShouldBe(again.Whole);
        (await Recorded(reason)).ShouldBe(1);
    }

    private Task<long> Recorded(string reason) => office.Database.Scalar<long>($"select count(*) from mt_events where data ->> 'reason' = '{reason}'");

    private Task<string> Caller() => office.Database.Scalar<string>(
        $"select substring(stream_id from 'account:(.*)') from mt_events where type = 'account.account-registered' and data ->> 'handle' = '{Office.Mira.Handle}'");

    /// <summary>Holds a request's key as another node would.</summary>
    private async Task<NpgsqlConnection> Hold(string key, string path, string caller = "anonymous")
    {
        var row = SHA256.HashData(Encoding.UTF8.GetBytes($"{caller}\n/{path}\n{key}"));
        var connection = await office.Database.Open();
        await using var command = new NpgsqlCommand("select pg_advisory_lock($1)", connection) { Parameters = { new() { Value = BinaryPrimitives.ReadInt64BigEndian(row) } } };
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    private Task Waiting() => Eventually.Holds("the request waits for the key", async () => await office.Database.Scalar<long>(
        "select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())") > 0);

    private static async Task Execute(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private List<string> Files() => [.. Directory.EnumerateFiles(office.Storage, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
}
