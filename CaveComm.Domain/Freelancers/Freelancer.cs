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

    public bool Exists => Handle.Length > 0;

    /// <summary>What stands on a paper that is made out now: the name that customers see, where nothing else is set.</summary>
    public BillingDetails OnPapers(string handle) => Billing ?? new BillingDetails(DisplayName.Length > 0 ? DisplayName : handle, [], null, null, null);

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
        _ => throw new UnreachableException($"Evolve does not know {happened.GetType().Name}."),
    };
}

/// <param name="Address">Stripe: <c>acct_…</c>. BTCPay: a Lightning or on-chain address.</param>
/// <param name="ByHand">The freelancer settles it and marks it so.</param>
public sealed record PayoutDestination(string Address, bool ByHand);
