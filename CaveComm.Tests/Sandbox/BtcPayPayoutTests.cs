using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.Sandbox.BtcPayWorkshop;

namespace CaveComm.Tests.Sandbox;

public sealed class BtcPayPayoutTests : IAsyncLifetime
{
    private BtcPayWorkshop shop = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => shop = await BtcPayWorkshop.Open();

    public ValueTask DisposeAsync() => shop.DisposeAsync();

    [Fact]
    public async Task A_payout_is_approved_paid_and_told_of_at_each_step()
    {
        var payout = await Payout();
        ((string?)payout["state"]).ShouldBe("AwaitingApproval");
        payout["payoutAmount"].ShouldBeNull();
        ((string?)payout["metadata"]!["payoutId"]).ShouldBe("9");

        var approved = await shop.Ok(HttpMethod.Post, $"payouts/{Id(payout)}", new { revision = payout["revision"] });
        ((string?)approved["state"], (string?)approved["payoutAmount"]).ShouldBe(("AwaitingPayment", "0.00065000"));
        await Becomes(payout, "Completed");
        (await Read(payout))["paymentProof"]!["proofType"].ShouldNotBeNull();
        var told = await shop.Hooks.Until(all => all.Count == 4);
        told.Select(it => (it.Type, (string)it.Body["payoutState"]!)).ShouldBe([
            ("PayoutCreated", "AwaitingApproval"), ("PayoutApproved", "AwaitingPayment"), ("PayoutUpdated", "InProgress"), ("PayoutUpdated", "Completed")]);
    }

    [Fact]
    public async Task One_destination_takes_one_open_payout_at_a_time()
    {
        await shop.Control(new { holdPayouts = true });
        var first = await Payout(approved: true);
        ((string?)first["state"]).ShouldBe("AwaitingPayment");
        var (status, body) = await shop.Call(HttpMethod.Post, "payouts", Request());
        (status, (string?)body!["code"]).ShouldBe((400, "duplicate-destination"));
        (await Payout(destination: "other@wallet.example")).ShouldNotBeNull();
        await shop.Control(new { holdPayouts = false });
        await Becomes(first, "Completed");
        (await Payout()).ShouldNotBeNull();
    }

    [Fact]
    public async Task An_old_revision_and_a_second_approval_are_refused()
    {
        var payout = await Payout();
        (await Code($"payouts/{Id(payout)}", new { revision = 7 })).ShouldBe((400, "old-revision"));
        await shop.Ok(HttpMethod.Post, $"payouts/{Id(payout)}", new { revision = 0 });
        (await Code($"payouts/{Id(payout)}", new { revision = 1 })).ShouldBe((400, "invalid-state"));
    }

    [Fact]
    public async Task Approving_dust_refuses_and_cancels()
    {
        var payout = await shop.Ok(HttpMethod.Post, "payouts", new
        {
            destination = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
            amount = "0.00000500",
            payoutMethodId = "BTC-CHAIN",
        });
        (await Code($"payouts/{Id(payout)}", new { revision = 0 })).ShouldBe((400, "amount-too-low"));
        ((string?)(await Read(payout))["state"]).ShouldBe("Cancelled");
    }

    [Fact]
    public async Task People_can_mark_and_cancel_what_the_machine_has_not_finished()
    {
        await shop.Control(new { holdPayouts = true });
        var paid = await Payout(approved: true);
        (await Code($"payouts/{Id(paid)}/mark", new { state = "Completed", paymentProof = new { id = "x" } })).Status.ShouldBe(422);
        await shop.Ok(HttpMethod.Post, $"payouts/{Id(paid)}/mark", new { state = "InProgress" });
        (await shop.Call(HttpMethod.Delete, $"payouts/{Id(paid)}")).Status.ShouldBe(400);
        await shop.Ok(HttpMethod.Post, $"payouts/{Id(paid)}/mark", new { state = "AwaitingPayment" });
        (await shop.Call(HttpMethod.Post, $"payouts/{Id(paid)}/mark-paid")).ShouldBe((200, null));
        ((string?)(await Read(paid))["state"]).ShouldBe("Completed");

        var cancelled = await Payout();
        (await shop.Call(HttpMethod.Delete, $"payouts/{Id(cancelled)}")).ShouldBe((200, null));
        (await shop.Ok(HttpMethod.Get, "payouts")).AsArray().Select(it => Id(it!)).ShouldBe([Id(paid)]);
        (await shop.Ok(HttpMethod.Get, "payouts?includeCancelled=true")).AsArray().Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_payout_the_owner_will_not_pay_ends_cancelled()
    {
        await shop.Control(new { cancelPayouts = true });
        await Becomes(await Payout(approved: true), "Cancelled");
    }

    [Fact]
    public async Task Wrong_payouts_are_refused_member_by_member()
    {
        var (status, body) = await shop.Call(HttpMethod.Post, "payouts", new { destination = "nobody", amount = "0", payoutMethodId = "BTC-LN" });
        status.ShouldBe(422);
        body!.AsArray().Select(it => (string?)it!["path"]).ShouldBe(["destination", "amount"]);
        (await shop.Call(HttpMethod.Post, "payouts", Request("offline@wallet.example"))).Status.ShouldBe(422);
    }

    [Fact]
    public async Task A_refund_is_a_pull_payment_that_its_link_claims()
    {
        var invoice = await shop.Invoice();
        (await Code($"invoices/{Id(invoice)}/refund", new { refundVariant = "Fiat" })).ShouldBe((400, "non-refundable"));
        await shop.Press(invoice, "pay-too-much", "ln");
        var over = await shop.Ok(HttpMethod.Post, $"invoices/{Id(invoice)}/refund", new { refundVariant = "OverpaidAmount" });
        ((string?)over["amount"], (string?)over["currency"]).ShouldBe(("0.00034942", "BTC"));
        var custom = await shop.Ok(HttpMethod.Post, $"invoices/{Id(invoice)}/refund", new { refundVariant = "Custom", customAmount = "10.00", customCurrency = "EUR" });

        shop.Http.DefaultRequestHeaders.Authorization = null;
        var tooMuch = await shop.Http.PostAsJsonAsync(
            $"api/v1/pull-payments/{Id(custom)}/payouts", new { destination = "ada@wallet.example", amount = "10.01", payoutMethodId = "BTC-LN" }, Cancel);
        (await tooMuch.Content.ReadAsStringAsync(Cancel)).ShouldContain("overdraft");
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["destination"] = "ada@wallet.example" });
        (await shop.Http.PostAsync((string)over["viewLink"]!, form, Cancel)).EnsureSuccessStatusCode();
        var claims = JsonNode.Parse(await shop.Http.GetStringAsync($"api/v1/pull-payments/{Id(over)}/payouts", Cancel))!.AsArray();
        ((string?)claims.ShouldHaveSingleItem()!["state"]).ShouldNotBe("AwaitingApproval");
        await shop.Hooks.Until(all => all.Any(it => it.Type == "PayoutUpdated" && (string?)it.Body["pullPaymentId"] == Id(over)));
        shop.Hooks.Types.ShouldContain("InvoiceRefund");
    }

    [Fact]
    public async Task A_bolt11_of_the_node_is_paid_from_the_network_once()
    {
        var made = await shop.Ok(HttpMethod.Post, "lightning/BTC/invoices", new { amount = "71234000", description = "Plan", expiry = 900 });
        ((string)made["BOLT11"]!).ShouldStartWith("lnbcrt712340n1");
        var paid = await shop.Http.PostAsJsonAsync("_lightning/pay", new JsonObject { ["BOLT11"] = (string)made["BOLT11"]! }, Cancel);
        var preimage = (string)JsonNode.Parse(await paid.Content.ReadAsStringAsync(Cancel))!["preimage"]!;
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Convert.FromHexString(preimage))).ShouldBe((string?)made["paymentHash"]);
        ((string?)(await shop.Ok(HttpMethod.Get, $"lightning/BTC/invoices/{Id(made)}"))["status"]).ShouldBe("Paid");
        ((int)(await shop.Http.PostAsJsonAsync("_lightning/pay", new JsonObject { ["BOLT11"] = (string)made["BOLT11"]! }, Cancel)).StatusCode).ShouldBe(400);

        var invoice = await shop.Invoice();
        var bolt11 = (string)(await shop.Ok(HttpMethod.Get, $"invoices/{Id(invoice)}/payment-methods"))[1]!["destination"]!;
        (await shop.Http.PostAsJsonAsync("_lightning/pay", new JsonObject { ["BOLT11"] = bolt11 }, Cancel)).EnsureSuccessStatusCode();
        State(await shop.Read(invoice)).ShouldBe("Settled/None");
    }

    [Fact]
    public async Task The_store_tells_its_methods_rates_and_the_keys_permissions()
    {
        (await shop.Ok(HttpMethod.Get, "rates?currencyPair=BTC_EUR&currencyPair=BTC_XXX")).ToJsonString().ShouldBe(
            """[{"currencyPair":"BTC_EUR","errors":[],"rate":"64392.23"},{"currencyPair":"BTC_XXX","errors":["RateFetchError"]}]""");
        (await shop.Ok(HttpMethod.Get, "payment-methods?onlyEnabled=true")).AsArray().Select(it => (string?)it!["paymentMethodId"]).ShouldBe(["BTC-CHAIN", "BTC-LN"]);
        ((string?)(await shop.Ok(HttpMethod.Get, ""))["id"]).ShouldBe(StoreId);
        (await shop.Http.GetStringAsync("api/v1/api-keys/current", Cancel)).ShouldContain($"btcpay.store.cancreateinvoice:{StoreId}");
        (await shop.Http.GetStringAsync("api/v1/server/info", Cancel)).ShouldContain("\"version\":\"2.4.1\"");
        shop.Http.DefaultRequestHeaders.Authorization = null;
        (await shop.Http.GetStringAsync("api/v1/health", Cancel)).ShouldBe("""{"synchronized":true}""");
    }

    private static object Request(string destination = "art@wallet.example", bool approved = false) => new
    {
        destination,
        amount = "0.00065000",
        payoutMethodId = "BTC-LN",
        approved,
        metadata = new { source = "CaveComm", payoutId = "9" },
    };

    private Task<JsonNode> Payout(string destination = "art@wallet.example", bool approved = false) =>
        shop.Ok(HttpMethod.Post, "payouts", Request(destination, approved));

    private Task<JsonNode> Read(JsonNode payout) => shop.Ok(HttpMethod.Get, $"payouts/{Id(payout)}");

    private Task Becomes(JsonNode payout, string state) => Eventually.Holds($"the payout is {state}", async () => (string?)(await Read(payout))["state"] == state);

    private async Task<(int Status, string? Code)> Code(string path, object body)
    {
        var (status, answer) = await shop.Call(HttpMethod.Post, path, body);
        return (status, answer is JsonObject it ? (string?)it["code"] : null);
    }
}
