using System.Security.Cryptography;
using System.Text;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Domain;
using CaveComm.Domain.Payments;

namespace CaveComm.Api.Payments;

/// <summary>P1 and P2: what a provider posts is checked, stored once, and answered; everything else happens afterwards.</summary>
internal static partial class Webhooks
{
    private const int MostBytes = 1024 * 1024;
    private const string ToldOnce = "The provider's event id makes a repeat harmless for ever.";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/webhooks/stripe", (HttpContext http, IEnumerable<IWebhookReader> readers, IDocumentStore store, IOutbox outbox, TimeProvider clock, ILogger<ProviderEventStored> log) =>
            Receive(PaymentProviders.Stripe, http, readers, store, outbox, clock, log)).WithName("StripeWebhook").KeepsNoAnswer(ToldOnce);
        routes.MapPost("/webhooks/btcpay", (HttpContext http, IEnumerable<IWebhookReader> readers, IDocumentStore store, IOutbox outbox, TimeProvider clock, ILogger<ProviderEventStored> log) =>
            Receive(PaymentProviders.BtcPay, http, readers, store, outbox, clock, log)).WithName("BtcPayWebhook").KeepsNoAnswer(ToldOnce);
    }

    private static async Task<IResult> Receive(
        string provider, HttpContext http, IEnumerable<IWebhookReader> readers, IDocumentStore store, IOutbox outbox, TimeProvider clock, ILogger log)
    {
        var cancel = http.RequestAborted;
        if (readers.FirstOrDefault(r => r.Provider == provider) is not { } reader)
        {
            return Problems.Of("not-configured", $"This installation does not use {provider}.");
        }

        if (await BoundedBody.Read(http.Request, MostBytes, cancel) is not { } body)
        {
            return Problems.TooLarge(MostBytes);
        }

        var reading = reader.Read(body, http.Request.Headers[reader.SignatureHeader], clock.GetUtcNow());
        switch (reading)
        {
            case WebhookReading.Forged forged:
                LogForged(log, provider, forged.Reason);
                return Problems.Of("bad-signature", "The signature does not fit the body.");
            case WebhookReading.Unreadable unreadable:
                LogUnreadable(log, provider, unreadable.Reason);
                var sha256 = Convert.ToHexStringLower(SHA256.HashData(body));
                await StoreOnce(store, outbox, StreamKey.ProviderEvent(provider, sha256), new ProviderEvent.Unreadable(provider, sha256, unreadable.Reason, Text(body)), null, cancel);
                return TypedResults.Ok();
            case WebhookReading.Event told:
                await StoreOnce(
                    store,
                    outbox,
                    StreamKey.ProviderEvent(provider, told.EventId),
                    new ProviderEvent.Received(provider, told.EventId, told.Type, told.CreatedAt, Text(body)),
                    new ProviderEventStored(provider, told.EventId, told.Type, told.Commission, told.InvoiceId, told.PaymentIntentId, told.PayoutId, told.Customer, told.PullPaymentId),
                    cancel);
                return TypedResults.Ok();
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    // The stream's key is the permanent deduplication: a second start fails, and the event was handled already.
    private static async Task StoreOnce(IDocumentStore store, IOutbox outbox, string key, ProviderEvent told, ProviderEventStored? message, CancellationToken cancel)
    {
        await using var session = store.LightweightSession();
        session.LastModifiedBy = key[..key.IndexOf('-', StringComparison.Ordinal)];
        outbox.Enroll(session);
        session.Events.StartStream<ProviderEvent>(key, told);
        if (message is not null)
        {
            await outbox.PublishAsync(message);
        }

        try
        {
            await session.SaveChangesAsync(cancel);
        }
        catch (ExistingStreamIdCollisionException)
        {
            // Told before.
        }
    }

    // jsonb and text columns take no NUL; what is not UTF-8 is kept as replacement characters, its SHA-256 names the original.
    private static string Text(byte[] body) => Encoding.UTF8.GetString(body).Replace('\0', '\uFFFD');

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused a webhook in {Provider}'s name: {Reason}")]
    private static partial void LogForged(ILogger log, string provider, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "A rightly signed webhook of {Provider} is unreadable: {Reason}")]
    private static partial void LogUnreadable(ILogger log, string provider, string reason);
}
