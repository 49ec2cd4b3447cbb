using System.Diagnostics;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Notifications;

/// <summary>What customers are written.</summary>
public static class CustomerLetters
{
    public static Letter Compose(CustomerLetter letter, CommissionDetail it, string freelancer, Links links)
    {
        var hello = $"Hello {it.Customer.Name},";
        var status = ("See how it stands", links.Status(it.RequestId));
        return letter switch
        {
            CustomerLetter.RequestReceived => new(
                $"Your request \u201c{it.Title}\u201d has arrived",
                [hello, $"{freelancer} has received your request for \u201c{it.Title}\u201d ({it.State.Price}) and will accept or decline it.", "Keep this mail: the link below is your private page for this commission."],
                Button: status),
            CustomerLetter.WorkBegins => new(
                $"{freelancer} has accepted \u201c{it.Title}\u201d",
                [hello, $"{freelancer} has accepted your commission and begins work. You pay {it.State.Price} when it is ready."],
                Button: status),
            CustomerLetter.Declined => new(
                $"Your request \u201c{it.Title}\u201d was declined",
                [hello, $"{freelancer} cannot take on \u201c{it.Title}\u201d. Nothing will be charged.", .. Said(it, freelancer)],
                Quote: it.EndReason,
                Button: status),
            CustomerLetter.Cancelled => new(
                $"\u201c{it.Title}\u201d was cancelled",
                [hello, $"{freelancer} has cancelled \u201c{it.Title}\u201d.", .. Said(it, freelancer)],
                Quote: it.EndReason,
                Button: status),
            CustomerLetter.Invoice => new(
                $"Invoice for \u201c{it.Title}\u201d: {it.State.Price}",
                [hello, $"Here is the invoice from {freelancer} for \u201c{it.Title}\u201d: {it.Invoice?.Amount}.", .. DueLine(it)],
                Button: it.Invoice is { } invoice ? ("Pay the invoice", new Uri(invoice.PayUrl)) : status),
            CustomerLetter.InvoiceExpired => new(
                $"The invoice for \u201c{it.Title}\u201d has expired",
                [hello, $"The invoice for \u201c{it.Title}\u201d ran out before it was paid. {freelancer} knows, and can send a new one."],
                Button: status),
            CustomerLetter.PaymentFailed => new(
                $"Your payment for \u201c{it.Title}\u201d did not go through",
                [hello, $"A payment for \u201c{it.Title}\u201d was tried and failed, so nothing was charged. The invoice can still be paid."],
                Button: it.Invoice is { Status: "open" } open ? ("Try again", new Uri(open.PayUrl)) : status),
            CustomerLetter.PaymentLost => new(
                $"Your payment for \u201c{it.Title}\u201d was not confirmed",
                [hello, $"A payment for \u201c{it.Title}\u201d was seen, but it was never confirmed, so it does not count. {(it.Invoice is { Status: "open" } ? "The invoice can still be paid." : $"The invoice is no longer valid; {freelancer} knows, and can send a new one.")}"],
                Button: it.Invoice is { Status: "open" } again ? ("Pay the invoice", new Uri(again.PayUrl)) : status),
            CustomerLetter.Product => new(
                $"\u201c{it.Title}\u201d is ready for download",
                [hello, $"{freelancer} has delivered \u201c{it.Title}\u201d: {string.Join(", ", it.Files.Select(f => f.Name))}.", "The link works for 30 days and is meant for you alone."],
                Button: ("Download", links.Download(it, DownloadRecipient.Customer))),
            CustomerLetter.FreshLink => new(
                $"A fresh download link for \u201c{it.Title}\u201d",
                [hello, "Somebody, most likely you, asked for a fresh link to your files. Older links no longer work."],
                Button: ("Download", links.Download(it, DownloadRecipient.Customer))),
            CustomerLetter.RefundOffered => new(
                $"A refund for \u201c{it.Title}\u201d waits for you",
                [hello, $"{freelancer} sends money for \u201c{it.Title}\u201d back to you. Say where it shall go, and it is on its way."],
                Button: it.Refunds.LastOrDefault(refund => refund is { Status: "requested", ClaimUrl: not null }) is { ClaimUrl: { } claim } ? ("Claim the refund", new Uri(claim)) : status),
            CustomerLetter.Refunded => new(
                $"A refund for \u201c{it.Title}\u201d was sent",
                [hello, $"Money for \u201c{it.Title}\u201d was sent back to you: {it.Refunds.LastOrDefault(refund => refund.Status == "refunded")?.Amount}. Depending on your bank it can take some days to arrive."],
                Button: status),
            _ => throw new UnreachableException(),
        };
    }

    private static IEnumerable<string> Said(CommissionDetail it, string freelancer) => string.IsNullOrWhiteSpace(it.EndReason) ? [] : [$"{freelancer} writes:"];

    private static IEnumerable<string> DueLine(CommissionDetail it) => it.Invoice?.DueAt is { } due ? [$"Please pay before {due:yyyy-MM-dd HH:mm} UTC."] : [];
}
