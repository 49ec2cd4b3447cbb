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

    /// <summary>Sends money back to the customer, or finds what an earlier call with the same key sent.</summary>
    Task<RefundSnapshot> RequestRefund(RefundOrder order, CancellationToken cancel);

    /// <summary>The refund as the provider sees it now; null when there is no such refund.</summary>
    /// <param name="order">As it was requested: not every provider remembers all of it.</param>
    Task<RefundSnapshot?> FetchRefund(RefundOrder order, string refundId, CancellationToken cancel);

    /// <summary>Takes back the offer of a refund, so that nobody can claim it any more. A repeat is harmless; what was claimed before still arrives.</summary>
    /// <exception cref="GatewayRefusedException">The provider knows no offers, or will not.</exception>
    Task WithdrawRefund(string refundId, CancellationToken cancel);

    /// <summary>Sends money to a freelancer, or finds what an earlier call with the same key sent.</summary>
    Task<PayoutSnapshot> RequestPayout(PayoutOrder order, CancellationToken cancel);

    /// <summary>The payout as the provider sees it now; null when there is no such payout.</summary>
    Task<PayoutSnapshot?> FetchPayout(string payoutId, string destination, CancellationToken cancel);

    /// <summary>Takes money of a payout back from the freelancer, or finds what an earlier call with the same key took.</summary>
    Task<ReversalSnapshot> ReversePayout(ReversalOrder order, CancellationToken cancel);
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
    string InvoiceId, InvoiceStanding Standing, Money Amount, IReadOnlyList<SettledPayment> Payments, Guid? Commission, Uri? PayUrl, DateTimeOffset? DueAt)
{
    /// <summary>Until when money can still turn up for it, though it has expired or is invalid (UTC); null where none can, or where news of it are never lost.</summary>
    public DateTimeOffset? WatchedUntil { get; init; }

    /// <summary>Every refund of its payments, whoever asked for it.</summary>
    public IReadOnlyList<RefundSnapshot> Refunds { get; init; } = [];

    public IReadOnlyList<DisputeSnapshot> Disputes { get; init; } = [];

    /// <summary>Credit notes that make an unpaid invoice less.</summary>
    public IReadOnlyList<CreditSnapshot> Credits { get; init; } = [];
}

/// <summary>Money to send back to a customer.</summary>
/// <param name="Key">Idempotency key: stream, intent and number, such as <c>commission:…/refund/1</c>.</param>
/// <param name="Number">Recorded at the provider, so that its news find their refund.</param>
/// <param name="Amount">In the price's currency.</param>
/// <param name="Coin">The same share of what came in, in its coin.</param>
public sealed record RefundOrder(string Key, Guid Commission, int Number, string PaymentId, string? Charge, Money Amount, Money Coin);

public enum RefundProgress
{
    /// <summary>On its way, or waiting for the customer to claim it; asked about again.</summary>
    Pending,
    Sent,

    /// <summary>A definite no, or it came back: the customer does not have it.</summary>
    Failed,
}

/// <summary>A refund as the provider sees it.</summary>
/// <param name="RefundId">Null when the provider refused before it made one.</param>
/// <param name="Number">Ours, as recorded at the provider; null for a refund that was made there.</param>
/// <param name="Amount">In the price's currency.</param>
/// <param name="Sent">In the coin that came in.</param>
/// <param name="ClaimUrl">BTCPay: where the customer says which address the money shall go to.</param>
/// <param name="Reason">The provider's words for a failure.</param>
public sealed record RefundSnapshot(
    string? RefundId, int? Number, string PaymentId, Money Amount, Money Sent, RefundProgress Progress, Uri? ClaimUrl = null, string? Reason = null);

/// <summary>A dispute as the provider sees it.</summary>
/// <param name="Amount">What the bank took, in the coin that came in.</param>
/// <param name="Won">Null while it is open.</param>
public sealed record DisputeSnapshot(string DisputeId, string PaymentId, Money Amount, string Reason, DateTimeOffset? EvidenceDueAt, bool? Won);

/// <summary>A credit note on an invoice that is not paid.</summary>
public sealed record CreditSnapshot(string CreditId, Money Amount);

/// <summary>Money that arrived.</summary>
/// <param name="PaymentId">Stripe <c>pi_…</c> (or <c>in_…</c> when paid out of band); BTCPay the payment's id, or <c>marked:{invoice}</c>.</param>
/// <param name="Amount">What it counts towards the invoice, in the invoice's currency.</param>
/// <param name="Received">What truly came in, in the provider's coin: the same for Stripe, satoshi for BTCPay; zero for money that was paid elsewhere.</param>
/// <param name="At">When the provider settled it (UTC), not when we heard.</param>
/// <param name="Late">It came after the invoice had expired, so the freelancer decides.</param>
/// <param name="Charge">Stripe's charge (<c>ch_…</c>), which a transfer is tied to.</param>
public sealed record SettledPayment(string PaymentId, Money Amount, Money Received, DateTimeOffset At, bool Late, string? Charge)
{
    /// <summary>What the provider kept of it for itself; null where it does not say (yet).</summary>
    public Money? Fee { get; init; }
}

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
public sealed record PayoutSnapshot(string? PayoutId, PayoutStanding Standing, string? Reason)
{
    /// <summary>What was taken back of a payout that is at its end, whoever did so.</summary>
    public IReadOnlyList<ReversalSnapshot> Reversals { get; init; } = [];
}

/// <summary>Money to take back from a freelancer.</summary>
/// <param name="Key">Idempotency key: stream, intent and what it is taken back for.</param>
/// <param name="Amount">At most; where less is left, that is taken.</param>
/// <param name="IsBeforePayout">Its payout was refused, so the freelancer never had it: it is not told as a reversal of a later payout.</param>
public sealed record ReversalOrder(string Key, Guid Commission, string Destination, Money Amount, bool IsBeforePayout = false);

/// <summary>Money that was taken back.</summary>
/// <param name="ReversalId">Null when the provider refused: nothing was taken.</param>
/// <param name="Amount">What was taken, or was to be; zero when there is nothing that could be.</param>
/// <param name="IsOurs">Asked for here, not at the provider's own pages.</param>
/// <param name="Reason">The provider's words for a refusal.</param>
public sealed record ReversalSnapshot(string? ReversalId, Money Amount, bool IsOurs, string? Reason = null);

/// <summary>Nobody answered, or the answer does not tell whether the work was done. Ask again with the same key.</summary>
/// <param name="retryAfter">How long the provider asked us to wait, when it did.</param>
public class GatewayUnavailableException(string provider, string message, TimeSpan? retryAfter = null, Exception? inner = null)
    : Exception($"{provider}: {message}", inner)
{
    public string Provider { get; } = provider;

    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>The provider's answer cannot be true: asking again changes nothing, and a person has to look.</summary>
public sealed class ProviderFaultException(string provider, string message, Exception? inner = null) : GatewayRefusedException(provider, message, inner);

/// <summary>A definite no where the port has no value for one: asking again, with this key or another, changes nothing.</summary>
public class GatewayRefusedException(string provider, string message, Exception? inner = null) : Exception($"{provider}: {message}", inner)
{
    public string Provider { get; } = provider;
}
