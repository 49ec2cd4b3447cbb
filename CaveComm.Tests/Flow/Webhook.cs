using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Posts as the providers do.</summary>
internal static class Webhook
{
    public static string SignStripe(string body, string secret, DateTimeOffset at) => string.Create(
        CultureInfo.InvariantCulture, $"t={at.ToUnixTimeSeconds()},v1={Hmac(secret, $"{at.ToUnixTimeSeconds()}.{body}")}");

    public static string SignBtcPay(string body, string secret) => $"sha256={Hmac(secret, body)}";

    public static string Sign(this Office office, string provider, string body) => provider == "stripe"
        ? SignStripe(body, office.Sandbox.StripeWebhookSecret, DateTimeOffset.UtcNow)
        : SignBtcPay(body, office.Sandbox.BtcPayWebhookSecret);

    public static string Paid(string provider, string id, string invoice, Guid commission) =>
        News(provider, id, provider == "stripe" ? "invoice.paid" : "InvoiceSettled", provider == "stripe" ? "invoice" : null, invoice, commission);

    /// <param name="kind">What Stripe's event speaks of.</param>
    public static string News(string provider, string id, string type, string? kind = "thing", string about = "nobodys", Guid? commission = null) => provider == "stripe"
        ? new JsonObject
        {
            ["id"] = id,
            ["object"] = "event",
            ["type"] = type,
            ["created"] = 1763000000,
            ["data"] = new JsonObject { ["object"] = new JsonObject { ["object"] = kind, ["id"] = about, ["metadata"] = new JsonObject { ["commission_id"] = commission } } },
        }.ToJsonString()
        : new JsonObject
        {
            ["deliveryId"] = id,
            ["originalDeliveryId"] = id,
            ["type"] = type,
            ["timestamp"] = 1763000000,
            ["invoiceId"] = about,
            ["metadata"] = new JsonObject { ["commissionId"] = commission },
        }.ToJsonString();

    public static Task<HttpResponseMessage> Tell(this Office office, string provider, string body, string? signature, bool chunked = false)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"webhooks/{provider}") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TransferEncodingChunked = chunked ? true : null;
        if (signature is not null)
        {
            request.Headers.TryAddWithoutValidation(provider == "stripe" ? "Stripe-Signature" : "BTCPay-Sig", signature).ShouldBeTrue();
        }

        return office.Anonymous.SendAsync(request);
    }

    private static string Hmac(string secret, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(text)));
}
