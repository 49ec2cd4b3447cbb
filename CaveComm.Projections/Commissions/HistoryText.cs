using System.Diagnostics;
using CaveComm.Domain.Commissions;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Projections.Commissions;

/// <summary>What happened to a commission, in plain words.</summary>
public static class HistoryText
{
    public static string Of(CommissionEvent happened) => happened switch
    {
        Requested { Template.Name: null } => "Work agreed elsewhere was entered.",
        Requested e => $"{e.Customer.Name} asked for \u201c{e.Template.Title}\u201d for {e.Template.Price}.",
        Accepted => "The request was accepted.",
        Declined { Reason: { Length: > 0 } reason } => $"The request was declined: {reason}",
        Declined => "The request was declined.",
        Withdrawn => "The customer withdrew the request.",
        Cancelled { Reason: { Length: > 0 } reason } => $"The commission was cancelled: {reason}",
        Cancelled => "The commission was cancelled.",
        InvoiceIssued e => $"Invoice {e.Number ?? e.InvoiceId} over {e.Amount} was issued by {ProviderName(e.Provider)}.",
        InvoiceSetUpFailed e => $"{ProviderName(e.Provider)} refused to set the invoice up: {e.Reason}",
        InvoiceExpired e => $"Invoice {e.InvoiceId} expired.",
        InvoiceVoided e => $"Invoice {e.InvoiceId} was voided.",
        PaymentReceived { Late: true } e => $"A late payment of {e.Amount} arrived.",
        PaymentReceived e => $"A payment of {e.Amount} arrived.",
        PaymentSeen e => $"A payment of invoice {e.InvoiceId} was seen and waits for its confirmation.",
        PaymentVanished e => $"The payment of invoice {e.InvoiceId} that was seen is gone; it was not confirmed.",
        PaymentFailed => "A payment was tried and failed.",
        ProductUploaded e => $"The final product (version {e.ProductVersion}) was uploaded: {string.Join(", ", e.Files.Select(f => f.Name))}.",
        ReleasedUnpaid => "The product was released although it is not paid.",
        Delivered e => $"The product (version {e.ProductVersion}) was delivered.",
        ProductDownloaded => "The customer downloaded the product for the first time.",
        DownloadLinkRenewed => "A fresh download link was made.",
        PayoutRequested { HeldBack: { } heldBack } e => $"The payout of {e.Amount} was requested; {heldBack} was held back for what had gone back after earlier payouts.",
        PayoutRequested e => $"The payout of {e.Amount} was requested.",
        PayoutFailed e => $"The payout failed: {e.Reason}",
        PaidOut e => $"{e.Amount} was paid out.",
        PayoutReversed e => $"{e.Amount} of the payout was taken back by the provider.",
        InvoiceReissued => "Another invoice was asked for.",
        LatePaymentHonoured { Waived.IsPositive: true } e => $"What came was taken for the whole price; {e.Waived} is no longer asked for.",
        LatePaymentHonoured => "The late payment was accepted.",
        InvoiceCredited e => $"{e.Amount} of invoice {e.InvoiceId} was credited and is no longer asked for.",
        RefundRequested { Reason: { Length: > 0 } reason } e => $"A refund of {e.Amount} was requested: {reason}",
        RefundRequested e => $"A refund of {e.Amount} was requested.",
        RefundOffered => "The customer was asked where the refund shall go.",
        RefundWithdrawn => "The offer of the refund was withdrawn.",
        Refunded e => $"{e.Amount} was refunded.",
        RefundFailed e => $"The refund of {e.Amount} failed: {e.Reason}",
        DisputeOpened e => $"The customer\u2019s bank disputes {e.Amount} ({e.Reason}).",
        DisputeClosed { Won: true } e => $"The dispute over {e.Amount} was won.",
        DisputeClosed e => $"The dispute over {e.Amount} was lost.",
        CustomerErased => "The customer's personal data was erased.",
        _ => throw new UnreachableException($"There are no words for {happened.GetType().Name}."),
    };

    private static string ProviderName(string provider) => provider == "stripe" ? "Stripe" : "BTCPay";
}
