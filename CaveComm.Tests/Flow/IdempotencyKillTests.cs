using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>The product is killed (SIGKILL) at each point of a request with a key; its repeat at the next process comes out right and once.</summary>
public sealed class IdempotencyKillTests
{
    private const long Gate = 4_711;

    [Fact]
    public async Task Killed_before_the_commit_after_it_or_in_an_upload_the_repeat_ends_it_once()
    {
        await using var office = await KillableOffice.Start(inOne: false);
        using var mira = await SignedIn(office);
        var handle = (string)office.Facts["accounts"]!["freelancer"]!["handle"]!;

        // Written and answered, but not committed: of that nothing is left, not even a lock.
        var before = await Publish(mira, handle);
        await using (var gate = await Close(office))
        {
            using var socket = await Send(office, before);
            await Eventually.Holds("the answer is about to be kept", async () => await office.Scalar<long>(
                $"select count(*) from pg_locks where locktype = 'advisory' and objid = {Gate} and not granted") == 1);
            await office.Kill();
        }

        await Eventually.Holds("the server has noticed", async () => await office.Scalar<long>(
            $"select count(*) from pg_locks where locktype = 'advisory' and objid = {Gate}") == 0);
        (await Commissions(office, handle, before)).ShouldBe(0);
        (await office.Scalar<long>("select count(*) from cavecomm_http_answer")).ShouldBe(0);
        await Open(office);
        office.Restart();
        await office.Ready();
        using var customer = Client(office);
        var first = await customer.PostWith(before.Key, before.Path, before.Body());
        (first.Status, first.IsReplayed).ShouldBe((201, false), first.Body);
        (await Commissions(office, handle, before)).ShouldBe(1);

        // Committed, and the answer never read: the repeat gets it from the next process.
        var after = await Publish(mira, handle);
        using (await Send(office, after))
        {
            await Eventually.Holds("it is committed", async () => await Commissions(office, handle, after) == 1);
            await office.Kill();
        }

        (await office.Scalar<long>("select count(*) from cavecomm_http_answer")).ShouldBe(2, "the answer is committed with what it answers");
        office.Restart();
        await office.Ready();
        var again = await customer.PostWith(after.Key, after.Path, after.Body());
        (again.Status, again.IsReplayed).ShouldBe((201, true), again.Body);
        (await Commissions(office, handle, after)).ShouldBe(1);
        (await customer.PostWith(before.Key, before.Path, before.Body())).Whole.ShouldBe(first.Whole, "a key outlives the process");

        // In the middle of an upload nothing is held yet.
        var product = $"freelancer/{handle}/requests/{again.Member("requestId")}/finalProduct";
        (await mira.PostWith(null, product.Replace("finalProduct", "accept", StringComparison.Ordinal))).Status.ShouldBe(200);
        var (key, incoming) = (KeyedRequests.NewKey(), Path.Combine(office.Folder, "files", "incoming"));
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(office.Url.Host, office.Url.Port);
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /{product} HTTP/1.1\r\nHost: {office.Url.Authority}\r\nAuthorization: {mira.DefaultRequestHeaders.Authorization}\r\nIdempotency-Key: {key}\r\n"
                + $"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 2000000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n{new string('h', 900_000)}"));
            await Eventually.Holds("a file is being written", () => Directory.Exists(incoming) && Directory.EnumerateFiles(incoming).Any());
            await office.Kill();
        }

        office.Restart();
        await office.Ready();
        var uploaded = await mira.PostWith(key, product, KeyedRequests.Upload("one", ("file", "a.png", "raven")));
        (uploaded.Status, uploaded.IsReplayed).ShouldBe((201, false), uploaded.Body);
        (await mira.PostWith(key, product, KeyedRequests.Upload("two", ("file", "a.png", "raven")))).Whole.ShouldBe(uploaded.Whole);
    }

    private static HttpClient Client(KillableOffice office) => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
    {
        BaseAddress = office.Url,
        DefaultRequestHeaders = { Accept = { new MediaTypeWithQualityHeaderValue("application/json") } },
    };

    private static async Task<HttpClient> SignedIn(KillableOffice office)
    {
        var client = Client(office);
        var account = office.Facts["accounts"]!["freelancer"]!;
        using var answer = await client.PostAsJsonAsync(
            "freelancer/login", new { username = (string)account["username"]!, password = (string)account["password"]! }, TestContext.Current.CancellationToken);
        var token = await answer.Content.ReadFromJsonAsync<JsonObject>(TestContext.Current.CancellationToken);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)token!["access_token"]!);
        return client;
    }

    /// <summary>A template of its own, and a request for it that is not yet sent.</summary>
    private static async Task<Asking> Publish(HttpClient mira, string handle)
    {
        var template = $"template-{Guid.NewGuid():N}"[..40];
        using var answer = await mira.PutAsJsonAsync($"freelancer/{handle}/templates/{template}", new
        {
            title = "A portrait",
            description = "One figure, full colour.",
            price = new { amount = "120.00", currency = "EUR" },
            paymentTerms = "onDelivery",
            providers = new[] { "stripe" },
        });
        answer.IsSuccessStatusCode.ShouldBeTrue();
        return new Asking(template, KeyedRequests.NewKey(), $"customer/{handle}/template/{template}/request", $"{template}@example.com");
    }

    private static Task<long> Commissions(KillableOffice office, string handle, Asking asking) =>
        office.Scalar<long>($"select count(*) from mt_events where stream_id = 'slots:{handle}/{asking.Template}' and type = 'slots.slot-taken'");

    /// <summary>Sends a request and does not listen for its answer.</summary>
    private static async Task<TcpClient> Send(KillableOffice office, Asking asking)
    {
        var json = await asking.Body().ReadAsStringAsync(TestContext.Current.CancellationToken);
        var socket = new TcpClient();
        await socket.ConnectAsync(office.Url.Host, office.Url.Port);
        await socket.GetStream().WriteAsync(Encoding.UTF8.GetBytes(
            $"POST /{asking.Path} HTTP/1.1\r\nHost: {office.Url.Authority}\r\nAccept: application/json\r\nIdempotency-Key: {asking.Key}\r\n"
            + $"Content-Type: application/json; charset=utf-8\r\nContent-Length: {json.Length}\r\n\r\n{json}"));
        return socket;
    }

    /// <summary>From here on whoever keeps an answer waits, until what this returns is disposed of.</summary>
    private static async Task<NpgsqlConnection> Close(KillableOffice office)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder((string)office.Facts["database"]!) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(
            $"""
            create function wait_at_gate() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock({Gate}); return new; end $$;
            create trigger wait_at_gate before insert on cavecomm_http_answer for each row execute function wait_at_gate();
            select pg_advisory_lock({Gate})
            """,
            connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    private static async Task Open(KillableOffice office)
    {
        await using var command = office.Database.CreateCommand("drop trigger wait_at_gate on cavecomm_http_answer; drop function wait_at_gate()");
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private sealed record Asking(string Template, string Key, string Path, string Email)
    {
        public StringContent Body() => KeyedRequests.Json(new { customer = new { name = "Ada", email = Email }, answers = new { }, provider = "stripe" });
    }
}
