using System.Collections.Immutable;
using System.Diagnostics;
using static CaveComm.Domain.Freelancers.FreelancerEvent;

namespace CaveComm.Domain.Freelancers;

/// <summary>A freelancer's shop: what decisions and the template page need to know.</summary>
public sealed record Freelancer : IState<Freelancer, FreelancerEvent>
{
    public static Freelancer Initial { get; } = new();

    public string Handle { get; init; } = "";

    public string DisplayName { get; init; } = "";

    public string Email { get; init; } = "";

    public string? About { get; init; }

    public bool IsOpen { get; init; }

    /// <summary>Null until the freelancer has set any.</summary>
    public BillingDetails? Billing { get; init; }

    /// <summary>On offer now, by name.</summary>
    public ImmutableSortedDictionary<string, Template> Templates { get; init; } = ImmutableSortedDictionary.Create<string, Template>(StringComparer.Ordinal);

    /// <summary>How often each name was ever published: the last version given.</summary>
    public ImmutableDictionary<string, int> Publications { get; init; } = ImmutableDictionary.Create<string, int>(StringComparer.Ordinal);

    /// <summary>By provider.</summary>
    public ImmutableDictionary<string, PayoutDestination> PayoutDestinations { get; init; } = ImmutableDictionary.Create<string, PayoutDestination>(StringComparer.Ordinal);

    /// <summary>Accounts that the provider made for the freelancer through us, by provider.</summary>
    public ImmutableDictionary<string, PayoutAccount> PayoutAccounts { get; init; } = ImmutableDictionary.Create<string, PayoutAccount>(StringComparer.Ordinal);

    public bool Exists => Handle.Length > 0;

    /// <summary>What stands on a paper that is made out now: the name that customers see, where nothing else is set.</summary>
    public BillingDetails OnPapers(string handle) => Billing ?? new BillingDetails(DisplayName.Length > 0 ? DisplayName : handle, [], null, null, null);

    /// <summary>The account that payouts shall go to and the provider does not pay out from yet; null where nothing is in the way.</summary>
    public PayoutAccount? UnfinishedAccount(string provider) =>
        PayoutAccounts.GetValueOrDefault(provider) is { IsReady: false } account
            && PayoutDestinations.GetValueOrDefault(provider) is { ByHand: false } destination && destination.Address == account.Id
                ? account
                : null;

    /// <summary>Where payouts go now; null while there is no such place, or the provider is not ready to pay out there.</summary>
    public PayoutDestination? PaysOutTo(string provider) => UnfinishedAccount(provider) is null ? PayoutDestinations.GetValueOrDefault(provider) : null;

    public static Freelancer Evolve(Freelancer it, FreelancerEvent happened) => happened switch
    {
        FreelancerRegistered e => it with { Handle = e.Handle, DisplayName = e.DisplayName, Email = e.Email },
        ProfileChanged e => it with { DisplayName = e.DisplayName, Email = e.Email, About = e.About },
        BillingDetailsSet e => it with { Billing = e.Details },
        TemplatePublished e => it with
        {
            Templates = it.Templates.SetItem(e.Template.Name, e.Template),
            Publications = it.Publications.SetItem(e.Template.Name, e.Template.Version),
        },
        TemplateRetired e => it with { Templates = it.Templates.Remove(e.TemplateName) },
        CommissionsOpened => it with { IsOpen = true },
        CommissionsClosed => it with { IsOpen = false },
        PayoutDestinationSet e => it with { PayoutDestinations = it.PayoutDestinations.SetItem(e.Provider, new PayoutDestination(e.Destination, e.ByHand)) },
        PayoutAccountOpened e => it with { PayoutAccounts = it.PayoutAccounts.SetItem(e.Provider, new PayoutAccount(e.Account, IsReady: false)) },
        PayoutAccountReady e => it with { PayoutAccounts = it.PayoutAccounts.SetItem(e.Provider, new PayoutAccount(e.Account, IsReady: true)) },
        PayoutAccountSuspended e => it with { PayoutAccounts = it.PayoutAccounts.SetItem(e.Provider, new PayoutAccount(e.Account, IsReady: false)) },
        _ => throw new UnreachableException($"Evolve does not know {happened.GetType().Name}."),
    };
}

/// <param name="Address">Stripe: <c>acct_…</c>. BTCPay: a Lightning or on-chain address.</param>
/// <param name="ByHand">The freelancer settles it and marks it so.</param>
public sealed record PayoutDestination(string Address, bool ByHand);

/// <param name="Id">Stripe: <c>acct_…</c>.</param>
/// <param name="IsReady">The provider knows all it wants to know, and pays out.</param>
public sealed record PayoutAccount(string Id, bool IsReady);
