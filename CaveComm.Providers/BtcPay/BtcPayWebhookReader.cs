using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;

namespace CaveComm.Providers.BtcPay;

/// <summary>BTCPay's deliveries. No time is signed: that the first delivery's id is stored once is what a replay runs into (contracts/btcpay.md §3).</summary>
internal sealed class BtcPayWebhookReader(IReadOnlyList<string> secrets) : IWebhookReader
{
    private const string Scheme = "sha256=";

    public string Provider => BtcPayGateway.ProviderName;

    public string SignatureHeader => "BTCPay-Sig";

    public WebhookReading Read(ReadOnlySpan<byte> body, string? signature, DateTimeOffset now)
    {
        if (string.IsNullOrEmpty(signature))
        {
            return new WebhookReading.Forged(ForgedKind.NoSignature, "There is no BTCPay-Sig.");
        }

        var told = signature.Trim();
        if (!told.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            || !WebhookSignature.Fits(secrets, "", body, told[Scheme.Length..]))
        {
            return new WebhookReading.Forged(ForgedKind.WrongSignature, "The signature does not fit.");
        }

        // A redelivery has an id of its own; the first one's is what the fact is known by. Very old servers misspell it.
        var json = JsonReading.Parse(body) ?? default;
        if ((json.Text("originalDeliveryId") ?? json.Text("orignalDeliveryId") ?? json.Text("deliveryId")).AsId() is not { } id || json.Text("type").AsId() is not { } type)
        {
            return new WebhookReading.Unreadable("The body is no BTCPay delivery.");
        }

        return new WebhookReading.Event(
            id,
            type,
            json.Time("timestamp"),
            Guid.TryParse(json.Text("metadata", "commissionId"), out var commission) ? commission : null,
            json.Text("invoiceId").AsId(),
            PaymentIntentId: null,
            json.Text("payoutId").AsId(),
            Account: null)
        {
            PullPaymentId = json.Text("pullPaymentId").AsId(),
        };
    }
}
