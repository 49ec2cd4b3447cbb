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

    /// <summary>A session stands as long as this is what it was when the session started.</summary>
    public int SessionsGeneration { get; init; }

    /// <summary>Whether a sign-in needs a code beside the password.</summary>
    public bool HasSecondFactor { get; init; }

    public int RecoveryCodesLeft { get; init; }

    /// <summary>Of the last code of the authenticator app that was used since the second factor was turned on; no code up to it is good again.</summary>
    public long LastCodeStep { get; init; }

    /// <summary>The keys that are good now, by number.</summary>
    public ImmutableSortedDictionary<int, ApiKey> ApiKeys { get; init; } = ImmutableSortedDictionary<int, ApiKey>.Empty;

    /// <summary>A number is never given again, so that a revoked key's requests are not taken for another's.</summary>
    public int ApiKeysMade { get; init; }

    public bool Exists => Username.Length > 0;

    public static Account Evolve(Account it, AccountEvent happened) => happened switch
    {
        AccountRegistered e => it with { Username = e.Username, Handle = e.Handle },
        RoleGranted e => it with { Roles = it.Roles.Add(e.Role) },
        RoleRevoked e => it with { Roles = it.Roles.Remove(e.Role) },
        PasswordRehashed => it,
        PasswordChanged or SessionsEnded => it with { SessionsGeneration = it.SessionsGeneration + 1 },
        SecondFactorTurnedOn => it with { HasSecondFactor = true },
        SecondFactorTurnedOff => it with { HasSecondFactor = false, RecoveryCodesLeft = 0, LastCodeStep = 0, SessionsGeneration = it.SessionsGeneration + 1 },
        RecoveryCodesMade e => it with { RecoveryCodesLeft = e.Count },
        RecoveryCodeUsed => it with { RecoveryCodesLeft = it.RecoveryCodesLeft - 1 },
        SecondFactorCodeUsed e => it with { LastCodeStep = e.Step },
        ApiKeyMade e => it with { ApiKeys = it.ApiKeys.SetItem(e.Key, new ApiKey(e.Name, e.Scope, e.Digest)), ApiKeysMade = e.Key },
        ApiKeyRevoked e => it with { ApiKeys = it.ApiKeys.Remove(e.Key) },
        _ => throw new UnreachableException($"Evolve does not know {happened.GetType().Name}."),
    };
}

/// <summary>A key that programs send in place of a sign-in.</summary>
/// <param name="Scope">Words with a space between.</param>
/// <param name="Digest">SHA-256 of the secret.</param>
public sealed record ApiKey(string Name, string Scope, string Digest)
{
    public ImmutableSortedSet<string> Scopes { get; } = Identity.Scope.Read(Scope);
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
