using CaveComm.Api.Notifications;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Api.Commissions;

/// <summary>A message that follows an event.</summary>
/// <param name="Delay">Not before this long from now; null for at once.</param>
public sealed record FollowUp(object Message, TimeSpan? Delay = null);

/// <summary>The whole process at one glance: what each event sets going. Pure, so that every path to an event has the same effect.</summary>
public static class WhatFollows
{
    /// <summary>When a provider is asked again about something open (spec P11): the last pause repeats until the outcome is final.</summary>
    public static IReadOnlyList<TimeSpan> CheckPauses { get; } =
    [
        TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1), TimeSpan.FromHours(6), TimeSpan.FromDays(1),
    ];

    /// <summary>A bank sends back what it cannot book within five of its days.</summary>
    private static readonly TimeSpan BanksReturnWithin = TimeSpan.FromDays(8);

    public static TimeSpan CheckPause(int round) => CheckPauses[Math.Min(round, CheckPauses.Count - 1)];

    /// <param name="before">The commission before the event.</param>
    /// <param name="after">The commission after it.</param>
    public static IEnumerable<FollowUp> After(Guid id, Commission before, CommissionEvent happened, Commission after) =>
        [.. Of(id, before, happened, after), .. PayoutIfDue(id, before, happened, after), .. TakenBackIfOwed(id, before, happened), .. TakenBackIfNeverPaidOut(id, before, happened, after)];

    private static IEnumerable<FollowUp> Of(Guid id, Commission before, CommissionEvent happened, Commission after) => happened switch
    {
        Requested { Template.Name: not null } => [new(new MailCustomer(id, CustomerLetter.RequestReceived)), new(new MailFreelancer(id, FreelancerLetter.NewRequest))],
        Accepted when after.NeedsInvoice => [new(new SetUpInvoice(id, after.InvoiceAttempt))],
        Accepted => [new(new MailCustomer(id, CustomerLetter.WorkBegins))],
        Declined => [new(new MailCustomer(id, CustomerLetter.Declined))],
        Withdrawn => [new(new MailFreelancer(id, FreelancerLetter.Withdrawn)), .. VoidOpenInvoice(id, after)],
        Cancelled => [new(new MailCustomer(id, CustomerLetter.Cancelled)), .. VoidOpenInvoice(id, after)],

        // It was called off while the provider was at work on the invoice.
        InvoiceIssued when after.Ended is not null => VoidOpenInvoice(id, after),
        InvoiceIssued e => [Mailed(id, e), new(new CheckInvoice(id, e.InvoiceId, 0), CheckPause(0))],
        InvoiceSetUpFailed e => [new(new MailFreelancer(id, FreelancerLetter.InvoiceRefused, e.Attempt))],
        InvoiceExpired => [
            new(new MailCustomer(id, CustomerLetter.InvoiceExpired, after.InvoiceAttempt)), new(new MailFreelancer(id, FreelancerLetter.InvoiceExpired, after.InvoiceAttempt)),
        ],

        InvoiceVoided when after.Ended is null => [new(new MailFreelancer(id, FreelancerLetter.InvoiceVoided, after.InvoiceAttempt)), .. ToldIfLost(id, before, after)],
        PaymentVanished when after.Ended is null => ToldIfLost(id, before, after),

        PaymentFailed when after.Ended is null => [new(new MailCustomer(id, CustomerLetter.PaymentFailed, after.FailedPaymentIds.Count))],
        PaymentReceived when after.IsFullyPaid && !before.IsFullyPaid => [new(new MailFreelancer(id, FreelancerLetter.PaymentReceived))],
        ProductUploaded when after.NeedsInvoice => [new(new SetUpInvoice(id, after.InvoiceAttempt))],
        PaymentReceived e when e.Late || (after.Ended is not null && !after.IsFullyPaid) => [new(new MailFreelancer(id, FreelancerLetter.LatePayment, after.Payments.Count))],
        Delivered e => [new(new MailCustomer(id, CustomerLetter.Product, e.ProductVersion))],
        DownloadLinkRenewed e => [new(new MailCustomer(id, CustomerLetter.FreshLink, e.LinkGeneration))],

        PayoutRequested { Provider: not PaymentProviders.Manual } e => [new(new SendPayout(id, e.Attempt))],
        PayoutFailed e => [
            new(new MailFreelancer(id, FreelancerLetter.PayoutRefused, e.Attempt)), .. after.NeedsPayout ? [new FollowUp(new PayoutDue(id, 0), CheckPause(e.Attempt + 2))] : (FollowUp[])[],
        ],
        PaidOut e => [.. Announced(id, before, e), .. AskedAboutOnceMore(id, before, e)],

        PayoutReversed => [new(new MailFreelancer(id, FreelancerLetter.PayoutReversed, after.ReversalIds.Count))],
        InvoiceReissued => [new(new SetUpInvoice(id, after.InvoiceAttempt))],

        // What is still open of the invoice is not asked for any more.
        LatePaymentHonoured or InvoiceCredited when after.IsFullyPaid => VoidOpenInvoice(id, after),

        RefundRequested { Provider: not PaymentProviders.Manual } e => [new(new SendRefund(id, e.Number))],
        RefundOffered e => [new(new MailCustomer(id, CustomerLetter.RefundOffered, e.Number)), new(new CheckRefund(id, e.Number, e.RefundId, 0), CheckPause(0))],
        RefundWithdrawn e => [new(new WithdrawRefund(id, e.Number))],
        Refunded e => [new(new MailCustomer(id, CustomerLetter.Refunded, Place(after.Refunds, it => it.RefundId == e.RefundId)))],
        RefundFailed e => [new(new MailFreelancer(id, FreelancerLetter.RefundFailed, Place(after.Refunds, it => it.Number == e.Number && it.RefundId == e.RefundId)))],
        DisputeOpened e => [new(new MailFreelancer(id, FreelancerLetter.DisputeOpened, Place(after.Disputes, it => it.DisputeId == e.DisputeId)))],
        DisputeClosed e => [new(new MailFreelancer(id, e.Won ? FreelancerLetter.DisputeWon : FreelancerLetter.DisputeLost, Place(after.Disputes, it => it.DisputeId == e.DisputeId)))],
        _ => [],
    };

    // Whoever has paid believes that it is done.
    private static IEnumerable<FollowUp> ToldIfLost(Guid id, Commission before, Commission after) =>
        after.LostPayments > before.LostPayments ? [new(new MailCustomer(id, CustomerLetter.PaymentLost, after.LostPayments))] : [];

    private static IEnumerable<FollowUp> Announced(Guid id, Commission before, PaidOut e) =>
        e.Amount.IsZero && before.Payout?.HeldBack is null ? [] : [new(new MailFreelancer(id, FreelancerLetter.PaidOut))];

    // Stripe says paid when the money should have arrived. The webhook that takes it back comes from the freelancer's account, whose events nobody lists.
    private static IEnumerable<FollowUp> AskedAboutOnceMore(Guid id, Commission before, PaidOut e) =>
        before.Payout is { Provider: PaymentProviders.Stripe } payout ? [new(new CheckPayout(id, payout.Attempt, e.PayoutId, CheckInvoice.OneOff), BanksReturnWithin)] : [];

    private static FollowUp Mailed(Guid id, InvoiceIssued e) => e.Provider == PaymentProviders.Stripe
        ? new(new SendInvoice(id, e.InvoiceId))
        : new(new MailCustomer(id, CustomerLetter.Invoice, e.Attempt));

    private static IEnumerable<FollowUp> VoidOpenInvoice(Guid id, Commission after) => after.Invoice is { } invoice ? [new(new VoidInvoice(id, invoice.InvoiceId))] : [];

    // Tells letters of one kind apart: which of the commission's refunds or disputes it is about.
    private static int Place<T>(IReadOnlyList<T> all, Predicate<T> which) => all.TakeWhile(it => !which(it)).Count() + 1;

    // Once, when it becomes due: a second product changes nothing about the money. After a refusal it is tried again later.
    private static IEnumerable<FollowUp> PayoutIfDue(Guid id, Commission before, CommissionEvent happened, Commission after) =>
        after.NeedsPayout && !before.NeedsPayout && happened is not PayoutFailed ? [new(new PayoutDue(id, 0))] : [];

    // Only Stripe can take back what has arrived. Where it will not, the debt stays, and the next payout is less.
    private static IEnumerable<FollowUp> TakenBackIfOwed(Guid id, Commission before, CommissionEvent happened) => before is { IsPaidOut: true, Payout.Provider: PaymentProviders.Stripe }
        ? CommissionBalance.After(id, before, happened).OfType<BalanceEvent.Owed>().Select(owed => new FollowUp(new ReversePayout(id, owed.Reference, owed.Amount)))
        : [];

    // Stripe refuses a payout when its transfer has been made already. Nothing is owed then, but the money is not where it belongs.
    private static IEnumerable<FollowUp> TakenBackIfNeverPaidOut(Guid id, Commission before, CommissionEvent happened, Commission after) =>
        before is { RefusedPayout.Provider: PaymentProviders.Stripe, Held: { } held } && after.Held is { } left && left.Minor < held.Minor
            ? [new(new ReversePayout(id, $"before-payout:{CommissionBalance.Reference(happened)}", held - left))]
            : [];
}
