using System.Text.Json.Nodes;
using CaveComm.Tests.Providers;
using CaveComm.Tests.Sandbox.Stripe;
using Shouldly;

namespace CaveComm.Tests.Sandbox;

/// <summary>Each example of an event that lies with the contracts is told by the look-alikes too, in the same shape. Skipped where they are not at hand.</summary>
public sealed class ExampleEventTests
{
    private const string Artist = "acct_1Artist42";

    [Fact]
    public async Task Stripe_tells_every_event_of_the_examples()
    {
        var examples = Contracts.Lines("examples/stripe-events.ndjson").Select(line => JsonNode.Parse(line)!).ToList();
        await using var stripe = await StripeSandbox.Start();
        await LiveThrough(stripe);

        List<JsonNode> told = [];
        await StripeSandbox.Eventually(
            async () =>
            {
                told = [.. await Events(stripe, null), .. await Events(stripe, Artist)];
                return examples.All(example => Unlike(example, told).Count == 0) || told.Count(it => (string?)it["type"] is "payout.paid" or "payout.failed") == 2;
            },
            "the payouts to end");
        examples.SelectMany(example => Unlike(example, told)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Btcpay_tells_every_event_of_the_examples()
    {
        var examples = Contracts.Lines("examples/btcpay-webhooks.ndjson").Select(line => JsonNode.Parse(line)!).ToList();
        await using var shop = await BtcPayWorkshop.Open();
        await shop.Press(await shop.Invoice(), "pay", "ln");
        await shop.Press(await shop.Invoice(), "pay");
        var half = await shop.Invoice();
        await shop.Press(half, "pay-half");
        await shop.Press(half, "expire");
        await shop.Press(half, "mark-invalid");
        await shop.Ok(
            HttpMethod.Post, "payouts", new { destination = "art@wallet.example", amount = "0.001", payoutMethodId = "BTC-LN", approved = true });

        var told = await shop.Hooks.Until(all => examples.All(example => all.Any(it => IsLike(example, it.Body))));
        foreach (var example in examples)
        {
            told.ShouldContain(it => IsLike(example, it.Body));
        }
    }

    private static bool IsLike(JsonNode example, JsonNode said) =>
        (string?)example["type"] == (string?)said["type"] && ExampleShape.Faults(Without(example, "metadata"), said).Count == 0;

    private static JsonNode Without(JsonNode node, string member)
    {
        var copy = node.DeepClone().AsObject();
        copy.Remove(member);
        return copy;
    }

    /// <summary>What every event of that type lacks, where none is like the example.</summary>
    private static IReadOnlyList<string> Unlike(JsonNode example, IReadOnlyList<JsonNode> told)
    {
        var type = (string)example["type"]!;
        var alike = told.Where(it => (string?)it["type"] == type).Select(it => ExampleShape.Faults(Plain(example), it)).ToList();
        return alike.Count == 0 ? [$"{type} is never told"] : alike.Any(it => it.Count == 0) ? [] : [.. alike[0].Select(fault => $"{type}: {fault}")];
    }

    /// <summary>Metadata is the caller's, and what changed before an update is the story's.</summary>
    private static JsonNode Plain(JsonNode example)
    {
        var plain = example.DeepClone();
        plain["data"]!.AsObject().Remove("previous_attributes");
        plain["data"]!["object"]!.AsObject().Remove("metadata");
        plain["data"]!["object"]!["parent"]?["subscription_details"]?.AsObject().Remove("metadata");
        return plain;
    }

    private static async Task<IEnumerable<JsonNode>> Events(StripeSandbox stripe, string? account) =>
        (await stripe.Get("/v1/events?limit=100", account))["data"]!.AsArray().Select(it => it!.DeepClone());

    private static async Task LiveThrough(StripeSandbox stripe)
    {
        stripe.SeedAccount(Artist);
        await stripe.Post($"/v1/accounts/{Artist}", ("metadata[freelancer_id]", "42"));

        await stripe.Press(await stripe.OpenInvoice(), "expire");
        await stripe.Post($"/v1/invoices/{(await stripe.OpenInvoice())["id"]}/mark_uncollectible");
        var invoice = await stripe.OpenInvoice();
        await stripe.Press(invoice, "decline");
        await stripe.Press(invoice, "pay");
        var charge = (string)(await stripe.Get("/v1/charges"))["data"]![0]!["id"]!;
        await stripe.Post("/v1/refunds", ("charge", charge), ("amount", "500"), ("reason", "requested_by_customer"));
        var transfer = await stripe.Post(
            "/v1/transfers", ("amount", "3600"), ("currency", "eur"), ("destination", Artist), ("source_transaction", charge), ("transfer_group", "commission_42"));
        await stripe.Post($"/v1/transfers/{transfer["id"]}/reversals", ("amount", "1200"));
        await stripe.PostAs(Artist, "/v1/payouts", ("amount", "1000"), ("currency", "eur"));
        await stripe.Control(new { failPayouts = true });
        await stripe.PostAs(Artist, "/v1/payouts", ("amount", "1000"), ("currency", "eur"));
        await stripe.Control(new { openDispute = charge });
        await stripe.Control(new { loseDispute = (string)(await stripe.Get("/v1/disputes"))["data"]![0]!["id"]! });

        var subscription = await stripe.Subscribe(await stripe.Member(), await stripe.Plan());
        await stripe.Pass(days: 32);
        await StripeSandbox.Eventually(
            async () => (await stripe.InvoicesOf(subscription)).Count(it => (string?)it!["status"] == "paid") == 2, "the renewal");
        await stripe.Post($"/v1/subscriptions/{subscription["id"]}", ("cancel_at_period_end", "true"));
        using var cancelled = await stripe.Send(HttpMethod.Delete, $"/v1/subscriptions/{subscription["id"]}");
        cancelled.IsSuccessStatusCode.ShouldBeTrue();
        var failing = await stripe.Member();
        var behind = await stripe.Subscribe(failing, await stripe.Plan());
        await stripe.Post($"/v1/customers/{failing}", ("invoice_settings[default_payment_method]", "pm_card_chargeCustomerFail"));
        await stripe.Pass(days: 32);
        await StripeSandbox.Eventually(async () => await stripe.Status(behind) == "past_due", "the renewal to fail");

        foreach (var action in new[] { "pay", "expire" })
        {
            var session = await stripe.Checkout();
            await stripe.PressAt(new Uri((string)session["url"]!).AbsolutePath, action);
        }
    }
}
