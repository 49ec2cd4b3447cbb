using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace CaveComm.Benchmarks.Http;

/// <summary>
/// A webhook is taken: verified, stored with the message that has it handled, answered. Beside it a bare insert of the same body by an endpoint of the same
/// server. Then webhooks come at a steady pace, two hundred a second, each timed from the moment when it was due.
/// </summary>
public sealed class WebhooksBenchmark : IBenchmark
{
    private const int Senders = 8;
    private const int PerSecond = 200;
    private const double LeastRatio = 0.5;
    private const double MostMilliseconds = 20;
    private const string Bare = "/benchmark/insert";

    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(10);

    private int number;

    public string Name => "http.webhooks";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var office = await OfficeUnderLoad.Start(server, cancel, MapInsert);
        await using (var connection = await office.Open(cancel))
        await using (var table = new NpgsqlCommand("create table plain_webhook (id varchar primary key, body jsonb not null)", connection))
        {
            await table.ExecuteNonQueryAsync(cancel);
        }

        using var client = office.Client();
        var (plain, ours, ratio) = await Measure.InTurns(
            rounds: 5, each: TimeSpan.FromSeconds(3), Senders, _ => () => Post(client, Bare, null), _ => () => Post(client, "/webhooks/stripe", office.WebhookSecret));
        var paced = await Paced(() => Post(client, "/webhooks/stripe", office.WebhookSecret), cancel);
        return
        [
            new($"{Name}.plain", plain.PerSecond, "inserts/s", plain.P50, plain.P99),
            new(Name, ours.PerSecond, "webhooks/s", ours.P50, ours.P99, Limit: LeastRatio, Ratio: ratio),
            new($"{Name}.steady", Measure.Percentile(paced, 0.99), "ms p99", Measure.Percentile(paced, 0.50), Measure.Percentile(paced, 0.99), Limit: MostMilliseconds),
        ];
    }

    // Through the same server and everything that lies before an endpoint there.
    private static void MapInsert(WebApplication product, NpgsqlDataSource database) => product.MapPost(Bare, async (HttpContext http) =>
    {
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync(http.RequestAborted);
        await using var insert = database.CreateCommand("insert into plain_webhook (id, body) values ($1, $2)");
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Guid.CreateVersion7().ToString() });
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = body, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Jsonb });
        await insert.ExecuteNonQueryAsync(http.RequestAborted);
        return Results.Ok();
    });

    // Nobody waits for the one before: what comes late because the product was slow counts as late.
    private static async Task<IReadOnlyList<double>> Paced(Func<Task> post, CancellationToken cancel)
    {
        var count = (int)(PerSecond * Steady.TotalSeconds);
        var began = Stopwatch.GetTimestamp();
        var posts = new List<Task<double>>(count);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (posts.Count < count)
        {
            var due = Math.Min(count, (int)(Stopwatch.GetElapsedTime(began).TotalSeconds * PerSecond) + 1);
            while (posts.Count < due)
            {
                posts.Add(Timed(post, began, TimeSpan.FromSeconds(posts.Count / (double)PerSecond)));
            }

            await tick.WaitForNextTickAsync(cancel);
        }

        return await Task.WhenAll(posts);
    }

    private static async Task<double> Timed(Func<Task> post, long began, TimeSpan due)
    {
        await post();
        return (Stopwatch.GetElapsedTime(began) - due).TotalMilliseconds;
    }

    /// <param name="secret">Null for the endpoint that verifies nothing.</param>
    private async Task Post(HttpClient client, string address, string? secret)
    {
        var body = Body(Interlocked.Increment(ref number));
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (secret is not null)
        {
            var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            var signature = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{now}.{body}")));
            request.Headers.TryAddWithoutValidation("Stripe-Signature", string.Create(CultureInfo.InvariantCulture, $"t={now},v1={signature}"));
        }

        using var answer = await client.SendAsync(request);
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            throw new InvalidOperationException($"{address} answered {answer.StatusCode}.");
        }
    }

    // About as long as a real one, and about a payout that is none of ours: it is taken, stored and handled like any other, and found to concern nobody.
    private static string Body(int number) => new JsonObject
    {
        ["id"] = $"evt_{Guid.NewGuid():N}",
        ["object"] = "event",
        ["api_version"] = "2026-07-29.dahlia",
        ["created"] = 1785000000,
        ["type"] = "payout.paid",
        ["data"] = new JsonObject { ["object"] = new JsonObject { ["object"] = "payout", ["id"] = $"po_{number}", ["description"] = new string('x', 1_500) } },
    }.ToJsonString();
}
