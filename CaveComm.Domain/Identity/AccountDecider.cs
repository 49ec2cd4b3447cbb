using System.Diagnostics;
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

    public sealed record ChangePassword(string Cause) : AccountCommand;

    public sealed record RenewPasswordHash : AccountCommand;

    /// <param name="RecoveryCodes">How many were made with it.</param>
    public sealed record TurnOnSecondFactor(int RecoveryCodes, string Cause) : AccountCommand;

    public sealed record TurnOffSecondFactor(string Cause) : AccountCommand;

    public sealed record MakeRecoveryCodes(int Count) : AccountCommand;

    public sealed record UseRecoveryCode : AccountCommand;

    /// <param name="Step">The half minute of a code that is right.</param>
    public sealed record UseSecondFactorCode(long Step) : AccountCommand;

    /// <param name="Scopes">What the key is to be good for.</param>
    /// <param name="Digest">SHA-256 of the secret.</param>
    public sealed record MakeApiKey(string Name, IReadOnlyList<string> Scopes, string Digest) : AccountCommand;

    public sealed record RevokeApiKey(int Key) : AccountCommand;

    public sealed record EndSessions(string Cause) : AccountCommand;
}

/// <summary>The rules of an account.</summary>
public static class AccountDecider
{
    public const int MostApiKeys = 50;
    public const int MostInKeyName = 64;

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

        (_, ChangePassword c) => Decision.Record(new PasswordChanged(c.Cause)),
        (_, RenewPasswordHash) => Decision.Record(new PasswordRehashed()),
        (_, EndSessions c) => Decision.Record(new SessionsEnded(c.Cause)),

        (_, TurnOnSecondFactor) when it.HasSecondFactor => Decision.Refuse(RefusalKind.Conflict, "second-factor-on", "The second factor is on already. Turn it off first."),
        (_, TurnOnSecondFactor c) => Decision.Record(new SecondFactorTurnedOn(c.Cause), new RecoveryCodesMade(c.RecoveryCodes)),
        (_, TurnOffSecondFactor c) => it.HasSecondFactor ? Decision.Record(new SecondFactorTurnedOff(c.Cause)) : Decision.Nothing,
        (_, MakeRecoveryCodes or UseRecoveryCode or UseSecondFactorCode) when !it.HasSecondFactor => Decision.Refuse(RefusalKind.Conflict, "second-factor-off", "The second factor is off. Turn it on first."),
        (_, MakeRecoveryCodes c) => Decision.Record(new RecoveryCodesMade(c.Count)),
        (_, UseRecoveryCode) => it.RecoveryCodesLeft > 0 ? Decision.Record(new RecoveryCodeUsed()) : Decision.Nothing,
        (_, UseSecondFactorCode c) => c.Step > it.LastCodeStep ? Decision.Record(new SecondFactorCodeUsed(c.Step)) : Decision.Nothing,

        (_, MakeApiKey c) => Checked(it, c) ?? Decision.Record(
            new ApiKeyMade(it.ApiKeysMade + 1, c.Name.Trim(), string.Join(' ', c.Scopes.Distinct().Order(StringComparer.Ordinal)), c.Digest)),
        (_, RevokeApiKey c) => it.ApiKeys.ContainsKey(c.Key) ? Decision.Record(new ApiKeyRevoked(c.Key))
            : c.Key >= 1 && c.Key <= it.ApiKeysMade ? Decision.Nothing
            : Decision.Refuse(RefusalKind.Missing, "no-such-key", "There is no such key."),

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

    private static Decision? Checked(Account it, MakeApiKey c)
    {
        if (it.ApiKeys.Count >= MostApiKeys)
        {
            return Decision.Refuse(RefusalKind.Conflict, "too-many-keys", $"There are {MostApiKeys} keys already. Revoke one that is not used any more.");
        }

        var faults = new Faults();
        faults.RequireLine("name", c.Name, MostInKeyName);
        faults.Require(c.Scopes.Count > 0, "scopes", "Choose at least one.");
        faults.Require(c.Scopes.All(Scope.Grantable.Contains), "scopes", $"Each one of {string.Join(", ", Scope.Grantable)}.");
        return faults.IsEmpty ? null : (Decision)faults.ToRefusal();
    }
}
