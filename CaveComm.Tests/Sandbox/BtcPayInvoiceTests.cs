using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.Sandbox.BtcPayWorkshop;

namespace CaveComm.Tests.Sandbox;

public sealed class BtcPayInvoiceTests : IAsyncLifetime
{
    private BtcPayWorkshop shop = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => shop = await BtcPayWorkshop.Open();

    public ValueTask DisposeAsync() => shop.DisposeAsync();

    [Fact]
    public async Task A_new_invoice_has_the_shape_of_the_sheet()
    {
        var invoice = (await shop.Invoice(checkout: new { paymentMethods = new[] { "BTC", "BTC-LN" }, expirationMinutes = 30 })).AsObject();

        invoice.Select(it => it.Key).ShouldBe([
            "id", "storeId", "amount", "paidAmount", "currency", "type", "checkoutLink", "createdTime", "expirationTime", "monitoringExpiration",
            "status", "additionalStatus", "availableStatusesForManualMarking", "archived", "metadata", "checkout", "receipt"]);
        State(invoice).ShouldBe("New/None");
        ((string?)invoice["amount"]).ShouldBe("45.00");
        ((long)invoice["expirationTime"]! - (long)invoice["createdTime"]!).ShouldBe(1800);
        ((long)invoice["monitoringExpiration"]! - (long)invoice["expirationTime"]!).ShouldBe(86400);
        invoice["checkout"]!["paymentMethods"]!.ToJsonString().ShouldBe("""["BTC-CHAIN","BTC-LN"]""");
        invoice["availableStatusesForManualMarking"]!.ToJsonString().ShouldBe("""["Settled","Invalid"]""");
        (await shop.Hooks.Until(all => all.Count == 1))[0].Type.ShouldBe("InvoiceCreated");
    }

    [Fact]
    public async Task What_is_due_in_bitcoin_is_rounded_up_to_the_satoshi()
    {
        var methods = await shop.Ok(HttpMethod.Get, $"invoices/{Id(await shop.Invoice())}/payment-methods");
        foreach (var method in methods.AsArray())
        {
            var due = decimal.Parse((string)method!["due"]!, CultureInfo.InvariantCulture);
            due.ShouldBe(0.00069885m); // 45 / 64392.23 = 0.000698842…
            ((string?)method["rate"]).ShouldBe("64392.23");
            (due * 64392.23m).ShouldBeGreaterThanOrEqualTo(45m);
        }

        ((string)methods[1]!["destination"]!).ShouldStartWith("lnbcrt698850n1");
        ((string)methods[0]!["paymentLink"]!).ShouldStartWith("bitcoin:bcrt1q");
    }

    [Fact]
    public async Task Paying_on_the_chain_is_seen_then_settled_and_told_in_that_order()
    {
        var invoice = await shop.Invoice();
        State(await shop.Press(invoice, "pay")).ShouldBe("Processing/None");
        var settled = await shop.UntilStatus(invoice, "Settled");
        State(settled).ShouldBe("Settled/None");
        ((string?)settled["paidAmount"]).ShouldBe("45.00");
        var told = await shop.Hooks.Until(all => all.Any(it => it.Type == "InvoiceSettled"));
        told.Select(it => it.Type).ShouldBe(["InvoiceCreated", "InvoiceReceivedPayment", "InvoiceProcessing", "InvoicePaymentSettled", "InvoiceSettled"]);
        ((string?)told[1].Body["payment"]!["status"]).ShouldBe("Processing");
        ((string?)told[3].Body["payment"]!["status"]).ShouldBe("Settled");
        ((string?)told[4].Body["metadata"]!["orderId"]).ShouldBe("commission-42");
    }

    [Fact]
    public async Task Paying_with_lightning_settles_at_once()
    {
        var invoice = await shop.Invoice();
        State(await shop.Press(invoice, "pay", "ln")).ShouldBe("Settled/None");
        var told = await shop.Hooks.Until(all => all.Count == 5);
        told.Select(it => it.Type).ShouldBe(["InvoiceCreated", "InvoiceReceivedPayment", "InvoicePaymentSettled", "InvoiceProcessing", "InvoiceSettled"]);
    }

    [Fact]
    public async Task Pressing_pay_twice_pays_once()
    {
        var invoice = await shop.Invoice();
        await shop.Press(invoice, "pay");
        await shop.Press(invoice, "pay");
        await shop.UntilStatus(invoice, "Settled");
        await shop.Press(invoice, "pay-too-much");
        (await Payments(invoice)).Count.ShouldBe(1);
        State(await shop.Read(invoice)).ShouldBe("Settled/None");
    }

    [Fact]
    public async Task Half_a_payment_leaves_the_invoice_open_and_expires_as_paid_partial_with_webhooks()
    {
        var invoice = await shop.Invoice();
        await shop.Press(invoice, "pay-half");
        State(await shop.Press(invoice, "pay-half")).ShouldBe("New/PaidPartial");
        (await Payments(invoice)).Count.ShouldBe(1);
        State(await shop.Press(invoice, "expire")).ShouldBe("Expired/PaidPartial");
        var told = await shop.Hooks.Until(all => all.Any(it => it.Type == "InvoiceExpiredPaidPartial"));
        told.Single(it => it.Type == "InvoiceExpired").Body["partiallyPaid"]!.GetValue<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task The_other_half_completes_it()
    {
        var invoice = await shop.Invoice();
        await shop.Press(invoice, "pay-half");
        await shop.Press(invoice, "pay");
        State(await shop.UntilStatus(invoice, "Settled")).ShouldBe("Settled/None");
        (await Payments(invoice)).Sum(it => decimal.Parse((string)it!["value"]!, CultureInfo.InvariantCulture)).ShouldBe(0.00069885m);
    }

    [Fact]
    public async Task Too_much_is_settled_as_paid_over()
    {
        var invoice = await shop.Invoice();
        State(await shop.Press(invoice, "pay-too-much")).ShouldBe("Processing/PaidOver");
        var settled = await shop.UntilStatus(invoice, "Settled");
        State(settled).ShouldBe("Settled/PaidOver");
        ((string?)settled["paidAmount"]).ShouldBe("67.50");
        ((string)(await shop.Ok(HttpMethod.Get, $"invoices/{Id(invoice)}/payment-methods"))[0]!["due"]!).ShouldStartWith("-");
        var told = await shop.Hooks.Until(all => all.Any(it => it.Type == "InvoiceSettled"));
        told.Where(it => it.Type is "InvoiceProcessing" or "InvoiceSettled").ShouldAllBe(it => (bool)it.Body["overPaid"]!);
    }

    [Fact]
    public async Task A_late_payment_leaves_the_invoice_expired_and_says_paid_late()
    {
        var invoice = await shop.Invoice();
        await shop.Press(invoice, "pay-late");
        State(await shop.Press(invoice, "pay-late")).ShouldBe("Expired/PaidLate");
        var told = await shop.Hooks.Until(all => all.Any(it => it.Type == "InvoicePaymentSettled"));
        told.Select(it => it.Type).ShouldBe([
            "InvoiceCreated", "InvoiceExpired", "InvoiceReceivedPayment", "InvoicePaidAfterExpiration", "InvoicePaymentSettled"]);
        told[2].Body["afterExpiration"]!.GetValue<bool>().ShouldBeTrue();
        (await Payments(invoice)).Count.ShouldBe(1);
        State(await shop.Read(invoice)).ShouldBe("Expired/PaidLate");
    }

    [Fact]
    public async Task A_payment_never_confirmed_ends_invalid_and_can_still_be_marked_settled()
    {
        var invoice = await shop.Invoice();
        State(await shop.Press(invoice, "decline")).ShouldBe("Processing/None");
        var invalid = await shop.UntilStatus(invoice, "Invalid");
        State(invalid).ShouldBe("Invalid/None");
        (await shop.Hooks.Until(all => all.Any(it => it.Type == "InvoiceInvalid")))[^1].Body["manuallyMarked"]!.GetValue<bool>().ShouldBeFalse();
        State(await shop.Ok(HttpMethod.Post, $"invoices/{Id(invoice)}/status", new { status = "Settled" })).ShouldBe("Settled/Marked");
        State(await shop.Ok(HttpMethod.Post, $"invoices/{Id(invoice)}/status", new { status = "Invalid" })).ShouldBe("Invalid/Marked");
        var told = await shop.Hooks.Until(all => all.Count(it => it.Type == "InvoiceInvalid") == 2);
        told.Single(it => it.Type == "InvoiceSettled").Body["manuallyMarked"]!.GetValue<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task A_payment_that_vanishes_makes_the_invoice_new_again()
    {
        await using var slow = await BtcPayWorkshop.Open(confirmAfter: TimeSpan.FromHours(1));
        var invoice = await slow.Invoice(checkout: new { expirationMinutes = 60 });
        await slow.Press(invoice, "pay");
        State(await slow.Press(invoice, "vanish")).ShouldBe("New/None");
        await slow.Press(invoice, "pay", "ln");
        State(await slow.Read(invoice)).ShouldBe("Settled/None");
    }

    [Fact]
    public async Task A_settled_invoice_cannot_be_marked_invalid()
    {
        var invoice = await shop.Invoice();
        await shop.Press(invoice, "pay", "ln");
        var (status, body) = await shop.Call(HttpMethod.Post, $"invoices/{Id(invoice)}/status", new { status = "Invalid" });
        status.ShouldBe(422);
        body.ShouldBeOfType<JsonArray>();
    }

    [Fact]
    public async Task An_alarm_set_before_a_restart_expires_the_invoice_after_it_unasked()
    {
        await shop.Invoice(checkout: new { expirationMinutes = 0.5 });
        await shop.Hooks.Until(all => all.Count == 1);
        await shop.Stop();
        shop.Time.Forward(TimeSpan.FromSeconds(29.5));
        await shop.Start();
        var told = await shop.Hooks.Until(all => all.Any(it => it.Type == "InvoiceExpired"));
        told[^1].Body["partiallyPaid"]!.GetValue<bool>().ShouldBeFalse();
    }

    [Fact]
    public async Task Whoever_looks_late_finds_what_time_has_done()
    {
        var invoice = await shop.Invoice(checkout: new { expirationMinutes = 10 });
        await shop.Press(invoice, "pay-half", "ln");
        shop.Time.Forward(TimeSpan.FromMinutes(9));
        State(await shop.Read(invoice)).ShouldBe("New/PaidPartial");
        shop.Time.Forward(TimeSpan.FromMinutes(2));
        State(await shop.Read(invoice)).ShouldBe("Expired/PaidPartial");
        State(await shop.Press(invoice, "pay")).ShouldBe("Expired/PaidLate");
    }

    [Fact]
    public async Task There_is_no_dispute_and_no_unknown_action()
    {
        var invoice = await shop.Invoice();
        foreach (var action in (string[])["dispute", "guess", ""])
        {
            using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["action"] = action });
            using var answer = await shop.Http.PostAsync((string)invoice["checkoutLink"]!, form, Cancel);
            answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain(".</p>");
        }
    }

    [Fact]
    public async Task The_pay_page_shows_the_price_and_a_form_leads_back_to_it()
    {
        var invoice = await shop.Ok(HttpMethod.Post, "invoices", new
        {
            amount = "45.00",
            currency = "EUR",
            metadata = new { orderId = "a/b", itemDesc = "<b>Bild</b>" },
            checkout = new { redirectURL = "https://cave.example/c/{OrderId}?i={InvoiceId}" },
        });
        var page = await shop.Http.GetStringAsync((string)invoice["checkoutLink"]!, Cancel);
        page.ShouldContain("45.00 EUR");
        page.ShouldContain("0.00069885 BTC");
        page.ShouldContain("&lt;b&gt;Bild&lt;/b&gt;");
        page.ShouldContain($"https://cave.example/c/a%2Fb?i={Id(invoice)}");
        page.ShouldContain("name=\"viewport\"");
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["action"] = "pay" });
        using var answer = await shop.Http.PostAsync((string)invoice["checkoutLink"]!, form, Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        answer.Headers.Location!.ToString().ShouldBe($"/i/{Id(invoice)}");
    }

    [Fact]
    public async Task Every_fault_of_a_new_invoice_is_named_at_once()
    {
        var (status, body) = await shop.Call(HttpMethod.Post, "invoices", new
        {
            amount = "-1",
            currency = "XXX",
            checkout = new { paymentMethods = new[] { "BTC-CHAIN", "DOGE" }, expirationMinutes = 0.1, paymentTolerance = 101, speedPolicy = "Warp" },
        });
        status.ShouldBe(422);
        body!.AsArray().Select(it => (string?)it!["path"]).ShouldBe(
            ["amount", "currency", "checkout.paymentMethods[1]", "checkout.expirationMinutes", "checkout.paymentTolerance", "checkout.speedPolicy"],
            ignoreOrder: true);
    }

    [Fact]
    public async Task A_wrong_key_is_401_and_another_store_403_and_an_unknown_invoice_404()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"api/v1/stores/{StoreId}/invoices");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "wrong");
        using var answer = await shop.Http.SendAsync(request, Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain("\"code\":\"unauthenticated\"");
        (await shop.Http.GetAsync("api/v1/stores/other/invoices", Cancel)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        var (status, body) = await shop.Call(HttpMethod.Get, "invoices/none");
        (status, (string?)body!["code"]).ShouldBe((404, "invoice-not-found"));
    }

    [Fact]
    public async Task Invoices_are_found_by_order_status_and_text_newest_first()
    {
        var first = await shop.Invoice(order: "commission-1");
        var again = await shop.Invoice(order: "commission-1");
        var other = await shop.Invoice(order: "commission-2");
        await shop.Press(first, "expire");

        (await Ids("?orderId=commission-1")).ShouldBe([Id(again), Id(first)]);
        (await Ids("?orderId=commission-1&status=New")).ShouldBe([Id(again)]);
        (await Ids("?orderId=commission-1&orderId=commission-2&skip=1&take=1")).ShouldBe([Id(again)]);
        (await Ids("?textSearch=commission-2")).ShouldBe([Id(other)]);
        (await Ids("?orderId=commission-9")).ShouldBeEmpty();

        await shop.Ok(HttpMethod.Put, $"invoices/{Id(other)}", new { metadata = new { orderId = "commission-9" } });
        (await Ids("?orderId=commission-9")).ShouldBe([Id(other)]);
        (await Ids("?orderId=commission-2")).ShouldBeEmpty();
        (await shop.Read(other))["metadata"]!.AsObject().Count.ShouldBe(1);
        await shop.Ok(HttpMethod.Delete, $"invoices/{Id(other)}");
        (await Ids("?orderId=commission-9")).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_short_paths_of_newer_servers_work_too()
    {
        var invoice = await shop.Invoice();
        var text = await shop.Http.GetStringAsync($"api/v1/invoices/{Id(invoice)}?includePaymentMethods=true", Cancel);
        JsonNode.Parse(text)!["paymentMethods"]!.AsArray().Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_lost_answer_has_done_its_work()
    {
        await shop.Control(new { errorEvery = 2 });
        (await shop.Call(HttpMethod.Post, "invoices", new { amount = "1.00", currency = "EUR", metadata = new { orderId = "a" } })).Status.ShouldBe(200);
        using var content = new StringContent("""{"amount":"1.00","currency":"EUR","metadata":{"orderId":"b"}}""", Encoding.UTF8, "application/json");
        using var broken = await shop.Http.PostAsync($"api/v1/stores/{StoreId}/invoices", content, Cancel);
        broken.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await Ids("?orderId=b")).Count.ShouldBe(1);

        await shop.Control(new { errorEvery = 0, timeoutEvery = 1 });
        using var silent = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        using var lost = new StringContent("""{"amount":"1.00","currency":"EUR","metadata":{"orderId":"c"}}""", Encoding.UTF8, "application/json");
        var hanging = shop.Http.PostAsync($"api/v1/stores/{StoreId}/invoices", lost, silent.Token);
        await Eventually.Holds("the work is done", async () => (await Ids("?orderId=c")).Count == 1);
        hanging.IsCompleted.ShouldBeFalse();
        await silent.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => hanging);
    }

    [Fact]
    public async Task Broken_json_is_answered_as_validation_and_other_media_as_415()
    {
        using var broken = new StringContent("{", Encoding.UTF8, "application/json");
        (await shop.Http.PostAsync($"api/v1/stores/{StoreId}/invoices", broken, Cancel)).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        using var form = new FormUrlEncodedContent([]);
        using var text = new StringContent("amount=1", Encoding.UTF8, "text/plain");
        (await shop.Http.PostAsync($"api/v1/stores/{StoreId}/invoices", text, Cancel)).StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
    }

    private async Task<JsonArray> Payments(JsonNode invoice) =>
        [.. (await shop.Ok(HttpMethod.Get, $"invoices/{Id(invoice)}/payment-methods")).AsArray().SelectMany(it => it!["payments"]!.AsArray()).Select(it => it!.DeepClone())];

    private async Task<IReadOnlyList<string>> Ids(string query) =>
        [.. (await shop.Ok(HttpMethod.Get, "invoices" + query)).AsArray().Select(it => Id(it!))];
}
