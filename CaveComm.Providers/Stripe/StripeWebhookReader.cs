using System.Globalization;
using System.Text.Json;
using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;

namespace CaveComm.Providers.Stripe;

/// <summary>Stripe's events: signed with a time that may be at most <see cref="Tolerance"/> off (contracts/stripe.md §9).</summary>
internal sealed class StripeWebhookReader(IReadOnlyList<string> secrets) : IWebhookReader
{
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(300);

    // Each is a hash over the whole body, made for somebody who has proved nothing yet.
    private const int MostSignatures = 16;

    public string Provider => StripeGateway.ProviderName;

    public string SignatureHeader => "Stripe-Signature";

    public WebhookReading Read(ReadOnlySpan<byte> body, string? signature, DateTimeOffset now)
    {
        if (string.IsNullOrEmpty(signature))
        {
            return new WebhookReading.Forged(ForgedKind.NoSignature, "There is no Stripe-Signature.");
        }

        var parts = signature.Split(',').Select(part => part.Split('=', 2)).Where(part => part.Length == 2).ToList();
        var time = parts.Find(part => part[0].Trim() == "t")?[1].Trim();
        if (!long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            return new WebhookReading.Forged(ForgedKind.WrongSignature, "The signature tells no time.");
        }

        if (parts.Count(part => part[0].Trim() == "v1") > MostSignatures)
        {
            return new WebhookReading.Forged(ForgedKind.WrongSignature, "There are more signatures than Stripe sends.");
        }

        // While a secret is being rolled there is one v1 for each. v0 is for Stripe's own tests.
        var fits = false;
        foreach (var part in parts.Where(part => part[0].Trim() == "v1"))
        {
            fits |= WebhookSignature.Fits(secrets, $"{time}.", body, part[1].Trim());
        }

        if (!fits)
        {
            return new WebhookReading.Forged(ForgedKind.WrongSignature, "No signature fits.");
        }

        return Math.Abs((decimal)now.ToUnixTimeSeconds() - seconds) > (decimal)Tolerance.TotalSeconds
            ? new WebhookReading.Forged(ForgedKind.Stale, "The signature is too old, or from the future.")
            : Read(JsonReading.Parse(body) ?? default);
    }

    /// <summary>Reads an event that is known to be Stripe's: signed rightly, or fetched from Stripe.</summary>
    internal static WebhookReading Read(JsonElement json)
    {
        if (json.Text("object") != "event" || json.Text("id").AsId() is not { } id || json.Text("type").AsId() is not { } type)
        {
            return new WebhookReading.Unreadable("The body is no Stripe event.");
        }

        var it = json.At("data", "object");
        var kind = it.Text("object");
        return new WebhookReading.Event(
            id,
            type,
            json.Time("created"),
            Named(it, "commission_id"),
            (kind == "invoice" ? it.Text("id") : it.Id("invoice")).AsId(),
            (kind == "payment_intent" ? it.Text("id") : it.Id("payment_intent") ?? it.Id("payment", "payment_intent")).AsId(),
            (kind == "payout" ? it.Text("id") : null).AsId(),
            json.Text("account").AsId())
        {
            Customer = Named(it, "customer_id"),
            PayoutAccount = kind == "account" ? it.Text("id") : null,
        };
    }

    // Metadata that we gave the object when it was made.
    private static Guid? Named(JsonElement it, string name) => Guid.TryParse(it.Text("metadata", name), out var id) ? id : null;
}
