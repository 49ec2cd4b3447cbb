namespace CaveComm.Domain.Identity;

/// <summary>Everything that can have happened to an account. Stored for ever: add, never edit. What is secret (password, seed of the codes, recovery codes) is not here.</summary>
public abstract record AccountEvent
{
    private AccountEvent() { }

    /// <param name="Username">What the person signs in with.</param>
    /// <param name="Handle">The freelancer's name in addresses; null for an account without a shop.</param>
    public sealed record AccountRegistered(string Username, string? Handle) : AccountEvent;

    /// <param name="Cause">Why, in words that an auditor understands.</param>
    public sealed record RoleGranted(string Role, string Cause) : AccountEvent;

    /// <param name="Cause">Why, in words that an auditor understands.</param>
    public sealed record RoleRevoked(string Role, string Cause) : AccountEvent;

    /// <summary>There is a new password; every session of before is over.</summary>
    /// <param name="Cause">Why, in words that an auditor understands.</param>
    public sealed record PasswordChanged(string Cause) : AccountEvent;

    /// <summary>The same password is kept under a hash of today's cost; sessions go on. Its place in the stream tells it from a password that was changed at the same moment.</summary>
    public sealed record PasswordRehashed : AccountEvent;

    /// <summary>From now on a sign-in needs a code of an authenticator app too.</summary>
    public sealed record SecondFactorTurnedOn(string Cause) : AccountEvent;

    /// <summary>The password is enough again; every session of before is over.</summary>
    public sealed record SecondFactorTurnedOff(string Cause) : AccountEvent;

    /// <summary>A new set of recovery codes; those of before are void.</summary>
    public sealed record RecoveryCodesMade(int Count) : AccountEvent;

    /// <summary>A recovery code stood in for the authenticator app. It is void now.</summary>
    public sealed record RecoveryCodeUsed : AccountEvent;

    /// <summary>A code of the authenticator app was right at a sign-in. No code up to it is good again.</summary>
    /// <param name="Step">The code's half minute, counted since 1970 (RFC 6238, T).</param>
    public sealed record SecondFactorCodeUsed(long Step) : AccountEvent;

    /// <summary>A key for programs.</summary>
    /// <param name="Key">Counts from 1 in each account.</param>
    /// <param name="Name">What the person calls it.</param>
    /// <param name="Scope">What it is good for, as OAuth writes it: words with a space between.</param>
    /// <param name="Digest">SHA-256 of the secret, which is 256 random bits: nobody finds it from this.</param>
    public sealed record ApiKeyMade(int Key, string Name, string Scope, string Digest) : AccountEvent;

    public sealed record ApiKeyRevoked(int Key) : AccountEvent;

    /// <summary>All sessions that had been started are over.</summary>
    /// <param name="Cause">Why, in words that an auditor understands.</param>
    public sealed record SessionsEnded(string Cause) : AccountEvent;
}

/// <summary>The one event of a stream whose existence says that a name is taken: of two who want it, one starts the stream.</summary>
public abstract record NameEvent
{
    private NameEvent() { }

    public sealed record HandleClaimed(Guid Account) : NameEvent;

    public sealed record UsernameClaimed(Guid Account) : NameEvent;
}
