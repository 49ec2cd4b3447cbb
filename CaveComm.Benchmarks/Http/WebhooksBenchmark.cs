using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace CaveComm.Benchmarks.Http;

/// <summary>
/// A webhook is taken: verified, stored, answered. Beside it a bare insert of the same body by an endpoint of the same server. The same with what follows on
/// the same machine at the same time: a message that has the event handled, and its handling. Then such webhooks come at a steady pace, two hundred a second,
/// each timed from the moment when it was due.
/// </summary>
public sealed class WebhooksBenchmark : IBenchmark
{
    private const int Senders = 8;
    private const int PerSecond = 200;
    private const double LeastRatio = 0.5;
    private const double MostMilliseconds = 20;
    private const string Bare = "/benchmark/insert";
    private const string Stripe = "/webhooks/stripe";

    // Of the first a message asks whose payout it is, and finds that it is none of ours. The second names nothing that anybody could look at.
    private const string Handled = "payout";
    private const string Unheard = "topup";

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
        var (plain, ours, ratio) = await Against(() => Post(client, Stripe, office.WebhookSecret, Unheard));
        var (_, handled, ratioOfHandled) = await Against(() => Post(client, Stripe, office.WebhookSecret, Handled));
        var paced = await Paced(() => Post(client, Stripe, office.WebhookSecret, Handled), cancel);
        return
        [
            new($"{Name}.plain", plain.PerSecond, "inserts/s", plain.P50, plain.P99),
            new(Name, ours.PerSecond, "webhooks/s", ours.P50, ours.P99, Limit: LeastRatio, Ratio: ratio),
            new($"{Name}.handled", handled.PerSecond, "webhooks/s", handled.P50, handled.P99, Ratio: ratioOfHandled),
            new($"{Name}.handled.steady", Measure.Percentile(paced, 0.99), "ms p99", Measure.Percentile(paced, 0.50), Measure.Percentile(paced, 0.99), Limit: MostMilliseconds),
        ];

        Task<(Measure.Rate Plain, Measure.Rate Ours, double Ratio)> Against(Func<Task> post) =>
            Measure.InTurns(rounds: 5, each: TimeSpan.FromSeconds(3), Senders, _ => () => Post(client, Bare, null, Unheard), _ => post);
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
    private async Task Post(HttpClient client, string address, string? secret, string subject)
    {
        var body = Body(Interlocked.Increment(ref number), subject);
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

    // As a real one looks.
    private static string Body(int number, string subject) => $$"""
        {
          "id": "evt_{{Guid.NewGuid():N}}",
          "object": "event",
          "api_version": "2026-07-29.dahlia",
          "created": {{1785000000 + number}},
          "data": {
            "object": {
              "id": "{{subject}}_{{number}}",
              "object": "{{subject}}",
              "amount": {{number * 37 % 900_000}},
              "application_fee": null,
              "application_fee_amount": null,
              "arrival_date": {{1785100000 + number}},
              "automatic": false,
              "balance_transaction": "txn_{{Guid.NewGuid():N}}",
              "created": {{1785000000 + number}},
              "currency": "eur",
              "description": "Payout for commission {{Guid.NewGuid()}}",
              "destination": "ba_{{Guid.NewGuid():N}}",
              "failure_balance_transaction": null,
              "failure_code": null,
              "failure_message": null,
              "livemode": false,
              "metadata": {
                "reference": "{{Guid.NewGuid()}}",
                "batch": "batch:{{Guid.NewGuid()}}/{{number}}"
              },
              "method": "standard",
              "original_payout": null,
              "payout_method": null,
              "reconciliation_status": "not_applicable",
              "reversed_by": null,
              "source_type": "card",
              "statement_descriptor": "MIRA DRAWS",
              "status": "paid",
              "trace_id": {
                "status": "supported",
                "value": "{{Guid.NewGuid():N}}"
              },
              "type": "bank_account"
            }
          },
          "livemode": false,
          "pending_webhooks": 1,
          "request": {
            "id": "req_{{Guid.NewGuid():N}}",
            "idempotency_key": "{{Guid.NewGuid()}}"
          },
          "type": "{{subject}}.paid"
        }
        """;
}
