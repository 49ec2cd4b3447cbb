using System.Globalization;
using CaveComm.Api.Notifications;

namespace CaveComm.Api.Papers;

/// <summary>Words that stand on more than one paper.</summary>
internal static class PaperWords
{
    public static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>Such as <c>19 %</c> or <c>7.7 %</c>.</summary>
    public static string Rate(int basisPoints) => string.Create(CultureInfo.InvariantCulture, $"{basisPoints / 100m:0.##} %");

    public static string Standing(InvoicePaperStanding standing) => standing switch
    {
        InvoicePaperStanding.Open => "open",
        InvoicePaperStanding.Processing => "paid, not confirmed yet",
        InvoicePaperStanding.Paid => "paid",
        InvoicePaperStanding.Expired => "expired",
        InvoicePaperStanding.Cancelled => "cancelled",
    };

    public static string Letter(CustomerLetter letter) => letter switch
    {
        CustomerLetter.RequestReceived => "The request was acknowledged, with the link to its page.",
        CustomerLetter.WorkBegins => "The request was accepted, and the work begins.",
        CustomerLetter.Declined => "The request was declined.",
        CustomerLetter.Cancelled => "The commission was called off.",
        CustomerLetter.Invoice => "The invoice, with the pay link.",
        CustomerLetter.InvoiceExpired => "The invoice has expired.",
        CustomerLetter.Product => "The work is ready, with the download link.",
        CustomerLetter.FreshLink => "A fresh download link.",
        CustomerLetter.PaymentFailed => "A payment was tried and failed.",
        CustomerLetter.PaymentLost => "A payment was seen and never confirmed.",
        CustomerLetter.RefundOffered => "A refund waits to be claimed.",
        CustomerLetter.Refunded => "A refund was sent.",
    };
}
