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
    public sealed record RecordPayment(
        string InvoiceId, string PaymentId, Money Amount, Money Received, DateTimeOffset At, bool Late, string? Charge) : CommissionCommand;

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
    public sealed record RequestPayout(string Provider, string Destination, int FeeBasisPoints) : CommissionCommand;

    public sealed record RecordPayoutRefusal(int Attempt, string Reason) : CommissionCommand;

    public sealed record ConfirmPayout(int Attempt, string PayoutId) : CommissionCommand;

    /// <summary>The freelancer says that a manual payout was made.</summary>
    public sealed record MarkPaidOut : CommissionCommand;

    /// <summary>The customer's personal data was erased.</summary>
    public sealed record ForgetCustomer : CommissionCommand;
}
