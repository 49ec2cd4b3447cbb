using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CaveComm.Sandbox.Stripe.Wire;
using Shouldly;

namespace CaveComm.Tests.Sandbox.Stripe;

public sealed class StripeWebhookTests
{
    private static readonly string[] OfAPayment =
    [
        "payment_intent.succeeded", "charge.succeeded", "invoice.paid", "invoice_payment.paid", "invoice.payment_succeeded",
    ];

    [Fact]
    public void The_signature_is_the_one_of_the_published_vector() =>
        StripeSignature.Of("""{"id":"evt_test"}""", "whsec_test_secret", DateTimeOffset.FromUnixTimeSeconds(1785000000))
            .ShouldBe("t=1785000000,v1=e1bb70bd30092db4d080e949b329203586ab5241edf9daf36e0b440ed304cc09");

    [Fact]
    public async Task A_payment_is_told_by_signed_webhooks()
    {
        await using var receiver = await WebhookReceiver.Start();
        await using var stripe = await StripeSandbox.Start();
        stripe.SetWebhookUrl(receiver.Url);
        await stripe.Press(await stripe.OpenInvoice(), "pay");
        await StripeSandbox.Eventually(() => OfAPayment.All(receiver.Types.Contains), "the events of a payment");

        foreach (var received in receiver.All)
        {
            var parts = received.Signature.Split(',').Select(part => part.Split('=', 2)).ToDictionary(it => it[0], it => it[1]);
            var expected = HMACSHA256.HashData(
                Encoding.UTF8.GetBytes(StripeSandbox.Secret), Encoding.UTF8.GetBytes($"{parts["t"]}.{received.Body}"));
            parts["v1"].ShouldBe(Convert.ToHexStringLower(expected));
            ((string?)received.Event["api_version"]).ShouldBe("2026-07-29.dahlia");
            ((string?)received.Event["object"]).ShouldBe("event");
            ((string?)(await stripe.Get($"/v1/events/{received.Id}"))["type"]).ShouldBe(received.Type);
        }
    }

    [Fact]
    public async Task What_was_refused_is_sent_again()
    {
        await using var receiver = await WebhookReceiver.Start(refusals: 3);
        await using var stripe = await StripeSandbox.Start();
        stripe.SetWebhookUrl(receiver.Url);
        await stripe.Customer();
        await StripeSandbox.Eventually(() => receiver.Types.Count == 1, "the event to be taken");
        receiver.All.Count.ShouldBe(4);
        receiver.All.Select(it => it.Id).Distinct().ShouldHaveSingleItem();
        receiver.All.ShouldAllBe(it => it.Type == "customer.created");
    }

    [Fact]
    public async Task Without_an_address_webhooks_wait_for_one()
    {
        await using var receiver = await WebhookReceiver.Start();
        await using var stripe = await StripeSandbox.Start();
        await stripe.Customer();
        ((int)(await stripe.Control(new { }))["waitingWebhooks"]!).ShouldBe(1);
        (await stripe.Get("/v1/events?delivery_success=false"))["data"]!.AsArray().Count.ShouldBe(1);
        await stripe.Control(new { webhookUrl = receiver.Url.AbsoluteUri });
        await StripeSandbox.Eventually(() => receiver.Types.Count == 1, "the event that waited");
        await StripeSandbox.Eventually(
            async () => (await stripe.Get("/v1/events?delivery_success=false"))["data"]!.AsArray().Count == 0, "its delivery to be known");
    }

    [Fact]
    public async Task What_nobody_took_is_sent_when_somebody_is_there()
    {
        Uri nobody;
        await using (var gone = await WebhookReceiver.Start())
        {
            nobody = gone.Url;
        }

        await using var receiver = await WebhookReceiver.Start();
        await using var stripe = await StripeSandbox.Start();
        stripe.SetWebhookUrl(nobody);
        var made = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            made.Add((string)(await stripe.Customer())["id"]!);
        }

        await StripeSandbox.Eventually(
            async () => (await stripe.Http.GetStringAsync("/", TestContext.Current.CancellationToken)).Contains("no answer", StringComparison.Ordinal),
            "an attempt that met nobody");
        stripe.SetWebhookUrl(receiver.Url);
        await StripeSandbox.Eventually(() => receiver.Types.Count == 5, "all that waited");
        receiver.All.Select(it => (string?)it.Event["data"]!["object"]!["id"]).ShouldBe(made, ignoreOrder: true);
        receiver.All.Count.ShouldBe(5);
    }

    [Fact]
    public async Task Webhooks_can_be_held_doubled_and_lost()
    {
        await using var receiver = await WebhookReceiver.Start();
        await using var stripe = await StripeSandbox.Start();
        await stripe.Control(new { webhookUrl = receiver.Url.AbsoluteUri, dropWebhooks = true });
        await stripe.Customer();
        await stripe.Control(new { dropWebhooks = false, holdWebhooks = true, duplicates = 3, shuffleWebhooks = true });
        var kept = await stripe.Customer();
        ((int)(await stripe.Control(new { }))["waitingWebhooks"]!).ShouldBe(3);
        receiver.All.ShouldBeEmpty();

        await stripe.Control(new { holdWebhooks = false });
        await StripeSandbox.Eventually(() => receiver.All.Count == 3, "three copies");
        receiver.All.ShouldAllBe(it => (string?)it.Event["data"]!["object"]!["id"] == (string?)kept["id"]);
        receiver.All.Select(it => it.Id).Distinct().ShouldHaveSingleItem();
        (await stripe.Get("/v1/events"))["data"]!.AsArray().Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_endpoint_made_over_the_api_gets_its_types_under_its_own_secret()
    {
        await using var receiver = await WebhookReceiver.Start();
        await using var stripe = await StripeSandbox.Start();
        var endpoint = await stripe.Post(
            "/v1/webhook_endpoints",
            ("url", receiver.Url.AbsoluteUri),
            ("enabled_events[0]", "invoice.finalized"),
            ("api_version", "2026-07-29.dahlia"),
            ("connect", "false"));
        var secret = (string)endpoint["secret"]!;
        (await stripe.Get($"/v1/webhook_endpoints/{endpoint["id"]}"))["secret"].ShouldBeNull();
        await stripe.OpenInvoice();
        await StripeSandbox.Eventually(() => receiver.All.Count == 1, "the one event asked for");
        var received = receiver.All[0];
        received.Type.ShouldBe("invoice.finalized");
        var seconds = long.Parse(received.Signature.Split(',')[0][2..], CultureInfo.InvariantCulture);
        var at = DateTimeOffset.FromUnixTimeSeconds(seconds);
        received.Signature.ShouldBe(StripeSignature.Of(received.Body, secret, at));
    }

    [Fact]
    public async Task A_restart_loses_nothing()
    {
        await using var receiver = await WebhookReceiver.Start();
        await using var stripe = await StripeSandbox.Start();
        using (await stripe.Send(HttpMethod.Post, "/v1/customers", [("name", "Bo")], "key-1"))
        {
        }

        var invoice = await stripe.OpenInvoice();
        await stripe.Press(invoice, "pay");
        await stripe.Control(new { duplicates = 2 });

        await stripe.Restart();
        var found = await stripe.Get($"/v1/invoices/{invoice["id"]}");
        ((string?)found["status"]).ShouldBe("paid");
        using (var replayed = await stripe.Send(HttpMethod.Post, "/v1/customers", [("name", "Bo")], "key-1"))
        {
            replayed.Headers.GetValues("Idempotent-Replayed").ShouldBe(["true"]);
        }

        ((int)(await stripe.Control(new { }))["duplicates"]!).ShouldBe(2);
        stripe.SetWebhookUrl(receiver.Url);
        await StripeSandbox.Eventually(() => OfAPayment.All(receiver.Types.Contains), "the webhooks of before");

        await stripe.Restart();
        ((string?)(await stripe.Control(new { }))["webhookUrl"]).ShouldBe(receiver.Url.AbsoluteUri);
        var second = await stripe.OpenInvoice();
        ((string?)second["hosted_invoice_url"]).ShouldStartWith(stripe.Http.BaseAddress!.AbsoluteUri);
    }
}
