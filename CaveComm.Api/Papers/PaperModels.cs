using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Papers;

/// <summary>How an invoice stands; it keeps its number in every case.</summary>
public enum InvoicePaperStanding
{
    Open,

    /// <summary>A payment was seen and waits for its confirmation.</summary>
    Processing,
    Paid,
    Expired,
    Cancelled,
}

/// <summary>An invoice as it is printed.</summary>
/// <param name="Seller">What counted when it was issued.</param>
/// <param name="Paid">What came in for this invoice.</param>
/// <param name="Price">The commission's: another invoice can be over what was missing of it.</param>
/// <param name="PayUrl">Where to pay; null when it cannot be paid any more.</param>
public sealed record InvoicePaper(
    string Number,
    InvoicePaperStanding Standing,
    DateTimeOffset IssuedAt,
    DateTimeOffset? DueAt,
    BillingDetails Seller,
    Customer Customer,
    string Title,
    Money Price,
    Money Amount,
    Money Paid,
    string Provider,
    string ProviderNumber,
    Guid RequestId,
    Uri? PayUrl)
{
    /// <summary>For wallets: <c>bitcoin:…</c>. Null where the provider knows none, or did not answer in time.</summary>
    public string? WalletLink { get; init; }

    /// <summary>The provider's id, by which it is asked.</summary>
    public string InvoiceId { get; init; } = "";
}

/// <summary>A credit as it is printed: money of a numbered invoice that went back, or that nobody asks for any more.</summary>
/// <param name="Seller">What counted when the invoice was issued.</param>
/// <param name="Invoice">The number of the invoice that it is about.</param>
/// <param name="IsRefund">Money went back; otherwise the invoice was made to ask for less.</param>
/// <param name="CameBack">The refund failed after it had been told as sent. It keeps its number and counts for nothing.</param>
public sealed record CreditPaper(
    string Number,
    DateTimeOffset At,
    BillingDetails Seller,
    Customer Customer,
    string Invoice,
    string Title,
    string? Reason,
    Money Amount,
    bool IsRefund,
    bool CameBack,
    string Provider,
    string ProviderNumber,
    Guid RequestId);

/// <summary>What came in for a commission, and what of it went back.</summary>
/// <param name="Invoices">The numbers that the money came for.</param>
/// <param name="Waived">What was not asked for any more.</param>
/// <param name="Left">What stayed: tax is of this.</param>
public sealed record ReceiptPaper(
    IReadOnlyList<string> Invoices,
    BillingDetails Seller,
    Customer Customer,
    string Title,
    Money Price,
    Money Waived,
    IReadOnlyList<PaymentDetail> Payments,
    IReadOnlyList<ReceiptRefund> Refunds,
    Money Received,
    Money Left,
    string Provider,
    Guid RequestId,
    DateTimeOffset At);

/// <param name="Number">In the freelancer's row; null for one from before there were numbers, and for what a bank took.</param>
public sealed record ReceiptRefund(string? Number, string Text, Money Amount, DateTimeOffset At);

/// <summary>Everything that shows what was agreed, paid and delivered: for a bank that has to decide a dispute.</summary>
public sealed record EvidencePaper(
    CommissionDetail Detail,
    BillingDetails Seller,
    bool AcceptedTerms,
    IReadOnlyList<(string Number, string Text)> Invoices,
    IReadOnlyList<EvidenceProduct> Products,
    IReadOnlyList<EvidenceLetter> Letters);

/// <param name="DownloadedAt">When the customer first fetched one of its files.</param>
public sealed record EvidenceProduct(int Version, DateTimeOffset UploadedAt, DateTimeOffset? DeliveredAt, DateTimeOffset? DownloadedAt, Guid? DownloadedFile, IReadOnlyList<ProductFile> Files);

/// <param name="At">When what it tells of was recorded; it is sent at once.</param>
public sealed record EvidenceLetter(DateTimeOffset At, string Text);
