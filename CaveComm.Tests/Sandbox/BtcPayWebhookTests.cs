using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.BtcPay;
using CaveComm.Sandbox.Webhooks;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.Sandbox.BtcPayWorkshop;

namespace CaveComm.Tests.Sandbox;

public sealed class BtcPayWebhookTests : IAsyncLifetime
{
    private static readonly RetrySchedule Fast = new([TimeSpan.FromMilliseconds(20)], TimeSpan.FromMilliseconds(20), TimeSpan.FromMinutes(1));
    private BtcPayWorkshop shop = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => shop = await BtcPayWorkshop.Open(Fast);

    public ValueTask DisposeAsync() => shop.DisposeAsync();

    [Fact]
    public void The_signature_agrees_with_the_check_vector() =>
        BtcPayHooks.Signature("btcpay-secret", """{"id":"evt_test"}""")
            .ShouldBe("sha256=7b5e8732ff6eea066e82929d6b7d619f5510acd44412ed403409a213d9775683");

    [Fact]
    public async Task A_webhook_is_indented_json_signed_over_its_bytes()
    {
        var invoice = await shop.Invoice();
        await shop.Press(invoice, "pay", "ln");
        var told = (await shop.Hooks.Until(all => all.Any(it => it.Type == "InvoiceSettled"))).Single(it => it.Type == "InvoiceSettled");

        told.Signature.ShouldBe(BtcPayHooks.Signature(Secret, told.Raw));
        told.Raw.ShouldStartWith("{\n  \"manuallyMarked\": false,\n  \"overPaid\": false,\n  \"deliveryId\": \"");
        told.Body.AsObject().Select(it => it.Key).ShouldBe([
            "manuallyMarked", "overPaid", "deliveryId", "webhookId", "originalDeliveryId", "isRedelivery", "type", "timestamp", "storeId", "invoiceId", "metadata"]);
        told.Body["deliveryId"]!.ToString().ShouldBe(told.Body["originalDeliveryId"]!.ToString());
        ((bool)told.Body["isRedelivery"]!).ShouldBeFalse();
    }

    [Fact]
    public async Task A_temporary_fault_is_tried_again_as_a_redelivery_and_a_400_is_final()
    {
        foreach (var status in (int[])[503, 429, 408])
        {
            shop.Hooks.Answers.Enqueue(status);
        }

        await shop.Invoice();
        var told = await shop.Hooks.Until(all => all.Count == 4);
        told.Select(it => (string?)it.Body["originalDeliveryId"]).Distinct().ShouldHaveSingleItem();
        told.Select(it => (string?)it.Body["deliveryId"]).Distinct().Count().ShouldBe(4);
        told.Select(it => (bool)it.Body["isRedelivery"]!).ShouldBe([false, true, true, true]);
        told.Select(it => (long)it.Body["timestamp"]!).Distinct().ShouldHaveSingleItem();
        told.ShouldAllBe(it => it.Signature == BtcPayHooks.Signature(Secret, it.Raw));

        shop.Hooks.Answers.Enqueue(400);
        await shop.Invoice();
        await Eventually.Holds("both have ended", () => shop.Server.Webhooks.Ended().Count == 2);
        shop.Hooks.All.Count.ShouldBe(5);
        shop.Server.Webhooks.Ended()[1].Succeeded.ShouldBe(false);
    }

    [Fact]
    public async Task Webhooks_are_managed_and_redelivered_over_the_api()
    {
        await using var mine = await HookReceiver.Start();
        var made = await shop.Ok(HttpMethod.Post, "webhooks", new
        {
            url = mine.Url.AbsoluteUri,
            secret = "mine",
            authorizedEvents = new { everything = false, specificEvents = new[] { "InvoiceSettled" } },
        });
        ((string?)made["secret"]).ShouldBe("mine");
        (await shop.Ok(HttpMethod.Get, $"webhooks/{Id(made)}"))["secret"].ShouldBeNull();
        await shop.Press(await shop.Invoice(), "pay", "ln");
        var first = (await mine.Until(all => all.Count == 1))[0];
        first.Signature.ShouldBe(BtcPayHooks.Signature("mine", first.Raw));

        JsonArray deliveries = [];
        await Eventually.Holds("the delivery is listed", async () => (deliveries = (await shop.Ok(HttpMethod.Get, $"webhooks/{Id(made)}/deliveries")).AsArray()).Count == 1);
        ((string?)deliveries[0]!["status"], (int)deliveries[0]!["httpCode"]!, Id(deliveries[0]!)).ShouldBe(("HttpSuccess", 200, (string)first.Body["deliveryId"]!));
        (await shop.Ok(HttpMethod.Get, $"webhooks/{Id(made)}/deliveries/{Id(deliveries[0]!)}/request"))["type"]!.ToString().ShouldBe("InvoiceSettled");
        var again = (string?)await shop.Ok(HttpMethod.Post, $"webhooks/{Id(made)}/deliveries/{Id(deliveries[0]!)}/redeliver");
        var second = (await mine.Until(all => all.Count == 2))[1];
        ((string?)second.Body["deliveryId"], (string?)second.Body["originalDeliveryId"], (bool)second.Body["isRedelivery"]!)
            .ShouldBe((again, (string?)first.Body["deliveryId"], true));

        await shop.Ok(HttpMethod.Put, $"webhooks/{Id(made)}", new { url = mine.Url.AbsoluteUri, enabled = false });
        await shop.Press(await shop.Invoice(), "pay", "ln");
        await shop.Ok(HttpMethod.Delete, $"webhooks/{Id(made)}");
        (await shop.Call(HttpMethod.Get, $"webhooks/{Id(made)}")).Status.ShouldBe(404);
        await shop.Hooks.Until(all => all.Count(it => it.Type == "InvoiceSettled") == 2);
        mine.All.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Webhooks_can_be_held_dropped_and_doubled()
    {
        await shop.Control(new { holdWebhooks = true, duplicates = 2 });
        await shop.Invoice();
        shop.Server.Webhooks.Waiting().Count.ShouldBe(2);
        await shop.Control(new { holdWebhooks = false });
        var told = await shop.Hooks.Until(all => all.Count == 2);
        told.Select(it => (string?)it.Body["originalDeliveryId"]).Distinct().ShouldHaveSingleItem();
        await shop.Control(new { dropWebhooks = true, duplicates = 1 });
        await shop.Invoice();
        shop.Server.Webhooks.Waiting().ShouldBeEmpty();
        ((int)(await shop.Http.PostAsJsonAsync("_control", new { duplicates = "many" }, Cancel)).StatusCode).ShouldBe(422);
    }

    [Fact]
    public async Task After_a_restart_it_goes_on_where_it_was()
    {
        await shop.Control(new { holdWebhooks = true, holdPayouts = true });
        var paying = await shop.Invoice();
        var expiring = await shop.Invoice(checkout: new { expirationMinutes = 0.5 });
        await shop.Press(expiring, "pay-half");
        await shop.Press(paying, "pay");
        var payout = await shop.Ok(
            HttpMethod.Post, "payouts", new { destination = "art@wallet.example", amount = "0.001", payoutMethodId = "BTC-LN", approved = true });
        var url = shop.Server.Url;
        await shop.Stop();
        shop.Hooks.All.ShouldBeEmpty();
        await shop.Start();

        shop.Server.Url.ShouldBe(url);
        await shop.Control(new { holdWebhooks = false, holdPayouts = false });
        await shop.UntilStatus(paying, "Settled");
        State(await shop.Read(expiring)).ShouldBe("New/PaidPartial");
        await Eventually.Holds("the payout is completed", async () => (string?)(await shop.Ok(HttpMethod.Get, $"payouts/{Id(payout)}"))["state"] == "Completed");
        var told = await shop.Hooks.Until(all => all.Any(it => it.Type == "InvoiceSettled") && all.Count(it => it.Type == "PayoutUpdated") == 2);
        told.Select(it => (string?)it.Body["deliveryId"]).ShouldBeUnique();
        told.Count(it => it.Type == "InvoiceCreated").ShouldBe(2);
    }
}
