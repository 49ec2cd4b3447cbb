using System.Diagnostics;
using System.Text.RegularExpressions;
using static CaveComm.Domain.Identity.AccountCommand;
using static CaveComm.Domain.Identity.AccountEvent;
using Decision = CaveComm.Domain.Decision<CaveComm.Domain.Identity.AccountEvent>;

namespace CaveComm.Domain.Identity;

/// <summary>Everything that can be asked of an account.</summary>
public abstract record AccountCommand
{
    private AccountCommand() { }

    /// <param name="Role">The first role, if any.</param>
    public sealed record Register(string Username, string? Handle, string? Role, string Cause) : AccountCommand;

    public sealed record GrantRole(string Role, string Cause) : AccountCommand;

    public sealed record RevokeRole(string Role, string Cause) : AccountCommand;
}

/// <summary>The rules of an account.</summary>
public static class AccountDecider
{
    public static Decision Decide(Account it, AccountCommand command) => (it.Exists, command) switch
    {
        (false, Register c) => Checked(c) ?? (c.Role is { } role
            ? Decision.Record(new AccountRegistered(c.Username, c.Handle), new RoleGranted(role, c.Cause))
            : Decision.Record(new AccountRegistered(c.Username, c.Handle))),
        (true, Register) => Decision.Refuse(RefusalKind.Conflict, "already-registered", "This account is registered already."),
        (false, _) => Decision.Refuse(RefusalKind.Missing, "no-account", "There is no such account."),

        (_, GrantRole c) when !Role.IsKnown(c.Role) => (Decision)new Faults().Add("role", "admin, auditor, freelancer, or plan: and the plan's name.").ToRefusal(),
        (_, GrantRole { Role: Role.Freelancer }) when it.Handle is null =>
            Decision.Refuse(RefusalKind.Conflict, "no-shop", "This account has no shop: a freelancer registers with a handle."),
        (_, GrantRole c) => it.Roles.Contains(c.Role) ? Decision.Nothing : Decision.Record(new RoleGranted(c.Role, c.Cause)),
        (_, RevokeRole c) => it.Roles.Contains(c.Role) ? Decision.Record(new RoleRevoked(c.Role, c.Cause)) : Decision.Nothing,

        _ => throw new UnreachableException($"Decide does not know {command.GetType().Name}."),
    };

    private static Decision? Checked(Register c)
    {
        var faults = new Faults();
        faults.RequireText("username", c.Username, EmailAddress.MaxLength);
        if (c.Handle is { } handle)
        {
            Handles.Check(handle, faults);
        }

        return faults.IsEmpty ? null : (Decision)faults.ToRefusal();
    }
}

/// <summary>What a freelancer can be called in addresses.</summary>
public static partial class Handles
{
    /// <summary>Words that are, or may become, part of an address or of a pretence.</summary>
    private static readonly HashSet<string> Reserved = new(StringComparer.Ordinal)
    {
        "about", "account", "accounts", "admin", "administrator", "api", "assets", "audit", "auditor", "billing", "cavecomm", "commission", "commissions",
        "contact", "customer", "customers", "download", "downloads", "favicon", "freelancer", "freelancers", "health", "help", "inbox", "info", "invitations",
        "legal", "login", "logout", "mail", "null", "oauth2", "office", "openapi", "password-reset", "plans", "postmaster", "privacy", "problems", "register",
        "relays", "root", "security", "settings", "signin", "signout", "signup", "static", "status", "support", "system", "template", "templates", "terms",
        "undefined", "webhook", "webhooks", "webmaster", "well-known", "www",
    };

    public static void Check(string handle, Faults faults)
    {
        if (!Shape().IsMatch(handle))
        {
            faults.Add("handle", "3 to 32 small letters, digits and hyphens.");
        }
        else if (Reserved.Contains(handle))
        {
            faults.Add("handle", "This word is reserved; choose another.");
        }
    }

    [GeneratedRegex(@"\A[a-z0-9-]{3,32}\z")]
    private static partial Regex Shape();
}
