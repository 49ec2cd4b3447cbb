using System.Text.Json.Nodes;
using CaveComm.Tests.Providers;
using Shouldly;
using static CaveComm.Tests.Sandbox.BtcPayWorkshop;

namespace CaveComm.Tests.Sandbox;

/// <summary>What the look-alike says, judged by the published document. Skipped where the document is not at hand.</summary>
public sealed class BtcPaySchemaTests : IAsyncLifetime
{
    private BtcPayWorkshop shop = null!;

    public async ValueTask InitializeAsync() => shop = await BtcPayWorkshop.Open();

    public ValueTask DisposeAsync() => shop.DisposeAsync();

    [Fact]
    public async Task Answers_and_webhooks_fit_the_published_schemas()
    {
        var document = OpenApiDocument.Load("btcpay-greenfield-2.4.1.json");
        var invoice = await shop.Invoice();
        await shop.Press(invoice, "pay-too-much", "ln");
        Judge(document, await shop.Read(invoice), "InvoiceData");
        foreach (var method in (await shop.Ok(HttpMethod.Get, $"invoices/{Id(invoice)}/payment-methods")).AsArray())
        {
            Judge(document, method!, "InvoicePaymentMethodDataModel");
        }

        var refund = await shop.Ok(HttpMethod.Post, $"invoices/{Id(invoice)}/refund", new { refundVariant = "OverpaidAmount" });
        // Three traps of the document: it leaves out times, and says text where the server says a number.
        Judge(document, refund, "PullPaymentData", "startsAt", "expiresAt", "BOLT11Expiration");
        Judge(document, await shop.Ok(HttpMethod.Get, $"invoices/{Id(invoice)}/refund/BTC-CHAIN"), "InvoiceRefundTriggerData");
        var payout = await shop.Ok(
            HttpMethod.Post, "payouts", new { destination = "art@wallet.example", amount = "0.001", payoutMethodId = "BTC-LN", approved = true });
        Judge(document, payout, "PayoutData", "date");
        Judge(document, (await shop.Ok(HttpMethod.Get, "rates?currencyPair=BTC_EUR"))[0]!, "StoreRateResult");
        Judge(document, await shop.Ok(HttpMethod.Get, ""), "StoreData");
        Judge(document, (await shop.Ok(HttpMethod.Get, "webhooks"))[0]!, "WebhookData");
        Judge(document, await shop.Ok(HttpMethod.Post, "lightning/BTC/invoices", new { amount = "1000", expiry = 60 }), "LightningInvoiceData");

        var told = await shop.Hooks.Until(all => all.Any(it => it.Type == "InvoiceRefund"));
        foreach (var invoiceEvent in told.Where(it => it.Type.StartsWith("Invoice", StringComparison.Ordinal)))
        {
            var schema = invoiceEvent.Type switch
            {
                "InvoiceSettled" => "WebhookInvoiceSettledEvent",
                "InvoiceProcessing" => "WebhookInvoiceProcessingEvent",
                "InvoiceReceivedPayment" => "WebhookInvoiceReceivedPaymentEvent",
                "InvoicePaymentSettled" => "WebhookInvoicePaymentSettledEvent",
                _ => "WebhookInvoiceEvent",
            };
            Judge(document, invoiceEvent.Body, schema, "pullPaymentId"); // Of InvoiceRefund, which the document doesn't know.
        }

        var delivery = (await shop.Ok(HttpMethod.Get, $"webhooks/{(string)shop.Hooks.All[0].Body["webhookId"]!}/deliveries"))[0]!;
        Judge(document, delivery, "WebhookDeliveryData");
    }

    /// <param name="known">Members in which the server and its document are known to differ.</param>
    private static void Judge(OpenApiDocument document, JsonNode said, string schema, params string[] known)
    {
        var told = WithoutNulls(said)!.AsObject();
        foreach (var member in known)
        {
            told.Remove(member);
        }

        document.Faults(told, schema).ShouldBeEmpty(told.ToJsonString());
    }

    /// <summary>The server says null where it has nothing, whatever the document says of it.</summary>
    private static JsonNode? WithoutNulls(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.Where(it => it.Value is not null).Select(it => KeyValuePair.Create(it.Key, WithoutNulls(it.Value)))),
        JsonArray items => new JsonArray([.. items.Select(WithoutNulls)]),
        _ => node?.DeepClone(),
    };
}
