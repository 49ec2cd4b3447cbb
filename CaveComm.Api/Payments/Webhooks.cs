using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
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
            LogForged(log, provider, "The body is too large.");
            WebhookMetrics.Refuse(provider, "too-large");
            return Problems.TooLarge(MostBytes);
        }

        var reading = reader.Read(body, http.Request.Headers[reader.SignatureHeader], clock.GetUtcNow());
        switch (reading)
        {
            case WebhookReading.Forged forged:
                LogForged(log, provider, forged.Reason);
                WebhookMetrics.Refuse(provider, forged.Kind switch
                {
                    ForgedKind.NoSignature => "unsigned",
                    ForgedKind.Stale => "stale",
                    _ => "wrong-signature",
                });
                return Problems.Of("bad-signature", "The signature does not fit the body.");
            default:
                if (reading is WebhookReading.Unreadable unreadable)
                {
                    LogUnreadable(log, provider, unreadable.Reason);
                }

                WebhookMetrics.Accept(provider, isNew: await StoreOnce(store, outbox, ProviderNews.Of(provider, reading, body), cancel));
                return TypedResults.Ok();
        }
    }

    // The stream's key is the permanent deduplication: a second start fails, and the event was handled already.
    private static async Task<bool> StoreOnce(IDocumentStore store, IOutbox outbox, ProviderNews news, CancellationToken cancel)
    {
        await using var session = store.LightweightSession();
        outbox.Enroll(session);
        news.Store(session);
        if (news.Message is { } message)
        {
            await outbox.PublishAsync(message);
        }

        try
        {
            await session.SaveChangesAsync(cancel);
            return true;
        }
        catch (ExistingStreamIdCollisionException)
        {
            return false; // Told before.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused a webhook in {Provider}'s name: {Reason}")]
    private static partial void LogForged(ILogger log, string provider, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "A rightly signed webhook of {Provider} is unreadable: {Reason}")]
    private static partial void LogUnreadable(ILogger log, string provider, string reason);
}
