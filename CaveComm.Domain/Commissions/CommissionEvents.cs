using System.Text.Json.Serialization;

namespace CaveComm.Domain.Commissions;

/// <summary>Everything that can have happened to a commission. Stored for ever: add, never edit. Who and when is in the envelope.</summary>
public abstract record CommissionEvent
{
    private CommissionEvent() { }

    /// <summary>A customer asked a freelancer for a piece of work, or both agreed on it elsewhere (then <see cref="Accepted"/> follows at once).</summary>
    /// <param name="Template">What was on offer at that moment; a later change of the template changes nothing here.</param>
    /// <param name="Answers">By question id; numbers and dates in their canonical text.</param>
    public sealed record Requested(
        string Freelancer, Customer Customer, TemplateSnapshot Template, string Provider, IReadOnlyDictionary<string, string> Answers, bool AcceptedTerms) : CommissionEvent;

    public sealed record Accepted : CommissionEvent;

    /// <param name="Reason">The freelancer's words to the customer; untrusted text.</param>
    public sealed record Declined(string? Reason) : CommissionEvent;

    /// <summary>The customer took the request back.</summary>
    public sealed record Withdrawn : CommissionEvent;

    /// <summary>The freelancer called accepted work off.</summary>
    public sealed record Cancelled(string? Reason) : CommissionEvent;

    /// <summary>The provider set an invoice up and named it.</summary>
    /// <param name="Attempt">1 for the first invoice; part of the idempotency key.</param>
    /// <param name="DueAt">Stripe: due. BTCPay: expires.</param>
    /// <param name="Freelancer">Whose billing it belongs to; so with every event that moves money.</param>
    public sealed record InvoiceIssued(
        int Attempt, string Provider, string InvoiceId, string? Number, Money Amount, string PayUrl, DateTimeOffset? DueAt, string Freelancer) : CommissionEvent;

    /// <summary>The provider definitely refused to set the invoice up.</summary>
    public sealed record InvoiceSetUpFailed(int Attempt, string Provider, string Reason) : CommissionEvent;

    /// <param name="Amount">What is no longer asked for.</param>
    public sealed record InvoiceExpired(string InvoiceId, Money Amount, string Freelancer) : CommissionEvent;

    /// <param name="Amount">What is no longer asked for.</param>
    public sealed record InvoiceVoided(string InvoiceId, Money Amount, string Freelancer) : CommissionEvent;

    /// <summary>Money arrived. Partial payments are normal.</summary>
    /// <param name="PaymentId">The provider's id; the same id twice is the same payment told twice.</param>
    /// <param name="Amount">What it counts towards the invoice, in its currency.</param>
    /// <param name="Received">What truly came in, in the provider's coin (satoshi for BTCPay).</param>
    /// <param name="At">When the provider settled it (UTC), not when we heard.</param>
    /// <param name="Late">It came after the invoice had expired: it counts only once the freelancer honours it.</param>
    /// <param name="Charge">Stripe's charge, which a transfer is tied to.</param>
    /// <param name="Fee">What the provider kept for itself, which the operator bears; null where it did not say, and in events from before it was asked.</param>
    public sealed record PaymentReceived(
        string InvoiceId, string PaymentId, Money Amount, Money Received, DateTimeOffset At, bool Late, string? Charge, string Freelancer,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Money? Fee = null) : CommissionEvent;

    /// <summary>The customer has paid the open invoice, and the payment waits for its confirmation: shown, not counted.</summary>
    public sealed record PaymentSeen(string InvoiceId) : CommissionEvent;

    /// <summary>What was seen is gone before it was confirmed, and the invoice can be paid again.</summary>
    public sealed record PaymentVanished(string InvoiceId) : CommissionEvent;

    /// <summary>The customer tried to pay and could not; another try may follow.</summary>
    public sealed record PaymentFailed(string PaymentId) : CommissionEvent;

    /// <param name="ProductVersion">1 for the first product; sending again adds one.</param>
    public sealed record ProductUploaded(int ProductVersion, IReadOnlyList<ProductFile> Files) : CommissionEvent;

    /// <summary>The freelancer lets the customer have the product although it is not paid.</summary>
    public sealed record ReleasedUnpaid : CommissionEvent;

    /// <summary>The product may go to the customer; the mail with the link follows from this.</summary>
    public sealed record Delivered(int ProductVersion) : CommissionEvent;

    /// <summary>The customer fetched the product for the first time. Proof for a chargeback.</summary>
    public sealed record ProductDownloaded(int ProductVersion, Guid FileId) : CommissionEvent;

    /// <summary>A fresh download link was asked for; older links no longer work.</summary>
    /// <param name="LinkGeneration">The generation that links carry from now on.</param>
    public sealed record DownloadLinkRenewed(int LinkGeneration) : CommissionEvent;

    /// <summary>Recorded before the provider is called: the money may be on its way from here on.</summary>
    /// <param name="Attempt">Raised only by a definite refusal; part of the idempotency key.</param>
    /// <param name="Provider"><c>stripe</c>, <c>btcpay</c> or <c>manual</c>.</param>
    /// <param name="Amount">What the freelancer gets, in the coin that came in.</param>
    /// <param name="Fee">What the platform keeps back.</param>
    /// <param name="HeldBack">What the freelancer owed from refunds and disputes after earlier payouts; null for nothing, and in events from before there were any.</param>
    public sealed record PayoutRequested(
        int Attempt, string Provider, string Destination, Money Amount, Money Fee, string? Charge,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Money? HeldBack = null) : CommissionEvent;

    /// <summary>The provider definitely refused: nothing was sent.</summary>
    public sealed record PayoutFailed(int Attempt, string Reason) : CommissionEvent;

    /// <summary>The provider confirmed that the money was sent, or the freelancer marked it so.</summary>
    /// <param name="Amount">What the freelancer got.</param>
    /// <param name="Fee">What the platform kept back of the same money.</param>
    public sealed record PaidOut(string PayoutId, Money Amount, Money Fee, string Freelancer) : CommissionEvent;

    /// <summary>The provider took a payout back: the freelancer no longer has the money, or a part of it.</summary>
    /// <param name="ReversalId">The provider's id; the same id twice is the same reversal told twice.</param>
    /// <param name="Amount">What was taken back, in the payout's coin.</param>
    public sealed record PayoutReversed(string PayoutId, string ReversalId, Money Amount, string Freelancer) : CommissionEvent;

    /// <summary>After an expiry, a void or a refused set-up the freelancer wants another invoice over what is missing.</summary>
    public sealed record InvoiceReissued(int Attempt) : CommissionEvent;

    /// <summary>The freelancer takes what came, late or too little, for the whole price.</summary>
    /// <param name="PaymentIds">Late payments that count from here on.</param>
    /// <param name="Waived">What is still missing with them and is no longer asked for.</param>
    public sealed record LatePaymentHonoured(IReadOnlyList<string> PaymentIds, Money Waived, string Freelancer) : CommissionEvent;

    /// <summary>The provider was told, outside CaveComm, to ask for less: a credit note on an invoice that is not paid.</summary>
    /// <param name="CreditId">The provider's id; the same id twice is the same credit told twice.</param>
    public sealed record InvoiceCredited(string CreditId, string InvoiceId, Money Amount, string Freelancer) : CommissionEvent;

    /// <summary>Recorded before the provider is called: the money may be on its way back from here on.</summary>
    /// <param name="Number">1 for the commission's first refund; part of the idempotency key. Another try after a failure is another number.</param>
    /// <param name="Provider">Who sends it; <c>manual</c> for money that the provider never held.</param>
    /// <param name="Amount">In the price's currency.</param>
    /// <param name="Reason">The freelancer's words; untrusted text.</param>
    public sealed record RefundRequested(int Number, string Provider, string PaymentId, Money Amount, string? Reason) : CommissionEvent;

    /// <summary>The provider has put the money aside for the customer, who has to say where it shall go.</summary>
    /// <param name="ClaimUrl">The provider's page for that.</param>
    public sealed record RefundOffered(int Number, string RefundId, string ClaimUrl) : CommissionEvent;

    /// <summary>The offer is taken back: recorded before the provider is told. What was claimed by then still arrives; else <see cref="RefundFailed"/> follows.</summary>
    public sealed record RefundWithdrawn(int Number) : CommissionEvent;

    /// <summary>Money went back to the customer: asked for here, or at the provider itself (then nothing was requested before).</summary>
    /// <param name="Number">That of <see cref="RefundRequested"/>; null for one that was made at the provider.</param>
    /// <param name="RefundId">The provider's id; the same id twice is the same refund told twice.</param>
    /// <param name="Amount">In the price's currency.</param>
    /// <param name="Sent">The same in the coin that came in: what the provider no longer holds.</param>
    public sealed record Refunded(int? Number, string RefundId, string PaymentId, Money Amount, Money Sent, string Freelancer) : CommissionEvent;

    /// <summary>A refund did not reach the customer: it was refused, or it came back after it had been told as done.</summary>
    /// <param name="Sent">What the provider holds again; zero where it never left.</param>
    public sealed record RefundFailed(int? Number, string? RefundId, string PaymentId, Money Amount, Money Sent, string Reason, string Freelancer) : CommissionEvent;

    /// <summary>The customer's bank took the money back until it is decided who is right.</summary>
    /// <param name="Amount">What is disputed, which may be more than the payment (fees), in the coin that came in.</param>
    /// <param name="Reason">The provider's word for it.</param>
    /// <param name="EvidenceDueAt">Until when evidence can be handed in (UTC).</param>
    public sealed record DisputeOpened(string DisputeId, string PaymentId, Money Amount, string Reason, DateTimeOffset? EvidenceDueAt, string Freelancer) : CommissionEvent;

    /// <summary>The dispute is decided. If it was won, the provider has given the money back.</summary>
    public sealed record DisputeClosed(string DisputeId, bool Won, Money Amount, string Freelancer) : CommissionEvent;

    /// <summary>Who asked for the work is forgotten: name, address and answers read <see cref="Customer.Erased"/> from here on. The work and its money go on.</summary>
    public sealed record CustomerErased : CommissionEvent;
}

/// <param name="Id">The person behind the address, the same over all commissions of this installation.</param>
/// <param name="Name">Untrusted text.</param>
/// <param name="Email">Where mails go; checked for shape only.</param>
public sealed record Customer(Guid Id, string Name, string Email)
{
    /// <summary>What stands in place of everything personal once the person was erased.</summary>
    public const string Erased = "[erased]";

    /// <summary>Whether name and address are gone. No mail reaches such a customer, and no invoice can be made out.</summary>
    public bool WasErased() => Email == Erased;
}

/// <summary>A template as it was when the work was asked for.</summary>
/// <param name="Name">The template's name in URLs; null for work agreed elsewhere.</param>
/// <param name="Version">Counts the publications of this template; 0 for work agreed elsewhere.</param>
/// <param name="Slots">Most commissions of the template open at once; null for no limit.</param>
public sealed record TemplateSnapshot(
    string? Name, int Version, string Title, Money Price, PaymentTerms PaymentTerms, IReadOnlyList<Question> Questions, string? TermsOfService, int? Slots, int DueDays);

/// <summary>When the customer pays.</summary>
public enum PaymentTerms
{
    UpFront,
    OnDelivery,
}

/// <summary>One question of a template's form.</summary>
/// <param name="Options">The choices, for <see cref="QuestionKind.Choice"/> only.</param>
public sealed record Question(string Id, string Label, QuestionKind Kind, bool Required, IReadOnlyList<string>? Options = null);

public enum QuestionKind
{
    Text,
    LongText,
    Choice,
    Number,
    Date,
    Image,
}

/// <summary>One delivered file.</summary>
/// <param name="Name">A label, never a path; untrusted text.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Sha256">Lower-case hex.</param>
public sealed record ProductFile(Guid FileId, string Name, long Size, string Sha256, string MediaType);
