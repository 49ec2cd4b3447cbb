using System.Diagnostics;
using CaveComm.Domain;
using CaveComm.Domain.Freelancers;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Notifications;

/// <summary>What freelancers are written.</summary>
public static class FreelancerLetters
{
    public static Letter Compose(FreelancerLetter letter, CommissionDetail it, Freelancer freelancer, Links links)
    {
        var hello = $"Hello {freelancer.DisplayName},";
        var open = ("Open the commission", links.Request(freelancer.Handle, it.RequestId));
        return letter switch
        {
            FreelancerLetter.NewRequest => new(
                $"New request: \u201c{it.Title}\u201d",
                [hello, $"{it.Customer.Name} asks for \u201c{it.Title}\u201d ({it.State.Price})."],
                Button: open),
            FreelancerLetter.Withdrawn => new(
                $"Withdrawn: \u201c{it.Title}\u201d",
                [hello, $"{it.Customer.Name} has withdrawn the request for \u201c{it.Title}\u201d."],
                Button: open),
            FreelancerLetter.InvoiceRefused => new(
                $"The invoice for \u201c{it.Title}\u201d could not be made",
                [hello, "The payment provider refused to set the invoice up. Its words:"],
                Quote: it.History.LastOrDefault(line => line.Type == "commission.invoice-set-up-failed")?.Text,
                Button: open),
            FreelancerLetter.InvoiceExpired => new(
                $"The invoice for \u201c{it.Title}\u201d has expired",
                [hello, $"{it.Customer.Name} did not pay the invoice for \u201c{it.Title}\u201d in time."],
                Button: open),
            FreelancerLetter.InvoiceVoided => new(
                $"The invoice for \u201c{it.Title}\u201d was voided",
                [hello, $"The payment provider has made the invoice for \u201c{it.Title}\u201d void, so nobody can pay it any more.", .. it.State.PaymentWasLost ? ["A payment had been seen, but it was never confirmed. Nothing has come in; you can send another invoice."] : Array.Empty<string>()],
                Button: open),
            FreelancerLetter.PaymentReceived => new(
                $"Paid: \u201c{it.Title}\u201d",
                [hello, $"The payment of {it.State.Received} for \u201c{it.Title}\u201d has arrived.", .. Next(it)],
                Button: open),
            FreelancerLetter.PayoutWithoutDestination => new(
                $"Where shall we pay you for \u201c{it.Title}\u201d?",
                [hello, $"\u201c{it.Title}\u201d is delivered and paid, but no payout destination is set for {it.State.Provider}. Set one, and the money is sent at once."],
                Button: open),
            FreelancerLetter.PayoutAccountUnfinished => new(
                $"One thing is missing before we can pay you for \u201c{it.Title}\u201d",
                [hello, $"\u201c{it.Title}\u201d is delivered and paid, but {it.State.Provider} still has to know something from you before it pays out. Finish that on your shop's page under \u201cWhere your money goes\u201d, and the money is sent at once."],
                Button: ("Open your shop", links.Shop(freelancer.Handle))),
            FreelancerLetter.PayoutRefused => new(
                $"The payout for \u201c{it.Title}\u201d was refused",
                [hello, "The provider refused the payout; it is tried again later. Please check your payout destination. The provider's words:"],
                Quote: it.Payout?.Reason,
                Button: open),
            FreelancerLetter.PaidOut => new(
                it.Payout?.Amount.IsZero == true ? $"Held back: the payout for \u201c{it.Title}\u201d" : $"Paid out: \u201c{it.Title}\u201d",
                [hello, it.Payout?.Amount.IsZero == true ? $"Nothing is left to send you for \u201c{it.Title}\u201d." : $"{it.Payout?.Amount} for \u201c{it.Title}\u201d was sent to you.", .. HeldBack(it)],
                Button: open),
            FreelancerLetter.PayoutReversed => new(
                $"Money of the payout for \u201c{it.Title}\u201d went back",
                [hello, $"Of what was paid out to you for \u201c{it.Title}\u201d, money was taken back or did not reach your bank. The commission's history says how much. What covers a refund or a dispute is not owed any more."],
                Button: open),
            FreelancerLetter.RefundFailed => new(
                $"The refund for \u201c{it.Title}\u201d failed",
                [hello, "The refund did not reach the customer, who still has a claim to it. The provider's words:"],
                Quote: it.Refunds.LastOrDefault(refund => refund.Status == "failed")?.Reason,
                Button: open),
            FreelancerLetter.DisputeOpened => new(
                $"The payment for \u201c{it.Title}\u201d is disputed",
                [hello, $"The customer's bank has taken the money for \u201c{it.Title}\u201d back until it is decided who is right.", .. EvidenceLine(it), "The commission's page has a record of the agreement and the delivery that you can hand in."],
                Button: open),
            FreelancerLetter.DisputeWon => new($"The dispute over \u201c{it.Title}\u201d was won", [hello, .. Won(it)], Button: open),
            FreelancerLetter.DisputeLost => new($"The dispute over \u201c{it.Title}\u201d was lost", [hello, "The bank has decided for the customer, who keeps the money."], Button: open),
            FreelancerLetter.LatePayment => new(
                $"Late money for \u201c{it.Title}\u201d",
                [hello, $"{LateAmount(it)} has come for \u201c{it.Title}\u201d, too late to count by itself.", .. Late(it)],
                Button: open),
            _ => throw new UnreachableException(),
        };
    }

    private static Money? LateAmount(CommissionDetail it) =>
        it.Payments.LastOrDefault(payment => payment.Late) is { } late ? late.Amount : it.Payments is [.., var last] ? last.Amount : null;

    private static IEnumerable<string> Won(CommissionDetail it) => it.State.Payout is null
        ? ["The bank has decided for you, and the money is back."]
        : ["The bank has decided for you. What you owed for it is not owed any more; what was taken or held back for it already is yours again, and the operator settles it with you."];

    private static IEnumerable<string> HeldBack(CommissionDetail it) => it.Payout?.HeldBack is { } heldBack
        ? [$"{heldBack} was held back, because refunds or disputes came after earlier payouts: that money had been sent to you already."]
        : [];

    private static IEnumerable<string> Late(CommissionDetail it) => it.State switch
    {
        { Ended: not null } => ["The commission had ended before, so the customer should have it back."],
        { IsFullyPaid: true } => ["The price is paid already, so the customer should have it back."],
        _ => ["You decide on the commission\u2019s page: take it for the price, or send it back. The customer waits for that."],
    };

    private static IEnumerable<string> EvidenceLine(CommissionDetail it) =>
        it.Disputes.LastOrDefault(dispute => dispute.Status == "open")?.EvidenceDueAt is { } due ? [$"Evidence can be handed in until {due:yyyy-MM-dd HH:mm} UTC."] : [];

    private static IEnumerable<string> Next(CommissionDetail it) => it.State switch
    {
        { Ended: not null } => ["The commission had ended before it came, so the customer should have it back."],
        { IsDelivered: true } => [],
        _ => ["You can begin the work."],
    };
}
