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

    public static TimeSpan CheckPause(int round) => CheckPauses[Math.Min(round, CheckPauses.Count - 1)];

    /// <param name="before">The commission before the event.</param>
    /// <param name="after">The commission after it.</param>
    public static IEnumerable<FollowUp> After(Guid id, Commission before, CommissionEvent happened, Commission after) => happened switch
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

        InvoiceVoided when after.Ended is null => [new(new MailFreelancer(id, FreelancerLetter.InvoiceVoided, after.InvoiceAttempt))],

        PaymentReceived when after.IsFullyPaid && !before.IsFullyPaid => [new(new MailFreelancer(id, FreelancerLetter.PaymentReceived)), .. PayoutIfDue(id, before, after)],
        ProductUploaded when after.NeedsInvoice => [new(new SetUpInvoice(id, after.InvoiceAttempt))],
        Delivered e => [new(new MailCustomer(id, CustomerLetter.Product, e.ProductVersion)), .. PayoutIfDue(id, before, after)],
        DownloadLinkRenewed e => [new(new MailCustomer(id, CustomerLetter.FreshLink, e.LinkGeneration))],

        PayoutRequested { Provider: not PaymentProviders.Manual } e => [new(new SendPayout(id, e.Attempt))],
        PayoutFailed e => [
            new(new MailFreelancer(id, FreelancerLetter.PayoutRefused, e.Attempt)), new(new PayoutDue(id, 0), CheckPause(e.Attempt + 2)),
        ],
        PaidOut => [new(new MailFreelancer(id, FreelancerLetter.PaidOut))],
        _ => [],
    };

    private static FollowUp Mailed(Guid id, InvoiceIssued e) => e.Provider == PaymentProviders.Stripe
        ? new(new SendInvoice(id, e.InvoiceId))
        : new(new MailCustomer(id, CustomerLetter.Invoice, e.Attempt));

    private static IEnumerable<FollowUp> VoidOpenInvoice(Guid id, Commission after) => after.Invoice is { } invoice ? [new(new VoidInvoice(id, invoice.InvoiceId))] : [];

    // Once, when it becomes due: a second product changes nothing about the money.
    private static IEnumerable<FollowUp> PayoutIfDue(Guid id, Commission before, Commission after) => after.NeedsPayout && !before.NeedsPayout ? [new(new PayoutDue(id, 0))] : [];
}
