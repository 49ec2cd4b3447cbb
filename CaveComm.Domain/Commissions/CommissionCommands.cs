namespace CaveComm.Domain.Commissions;

/// <summary>Everything that can be asked of a commission. A command may be refused.</summary>
public abstract record CommissionCommand
{
    private CommissionCommand() { }

    /// <summary>A customer asks for work. The answers were checked against the template before (<see cref="AnswerRules"/>).</summary>
    public sealed record Request(
        string Freelancer, Customer Customer, TemplateSnapshot Template, string Provider, IReadOnlyDictionary<string, string> Answers, bool AcceptedTerms) : CommissionCommand;

    /// <summary>The freelancer enters work that was agreed elsewhere: requested and accepted in one.</summary>
    public sealed record EnterAgreed(string Freelancer, Customer Customer, TemplateSnapshot Work, string Provider) : CommissionCommand;

    public sealed record Accept : CommissionCommand;

    public sealed record Decline(string? Reason) : CommissionCommand;

    public sealed record Withdraw : CommissionCommand;

    public sealed record Cancel(string? Reason) : CommissionCommand;

    public sealed record RecordInvoice(int Attempt, string InvoiceId, string? Number, string PayUrl, DateTimeOffset? DueAt) : CommissionCommand;

    public sealed record RecordInvoiceRefusal(int Attempt, string Reason) : CommissionCommand;

    public sealed record RecordInvoiceExpiry(string InvoiceId) : CommissionCommand;

    public sealed record RecordInvoiceVoid(string InvoiceId) : CommissionCommand;

    /// <summary>The provider says that money arrived.</summary>
    /// <param name="Fee">What the provider kept for itself; null where it does not say.</param>
    public sealed record RecordPayment(
        string InvoiceId, string PaymentId, Money Amount, Money Received, DateTimeOffset At, bool Late, string? Charge, Money? Fee = null) : CommissionCommand;

    /// <summary>The provider says that the invoice is paid, but not confirmed yet.</summary>
    public sealed record RecordPaymentSeen(string InvoiceId) : CommissionCommand;

    /// <summary>The provider says that the invoice is open, with nothing that waits for a confirmation.</summary>
    public sealed record RecordNothingSeen(string InvoiceId) : CommissionCommand;

    public sealed record RecordPaymentFailure(string PaymentId) : CommissionCommand;

    public sealed record UploadProduct(IReadOnlyList<ProductFile> Files) : CommissionCommand;

    /// <summary>Deliver although it is not paid.</summary>
    public sealed record Release : CommissionCommand;

    public sealed record RecordDownload(int ProductVersion, Guid FileId) : CommissionCommand;

    /// <param name="Generation">The generation of the link that was shown; an older one was renewed already.</param>
    public sealed record RenewLink(int Generation) : CommissionCommand;

    /// <summary>Send the freelancer the money.</summary>
    /// <param name="Provider">The destination's provider: the invoice's, or <c>manual</c>.</param>
    /// <param name="FeeBasisPoints">The platform's share, 0 to 10,000.</param>
    /// <param name="Owed">What the freelancer owes in the coin of this commission; null for nothing.</param>
    public sealed record RequestPayout(string Provider, string Destination, int FeeBasisPoints, Money? Owed = null) : CommissionCommand;

    public sealed record RecordPayoutRefusal(int Attempt, string Reason) : CommissionCommand;

    public sealed record ConfirmPayout(int Attempt, string PayoutId) : CommissionCommand;

    /// <summary>The freelancer says that a manual payout was made.</summary>
    public sealed record MarkPaidOut : CommissionCommand;

    public sealed record RecordPayoutReversal(string PayoutId, string ReversalId, Money Amount) : CommissionCommand;

    /// <summary>Another invoice over what is missing.</summary>
    public sealed record ReissueInvoice : CommissionCommand;

    /// <summary>Take what came, late or too little, for the whole price.</summary>
    public sealed record Honour : CommissionCommand;

    public sealed record RecordCredit(string CreditId, string InvoiceId, Money Amount) : CommissionCommand;

    /// <summary>Send money back to the customer.</summary>
    /// <param name="Amount">In the price's currency; taken from the payments in the order they came in.</param>
    public sealed record Refund(Money Amount, string? Reason) : CommissionCommand;

    public sealed record RecordRefundOffer(int Number, string RefundId, string ClaimUrl) : CommissionCommand;

    /// <summary>Take back the offer of a refund that nobody has claimed.</summary>
    public sealed record WithdrawRefund(int Number) : CommissionCommand;

    /// <summary>The provider says that a refund was sent.</summary>
    /// <param name="Number">Of a refund that was asked for here; null for one that is known by the provider's id only.</param>
    /// <param name="Sent">In the coin that came in.</param>
    public sealed record RecordRefund(int? Number, string RefundId, string PaymentId, Money Amount, Money Sent) : CommissionCommand;

    /// <summary>The provider says that a refund was refused, or came back.</summary>
    public sealed record RecordRefundFailure(int? Number, string? RefundId, string Reason) : CommissionCommand;

    /// <summary>The freelancer says that money which no provider held was given back by hand.</summary>
    public sealed record MarkRefunded(int Number) : CommissionCommand;

    /// <summary>How a dispute stands at the provider.</summary>
    /// <param name="Won">Null while it is open.</param>
    public sealed record RecordDispute(string DisputeId, string PaymentId, Money Amount, string Reason, DateTimeOffset? EvidenceDueAt, bool? Won) : CommissionCommand;

    /// <summary>The customer's personal data was erased.</summary>
    public sealed record ForgetCustomer : CommissionCommand;
}
