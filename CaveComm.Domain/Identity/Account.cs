using System.Collections.Immutable;
using System.Diagnostics;
using static CaveComm.Domain.Identity.AccountEvent;

namespace CaveComm.Domain.Identity;

/// <summary>Who signs in, and what they may.</summary>
public sealed record Account : IState<Account, AccountEvent>
{
    public static Account Initial { get; } = new();

    public string Username { get; init; } = "";

    public string? Handle { get; init; }

    public ImmutableSortedSet<string> Roles { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    public bool Exists => Username.Length > 0;

    public static Account Evolve(Account it, AccountEvent happened) => happened switch
    {
        AccountRegistered e => it with { Username = e.Username, Handle = e.Handle },
        RoleGranted e => it with { Roles = it.Roles.Add(e.Role) },
        RoleRevoked e => it with { Roles = it.Roles.Remove(e.Role) },
        _ => throw new UnreachableException($"Evolve does not know {happened.GetType().Name}."),
    };
}

/// <summary>Roles that CaveComm knows by itself; plans add <c>plan:*</c>.</summary>
public static class Role
{
    public const string Freelancer = "freelancer";
    public const string Admin = "admin";
    public const string Auditor = "auditor";
}
