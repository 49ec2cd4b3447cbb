namespace CaveComm.Domain.Payments;

/// <summary>Invoices, payments and payouts at one outside party.</summary>
/// <remarks>
/// A refusal is a value. Silence, a connection error or a 5xx is a <see cref="GatewayUnavailableException"/>: the outcome is unknown, and the
/// caller asks again with the same key. Cancelling a call ends the wait, not the provider's work.
/// </remarks>
public interface IPaymentProvider
{
    /// <summary><c>stripe</c> or <c>btcpay</c>.</summary>
    string Name { get; }

    /// <summary>Whether the provider mails its invoices to the customer itself (Stripe does, BTCPay does not).</summary>
    bool MailsInvoices { get; }

    /// <summary>Sets an invoice up, or finds the one that an earlier call with the same key made.</summary>
    Task<InvoiceSetUp> SetUpInvoice(InvoiceOrder order, CancellationToken cancel);

    /// <summary>Has the provider mail the invoice to the customer. Does nothing where <see cref="MailsInvoices"/> is false.</summary>
    /// <param name="key">Idempotency key: stream, intent and attempt.</param>
    /// <exception cref="GatewayRefusedException">There is no such invoice, or it cannot be mailed. One that is settled or void by now is no fault.</exception>
    Task SendInvoice(string key, string invoiceId, CancellationToken cancel);

    /// <summary>The invoice as the provider sees it now, with every payment it counts; null when there is no such invoice.</summary>
    Task<InvoiceSnapshot?> FetchInvoice(string invoiceId, CancellationToken cancel);

    /// <summary>Makes the invoice unpayable. A repeat is harmless; an invoice that was paid meanwhile stays paid.</summary>
    /// <exception cref="GatewayRefusedException">The provider will not, and the invoice is payable still.</exception>
    Task VoidInvoice(string key, string invoiceId, CancellationToken cancel);

    /// <summary>Sends money to a freelancer, or finds what an earlier call with the same key sent.</summary>
    Task<PayoutSnapshot> RequestPayout(PayoutOrder order, CancellationToken cancel);

    /// <summary>The payout as the provider sees it now; null when there is no such payout.</summary>
    Task<PayoutSnapshot?> FetchPayout(string payoutId, string destination, CancellationToken cancel);
}

/// <summary>What an invoice shall say.</summary>
/// <param name="Key">Idempotency key: stream, intent and attempt, such as <c>commission:…/invoice/1</c>. At most 200 characters.</param>
/// <param name="Commission">Recorded at the provider, so that its news find their commission.</param>
/// <param name="Description">The customer's line on the invoice; untrusted text.</param>
/// <param name="DueDays">Days until it is due; BTCPay invoices expire instead.</param>
/// <param name="ReturnUrl">Where the pay page sends the customer back to.</param>
public sealed record InvoiceOrder(
    string Key, Guid Commission, Guid CustomerId, string CustomerName, string CustomerEmail, string Description, Money Amount, string PaymentTerms, int DueDays, Uri ReturnUrl);

/// <summary>The answer to an <see cref="InvoiceOrder"/>.</summary>
public abstract record InvoiceSetUp
{
    private InvoiceSetUp() { }

    /// <param name="DueAt">When it falls due (Stripe) or expires (BTCPay), UTC.</param>
    public sealed record Issued(string InvoiceId, string? Number, Uri PayUrl, DateTimeOffset? DueAt) : InvoiceSetUp;

    /// <summary>A definite no, such as an amount below the provider's minimum.</summary>
    public sealed record Refused(string Reason) : InvoiceSetUp;
}

/// <summary>Where an invoice stands at the provider.</summary>
public enum InvoiceStanding
{
    Open,

    /// <summary>Fully paid but not yet confirmed (Bitcoin without confirmations). Shown, not counted.</summary>
    Processing,
    Paid,

    /// <summary>Ran out before it was paid in full. Money may still have arrived: see the payments.</summary>
    Expired,
    Voided,

    /// <summary>Payments were seen but did not confirm, or somebody marked it so.</summary>
    Invalid,
}

/// <summary>An invoice as the provider sees it.</summary>
/// <param name="Payments">Every payment that counts (settled, not merely seen), each with its own lasting id.</param>
/// <param name="Commission">The commission that the invoice was made for, as recorded at the provider.</param>
public sealed record InvoiceSnapshot(
    string InvoiceId, InvoiceStanding Standing, Money Amount, IReadOnlyList<SettledPayment> Payments, Guid? Commission, Uri? PayUrl, DateTimeOffset? DueAt);

/// <summary>Money that arrived.</summary>
/// <param name="PaymentId">Stripe <c>pi_…</c> (or <c>in_…</c> when paid out of band); BTCPay the payment's id, or <c>marked:{invoice}</c>.</param>
/// <param name="Amount">What it counts towards the invoice, in the invoice's currency.</param>
/// <param name="Received">What truly came in, in the provider's coin: the same for Stripe, satoshi for BTCPay; zero for money that was paid elsewhere.</param>
/// <param name="At">When the provider settled it (UTC), not when we heard.</param>
/// <param name="Late">It came after the invoice had expired, so the freelancer decides.</param>
/// <param name="Charge">Stripe's charge (<c>ch_…</c>), which a transfer is tied to.</param>
public sealed record SettledPayment(string PaymentId, Money Amount, Money Received, DateTimeOffset At, bool Late, string? Charge);

/// <summary>Money to send to a freelancer.</summary>
/// <param name="Key">Idempotency key: stream, intent and attempt.</param>
/// <param name="Destination">Stripe: the connected account <c>acct_…</c>. BTCPay: a Lightning address or an on-chain address.</param>
/// <param name="Amount">Stripe: the charge's currency. BTCPay: BTC, in satoshi.</param>
/// <param name="Charge">Stripe's charge that the money came by, so that it can be sent before it is available.</param>
public sealed record PayoutOrder(string Key, Guid Commission, string Destination, Money Amount, string? Charge);

public enum PayoutStanding
{
    /// <summary>On its way; asked about again.</summary>
    Pending,
    Paid,

    /// <summary>A definite no: nothing was sent. Only this raises the attempt.</summary>
    Refused,
}

/// <summary>A payout as the provider sees it.</summary>
/// <param name="PayoutId">Null when the provider refused before it made one.</param>
/// <param name="Reason">The provider's words for a refusal.</param>
public sealed record PayoutSnapshot(string? PayoutId, PayoutStanding Standing, string? Reason);

/// <summary>Nobody answered, or the answer does not tell whether the work was done. Ask again with the same key.</summary>
/// <param name="retryAfter">How long the provider asked us to wait, when it did.</param>
public class GatewayUnavailableException(string provider, string message, TimeSpan? retryAfter = null, Exception? inner = null)
    : Exception($"{provider}: {message}", inner)
{
    public string Provider { get; } = provider;

    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>A definite no where the port has no value for one: asking again, with this key or another, changes nothing.</summary>
public class GatewayRefusedException(string provider, string message, Exception? inner = null) : Exception($"{provider}: {message}", inner)
{
    public string Provider { get; } = provider;
}
