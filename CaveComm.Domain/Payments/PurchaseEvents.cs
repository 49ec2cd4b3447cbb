namespace CaveComm.Domain.Payments;

/// <summary>What can have happened to something that is paid for, whatever it is. Stored for ever: add, never edit.</summary>
/// <remarks><c>ToldBy</c>, where there is one, is the stream of the provider's event that led to it; null when we asked of our own accord.</remarks>
public abstract record PurchaseEvent
{
    private PurchaseEvent() { }

    /// <summary>There is an invoice that can be paid. A further invoice for what is missing starts the same purchase again.</summary>
    /// <param name="Subject">The stream of what is paid for.</param>
    /// <param name="Amount">What the invoice asks for.</param>
    public sealed record PurchaseStarted(string Subject, int Attempt, string Provider, string InvoiceId, Money Amount, string Freelancer) : PurchaseEvent;

    /// <param name="Amount">What it counts towards the invoice, in its currency.</param>
    /// <param name="At">When the provider settled it (UTC).</param>
    /// <param name="Late">It came after the invoice had expired: it counts once it is honoured.</param>
    public sealed record PaymentSucceeded(string InvoiceId, string PaymentId, Money Amount, DateTimeOffset At, bool Late, string Freelancer, string? ToldBy) : PurchaseEvent;

    /// <summary>The customer tried to pay and could not; another try may follow.</summary>
    public sealed record PaymentAttemptFailed(string PaymentId, string? ToldBy) : PurchaseEvent;

    /// <summary>The customer was given what was paid for, or what shall be.</summary>
    /// <param name="ProductVersion">The first that was delivered.</param>
    public sealed record PurchaseFulfilled(int ProductVersion, string Freelancer) : PurchaseEvent;

    /// <param name="RefundId">The provider's id; our number where a refund came back that never had one.</param>
    /// <param name="Amount">In the price's currency. Negative where a refund came back.</param>
    public sealed record PurchaseRefunded(string RefundId, Money Amount, string? ToldBy) : PurchaseEvent;

    /// <param name="Amount">What the bank took, or took before.</param>
    /// <param name="Won">Null while it is open.</param>
    public sealed record PurchaseDisputed(string DisputeId, Money Amount, bool? Won, string? ToldBy) : PurchaseEvent;
}
