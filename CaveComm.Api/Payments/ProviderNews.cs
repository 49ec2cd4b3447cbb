using System.Security.Cryptography;
using System.Text;
using CaveComm.Domain;
using CaveComm.Domain.Payments;

namespace CaveComm.Api.Payments;

/// <summary>What a provider told, ready to be stored: the same whether a webhook brought it or the provider's list of events.</summary>
/// <param name="Key">The stream, named after the provider's own id of the event: that it can begin only once is the permanent deduplication (spec P2).</param>
/// <param name="Message">What has it handled; an alarm when nobody could read it, and null when it names nothing that we could look at.</param>
internal sealed record ProviderNews(string Provider, string Key, ProviderEvent Told, object? Message)
{
    /// <param name="reading">Of something that is known to be the provider's.</param>
    public static ProviderNews Of(string provider, WebhookReading reading, byte[] body)
    {
        switch (reading)
        {
            case WebhookReading.Event it:
                return new ProviderNews(
                    provider,
                    StreamKey.ProviderEvent(provider, it.EventId),
                    new ProviderEvent.Received(provider, it.EventId, it.Type, it.CreatedAt, Text(body)),
                    MessageOf(provider, it));
            case WebhookReading.Unreadable it:
                var sha256 = Convert.ToHexStringLower(SHA256.HashData(body));
                var key = StreamKey.ProviderEvent(provider, sha256);
                return new ProviderNews(
                    provider,
                    key,
                    new ProviderEvent.Unreadable(provider, sha256, it.Reason, Text(body)),
                    new Alarm(null, $"{provider} told something that cannot be read, in its own name: {it.Reason} It is kept as {key}."));
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    public void Store(IDocumentSession session)
    {
        session.LastModifiedBy = Provider;
        session.Events.StartStream<ProviderEvent>(Key, Told);
    }

    // What happens on a freelancer's own account is theirs, metadata too: of it only payouts and the account itself concern us. Whatever else it names is not on the platform's account.
    private static ProviderEventStored? MessageOf(string provider, WebhookReading.Event it)
    {
        var ours = it.Account is null ? it : it with { Commission = null, InvoiceId = null, PaymentIntentId = null, Customer = null, PullPaymentId = null };
        return ours.NamesNothing ? null : new ProviderEventStored(
            provider, it.EventId, it.Type, ours.Commission, ours.InvoiceId, ours.PaymentIntentId, ours.PayoutId, ours.Customer, ours.PullPaymentId, ours.PayoutAccount);
    }

    // jsonb and text columns take no NUL; what is not UTF-8 is kept as replacement characters, its SHA-256 names the original.
    private static string Text(byte[] body) => Encoding.UTF8.GetString(body).Replace('\0', '\uFFFD');
}
