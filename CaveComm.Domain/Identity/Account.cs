using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.RegularExpressions;
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
public static partial class Role
{
    public const string Freelancer = "freelancer";
    public const string Admin = "admin";
    public const string Auditor = "auditor";

    public const int MaxLength = 64;

    /// <summary>Whether a role is one that an account can have.</summary>
    public static bool IsKnown(string role) => role is Freelancer or Admin or Auditor || (role.Length <= MaxLength && Plan().IsMatch(role));

    [GeneratedRegex(@"\Aplan:[a-z0-9-]+\z")]
    private static partial Regex Plan();
}
