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

    /// <summary>What API keys and OAuth clients may be given.</summary>
    public static ImmutableSortedSet<string> Grantable { get; } =
        ImmutableSortedSet.Create(StringComparer.Ordinal, ReadCommissions, WriteCommissions, ReadBilling, ReadAudit);

    /// <summary>What a person who signed in with the password has.</summary>
    public static ImmutableSortedSet<string> Everything { get; } = Grantable.Add(Account).Add(Admin);
}
