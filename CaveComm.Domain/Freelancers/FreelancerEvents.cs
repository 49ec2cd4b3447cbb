using CaveComm.Domain.Commissions;

namespace CaveComm.Domain.Freelancers;

/// <summary>Everything that can have happened to a freelancer's shop. Stored for ever: add, never edit.</summary>
public abstract record FreelancerEvent
{
    private FreelancerEvent() { }

    /// <param name="Email">Where the freelancer is notified.</param>
    public sealed record FreelancerRegistered(string Handle, string DisplayName, string Email) : FreelancerEvent;

    /// <param name="About">Shown to customers; untrusted text.</param>
    public sealed record ProfileChanged(string DisplayName, string Email, string? About) : FreelancerEvent;

    /// <summary>What stands on invoices and receipts from here on; those that were issued keep what counted then.</summary>
    /// <param name="Details">Null when the freelancer took it all back.</param>
    public sealed record BillingDetailsSet(BillingDetails? Details) : FreelancerEvent;

    /// <summary>A template was put on offer, or replaced by a new version of itself.</summary>
    public sealed record TemplatePublished(Template Template) : FreelancerEvent;

    /// <summary>Taken off offer; commissions made with it go on.</summary>
    public sealed record TemplateRetired(string TemplateName) : FreelancerEvent;

    public sealed record CommissionsOpened : FreelancerEvent;

    public sealed record CommissionsClosed : FreelancerEvent;

    /// <param name="Provider"><c>stripe</c>, <c>btcpay</c> or <c>manual</c>: which commissions are paid out there.</param>
    /// <param name="Destination">Stripe: <c>acct_…</c>. BTCPay: a Lightning or on-chain address. Manual: the freelancer's note.</param>
    /// <param name="ByHand">The freelancer settles this provider's payouts by hand.</param>
    public sealed record PayoutDestinationSet(string Provider, string Destination, bool ByHand) : FreelancerEvent;

    /// <summary>The provider made an account for the freelancer, who still has to tell it name and bank.</summary>
    /// <param name="Account">Stripe: <c>acct_…</c>.</param>
    public sealed record PayoutAccountOpened(string Provider, string Account) : FreelancerEvent;

    /// <summary>The provider pays out from the account.</summary>
    public sealed record PayoutAccountReady(string Provider, string Account) : FreelancerEvent;

    /// <summary>The provider no longer pays out from the account, until the freelancer has told it more.</summary>
    /// <param name="Reason">The provider's word for it.</param>
    public sealed record PayoutAccountSuspended(string Provider, string Account, string? Reason) : FreelancerEvent;
}

/// <summary>What a freelancer offers.</summary>
/// <param name="Name"><c>[a-z0-9-]{1,64}</c>, part of URLs.</param>
/// <param name="Version">Counts its publications, from 1.</param>
/// <param name="Providers">What a customer may pay by.</param>
/// <param name="Slots">Most commissions open at once; null for no limit.</param>
/// <param name="DueDays">Days until an invoice is due.</param>
public sealed record Template(
    string Name,
    int Version,
    string Title,
    string Description,
    Money Price,
    PaymentTerms PaymentTerms,
    IReadOnlyList<string> Providers,
    IReadOnlyList<Question> Questions,
    string? TermsOfService,
    int? Slots,
    int DueDays)
{
    public TemplateSnapshot Snapshot() => new(Name, Version, Title, Price, PaymentTerms, Questions, TermsOfService, Slots, DueDays);
}
