namespace CaveComm.Domain.Payments;

/// <summary>Checks and reads what a provider posts to us.</summary>
public interface IWebhookReader
{
    /// <summary><c>stripe</c> or <c>btcpay</c>.</summary>
    string Provider { get; }

    /// <summary>The request header that carries the signature.</summary>
    string SignatureHeader { get; }

    /// <param name="body">The raw bytes, as they came.</param>
    WebhookReading Read(ReadOnlySpan<byte> body, string? signature, DateTimeOffset now);
}

/// <summary>What a posted body turned out to be.</summary>
public abstract record WebhookReading
{
    private WebhookReading() { }

    /// <summary>The signature does not fit; nothing of it is believed or kept.</summary>
    public sealed record Forged(ForgedKind Kind, string Reason) : WebhookReading;

    /// <summary>Signed rightly, but no event that we can read.</summary>
    public sealed record Unreadable(string Reason) : WebhookReading;

    /// <param name="EventId">Stripe: <c>evt_…</c>. BTCPay: the first delivery's id. The same fact told again has the same id.</param>
    /// <param name="Commission">From the object's metadata, where the provider copies it.</param>
    /// <param name="InvoiceId">The invoice that the event speaks of, where the body says so.</param>
    /// <param name="PaymentIntentId">Stripe only: look its invoice up.</param>
    /// <param name="PayoutId">The payout that the event speaks of.</param>
    /// <param name="Account">Stripe only: the connected account that the event happened on.</param>
    public sealed record Event(
        string EventId, string Type, DateTimeOffset? CreatedAt, Guid? Commission, string? InvoiceId, string? PaymentIntentId, string? PayoutId, string? Account) : WebhookReading
    {
        /// <summary>Our customer, where the event is about the provider's record of one.</summary>
        public Guid? Customer { get; init; }

        /// <summary>BTCPay only: the pull payment that the payout was claimed from.</summary>
        public string? PullPaymentId { get; init; }

        /// <summary>Stripe only: the connected account that the event is about, not only happened on.</summary>
        public string? PayoutAccount { get; init; }

        /// <summary>It speaks of nothing that could be ours: it is stored, and that is all.</summary>
        public bool NamesNothing =>
            (Commission ?? Customer) is null && (InvoiceId ?? PaymentIntentId ?? PayoutId ?? PullPaymentId ?? PayoutAccount) is null;
    }
}

/// <summary>Why nothing of a posted body is believed; counted by kind.</summary>
public enum ForgedKind
{
    /// <summary>There is no signature at all.</summary>
    NoSignature,

    /// <summary>There is one, and it does not fit the body, or cannot be read.</summary>
    WrongSignature,

    /// <summary>It fits, but its time is too far off: an old post, sent again.</summary>
    Stale,
}

/// <summary>Finds the invoice behind a payment intent (spec P4); the API version decides how, so it is the gateway's to know.</summary>
public interface IInvoiceLookup
{
    /// <returns>Null when the payment belongs to no invoice.</returns>
    Task<PaymentInvoice?> FindInvoice(string paymentIntentId, CancellationToken cancel);
}

/// <param name="SubscriptionId">Set when the invoice renews a subscription: a recurring payment (P6).</param>
public sealed record PaymentInvoice(string InvoiceId, string? SubscriptionId);
