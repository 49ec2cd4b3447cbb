using System.Text.Json.Nodes;
using CaveComm.Tests.Providers;
using Shouldly;
using static CaveComm.Tests.Sandbox.BtcPayWorkshop;

namespace CaveComm.Tests.Sandbox;

/// <summary>What the shop's owner does by hand at the server, and what its lists then say.</summary>
public sealed class BtcPayOwnerTests : IAsyncLifetime
{
    private BtcPayWorkshop shop = null!;

    public async ValueTask InitializeAsync() => shop = await BtcPayWorkshop.Open();

    public ValueTask DisposeAsync() => shop.DisposeAsync();

    [Fact]
    public async Task The_owner_can_mark_by_a_button_what_the_server_lets_be_marked()
    {
        var invoice = await shop.Invoice();
        State(await shop.Press(invoice, "mark-invalid")).ShouldBe("Invalid/Marked");
        State(await shop.Press(invoice, "mark-settled")).ShouldBe("Settled/Marked");
        State(await shop.Press(invoice, "mark-invalid")).ShouldBe("Invalid/Marked");
        var told = await shop.Hooks.Until(all => all.Count(it => it.Type is "InvoiceInvalid" or "InvoiceSettled") == 3);
        told.Where(it => it.Type != "InvoiceCreated").ShouldAllBe(it => (bool)it.Body["manuallyMarked"]!);

        var paid = await shop.Invoice();
        await shop.Press(paid, "pay", "ln");
        State(await shop.Press(paid, "mark-invalid")).ShouldBe("Settled/None");
    }

    [Fact]
    public async Task What_the_lists_say_fits_the_published_schemas_too()
    {
        var document = OpenApiDocument.Load("btcpay-greenfield-2.4.1.json");
        var faults = new List<string>();
        async Task Judge(string path, string schema, params string[] known)
        {
            var items = (await shop.Ok(HttpMethod.Get, path)).AsArray();
            items.ShouldNotBeEmpty(path);
            foreach (var item in items)
            {
                faults.AddRange(document.Faults(Plain(item!, known), schema).Select(fault => $"{path}: {fault}"));
            }
        }

        // In every state that an invoice can be in.
        foreach (var actions in (string[][])[[], ["pay-half"], ["pay-half", "expire"], ["expire"], ["pay-late"], ["pay-too-much"], ["decline"], ["mark-settled"], ["mark-invalid"]])
        {
            var invoice = await shop.Invoice();
            foreach (var action in actions)
            {
                await shop.Press(invoice, action);
            }
        }

        var over = await shop.Invoice();
        await shop.Press(over, "pay-too-much", "ln");
        foreach (var variant in new[] { "RateThen", "CurrentRate", "Fiat", "OverpaidAmount" })
        {
            await shop.Ok(HttpMethod.Post, $"invoices/{Id(over)}/refund", new { refundVariant = variant });
        }

        var open = await shop.Ok(HttpMethod.Post, "payouts", new { destination = "a@wallet.example", amount = "0.001", payoutMethodId = "BTC-LN" });
        await shop.Ok(HttpMethod.Delete, $"payouts/{Id(open)}");
        await shop.Ok(HttpMethod.Post, "payouts", new { destination = "b@wallet.example", amount = "0.001", payoutMethodId = "BTC-LN", approved = true });
        await Judge("invoices?take=50", "InvoiceData");
        await Judge("payouts?includeCancelled=true", "PayoutData", "date");
        await Judge("pull-payments", "PullPaymentData", "startsAt", "expiresAt", "BOLT11Expiration");
        await Judge("rates?currencyPair=BTC_EUR&currencyPair=BTC_USD", "StoreRateResult");
        faults.Distinct().ShouldBeEmpty();
    }

    /// <summary>Without what the server says and its document doesn't, and without nulls, of which the document says little.</summary>
    private static JsonObject Plain(JsonNode said, string[] known)
    {
        var plain = WithoutNulls(said)!.AsObject();
        foreach (var member in known)
        {
            plain.Remove(member);
        }

        return plain;
    }

    private static JsonNode? WithoutNulls(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.Where(it => it.Value is not null).Select(it => KeyValuePair.Create(it.Key, WithoutNulls(it.Value)))),
        JsonArray items => new JsonArray([.. items.Select(WithoutNulls)]),
        _ => node?.DeepClone(),
    };
}
