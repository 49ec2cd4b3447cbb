using System.Collections.Immutable;

namespace CaveComm.Domain.Identity;

/// <summary>What a token or key may be used for (spec: identity-and-admin.md, "Sign-in"). A scope narrows what the account may do and never widens it.</summary>
public static class Scope
{
    public const string ReadCommissions = "commissions:read";
    public const string WriteCommissions = "commissions:write";
    public const string ReadBilling = "billing:read";
    public const string ReadAudit = "audit:read";

    /// <summary>The account itself: password, sessions, keys, shop profile and where payouts go. Only a sign-in of the person has it.</summary>
    public const string Account = "account";

    /// <summary>What the role admin may. Only a sign-in of the person has it.</summary>
    public const string Admin = "admin";

    /// <summary>OpenID Connect: the client learns who signed in.</summary>
    public const string OpenId = "openid";

    /// <summary>OpenID Connect: the client is told the person's name.</summary>
    public const string Profile = "profile";

    /// <summary>OpenID Connect: the client is told the person's address.</summary>
    public const string Email = "email";

    /// <summary>OpenID Connect: known, and without effect: a client that may refresh gets a refresh token anyway.</summary>
    public const string OfflineAccess = "offline_access";

    /// <summary>What API keys and OAuth clients may be given.</summary>
    public static ImmutableSortedSet<string> Grantable { get; } =
        ImmutableSortedSet.Create(StringComparer.Ordinal, ReadCommissions, WriteCommissions, ReadBilling, ReadAudit);

    /// <summary>What a person who signed in with the password has.</summary>
    public static ImmutableSortedSet<string> Everything { get; } = Grantable.Add(Account).Add(Admin);

    /// <summary>What tells a client about the person, and gives it nothing to do.</summary>
    public static ImmutableSortedSet<string> AboutThePerson { get; } = ImmutableSortedSet.Create(StringComparer.Ordinal, OpenId, Profile, Email, OfflineAccess);

    /// <summary>Everything that an OAuth client can ask for; <see cref="Account"/> and <see cref="Admin"/> are for trusted ones.</summary>
    public static ImmutableSortedSet<string> KnownToClients { get; } = Everything.Union(AboutThePerson);

    /// <summary>Scopes as OAuth writes them: words with a space between.</summary>
    public static ImmutableSortedSet<string> Read(string words)
    {
        ArgumentNullException.ThrowIfNull(words);
        return words.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToImmutableSortedSet(StringComparer.Ordinal);
    }

    /// <summary>Those of the scopes that are of any use with these roles.</summary>
    public static IEnumerable<string> Usable(IEnumerable<string> scopes, IReadOnlySet<string> roles)
    {
        ArgumentNullException.ThrowIfNull(scopes);
        ArgumentNullException.ThrowIfNull(roles);
        var (freelances, administers, audits) = (roles.Contains(Role.Freelancer), roles.Contains(Role.Admin), roles.Contains(Role.Auditor));
        return scopes.Where(it => it switch
        {
            Admin => administers,
            ReadAudit => audits || administers,
            ReadBilling => freelances,
            ReadCommissions or WriteCommissions => freelances || administers,
            _ => true,
        });
    }
}
