using CaveComm.Domain.Identity;
using CaveComm.Domain.Payments;
using static CaveComm.Domain.Freelancers.FreelancerCommand;
using static CaveComm.Domain.Freelancers.FreelancerEvent;
using Decision = CaveComm.Domain.Decision<CaveComm.Domain.Freelancers.FreelancerEvent>;

namespace CaveComm.Domain.Freelancers;

/// <summary>Everything that can be asked of a freelancer's shop.</summary>
public abstract record FreelancerCommand
{
    private FreelancerCommand() { }

    public sealed record Register(string Handle, string DisplayName, string Email) : FreelancerCommand;

    /// <param name="Billing">Null leaves what is set.</param>
    public sealed record ChangeProfile(string DisplayName, string Email, string? About, BillingChange? Billing = null) : FreelancerCommand;

    /// <param name="Template">Its version is ignored: the decider counts.</param>
    public sealed record PublishTemplate(Template Template) : FreelancerCommand;

    public sealed record RetireTemplate(string TemplateName) : FreelancerCommand;

    public sealed record Open : FreelancerCommand;

    public sealed record Close : FreelancerCommand;

    public sealed record SetPayoutDestination(string Provider, string? Destination, bool ByHand) : FreelancerCommand;

    /// <summary>The provider made this account, and payouts shall go there.</summary>
    public sealed record OpenPayoutAccount(string Provider, string Account) : FreelancerCommand;

    /// <summary>How an account that the provider made stands there.</summary>
    /// <param name="Reason">The provider's word for why it does not pay out.</param>
    public sealed record RecordPayoutAccount(string Provider, string Account, bool IsReady, string? Reason) : FreelancerCommand;
}

/// <param name="Details">Null takes everything back.</param>
public sealed record BillingChange(BillingDetails? Details);

/// <summary>The rules of a freelancer's shop.</summary>
public static class FreelancerDecider
{
    public static Decision Decide(Freelancer it, FreelancerCommand command) => (it.Exists, command) switch
    {
        (false, Register c) => CheckedProfile(c.DisplayName, c.Email, null, c.Handle) ?? Decision.Record(new FreelancerRegistered(c.Handle, c.DisplayName, c.Email)),
        (true, Register) => Decision.Refuse(RefusalKind.Conflict, "handle-taken", "This handle is taken."),
        (false, _) => Decision.Refuse(RefusalKind.Missing, "no-such-freelancer", "There is no such freelancer."),

        (_, ChangeProfile c) => CheckedProfile(c.DisplayName, c.Email, c.About, billing: c.Billing?.Details) ?? Changed(it, c),
        (_, PublishTemplate c) => Publish(it, c.Template),
        (_, RetireTemplate c) => it.Templates.ContainsKey(c.TemplateName)
            ? Decision.Record(new TemplateRetired(c.TemplateName))
            : Decision.Refuse(RefusalKind.Missing, "no-such-template", "There is no such template."),
        (_, Open) => it.IsOpen ? Decision.Nothing : Decision.Record(new CommissionsOpened()),
        (_, Close) => it.IsOpen ? Decision.Record(new CommissionsClosed()) : Decision.Nothing,
        (_, SetPayoutDestination c) => SetDestination(it, c),
        (_, OpenPayoutAccount c) => Opened(it, c),

        // One that somebody else told us of is none of ours to watch.
        (_, RecordPayoutAccount c) when it.PayoutAccounts.GetValueOrDefault(c.Provider) is not { } account || account.Id != c.Account => Decision.Nothing,
        (_, RecordPayoutAccount c) when it.PayoutAccounts[c.Provider].IsReady == c.IsReady => Decision.Nothing,
        (_, RecordPayoutAccount c) => Decision.Record(c.IsReady
            ? new PayoutAccountReady(c.Provider, c.Account)
            : new PayoutAccountSuspended(c.Provider, c.Account, c.Reason)),

        _ => throw new System.Diagnostics.UnreachableException($"Decide does not know {command.GetType().Name}."),
    };

    private static Decision Changed(Freelancer it, ChangeProfile c)
    {
        var changes = new List<FreelancerEvent>();
        if ((it.DisplayName, it.Email, it.About) != (c.DisplayName, c.Email, c.About))
        {
            changes.Add(new ProfileChanged(c.DisplayName, c.Email, c.About));
        }

        if (c.Billing is { } billing && billing.Details != it.Billing)
        {
            changes.Add(new BillingDetailsSet(billing.Details));
        }

        return changes is [] ? Decision.Nothing : Decision.Record([.. changes]);
    }

    private static Decision Publish(Freelancer it, Template template)
    {
        var faults = new Faults();
        TemplateRules.Check(template, faults);
        if (!faults.IsEmpty)
        {
            return faults.ToRefusal();
        }

        var current = it.Templates.GetValueOrDefault(template.Name);
        return current is not null && TemplateRules.SaysTheSame(current, template)
            ? Decision.Nothing
            : Decision.Record(new TemplatePublished(template with { Version = it.Publications.GetValueOrDefault(template.Name) + 1 }));
    }

    private static Decision SetDestination(Freelancer it, SetPayoutDestination c)
    {
        var faults = new Faults();
        var destination = c.Destination?.Trim() ?? "";
        if (!PaymentProviders.Invoicing.Contains(c.Provider))
        {
            return Decision.Refuse(RefusalKind.Missing, "no-such-provider", $"Payout destinations are set for {string.Join(" and ", PaymentProviders.Invoicing)}.");
        }

        if (c.ByHand)
        {
            faults.LimitText("destination", destination, 200);
        }
        else
        {
            faults.RequireText("destination", destination, 200);
            if (destination.Any(char.IsWhiteSpace) || destination.Any(char.IsControl))
            {
                faults.Add("destination", "No spaces.");
            }
            else if (destination.Length > 0 && c.Provider == PaymentProviders.Stripe && !destination.StartsWith("acct_", StringComparison.Ordinal))
            {
                faults.Add("destination", "A connected Stripe account, such as acct_1Nv0FGQ9RKHgCVdK.");
            }
        }

        if (!faults.IsEmpty)
        {
            return faults.ToRefusal();
        }

        return it.PayoutDestinations.GetValueOrDefault(c.Provider) == new PayoutDestination(destination, c.ByHand)
            ? Decision.Nothing
            : Decision.Record(new PayoutDestinationSet(c.Provider, destination, c.ByHand));
    }

    private static Decision Opened(Freelancer it, OpenPayoutAccount c)
    {
        // Of two that were made in one moment the first counts: whoever finishes one at the provider shall not have finished another than the one on record.
        var changes = new List<FreelancerEvent>();
        var account = it.PayoutAccounts.GetValueOrDefault(c.Provider)?.Id;
        if (account is null)
        {
            changes.Add(new PayoutAccountOpened(c.Provider, c.Account));
            account = c.Account;
        }

        if (it.PayoutDestinations.GetValueOrDefault(c.Provider) != new PayoutDestination(account, ByHand: false))
        {
            changes.Add(new PayoutDestinationSet(c.Provider, account, ByHand: false));
        }

        return changes is [] ? Decision.Nothing : Decision.Record([.. changes]);
    }

    private static Decision? CheckedProfile(string displayName, string email, string? about, string? handle = null, BillingDetails? billing = null)
    {
        var faults = new Faults();
        if (handle is not null)
        {
            Handles.Check(handle, faults);
        }

        faults.RequireLine("displayName", displayName, 100);
        faults.LimitText("about", about, 5_000);
        billing?.Check(faults);
        if (!EmailAddress.IsValid(email))
        {
            faults.Add("email", "An e-mail address, such as ada@example.com.");
        }

        return !faults.IsEmpty ? (Decision)faults.ToRefusal() : null;
    }
}
