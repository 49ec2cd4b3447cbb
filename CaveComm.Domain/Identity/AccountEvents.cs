namespace CaveComm.Domain.Identity;

/// <summary>Everything that can have happened to an account. Stored for ever: add, never edit. What is secret (the password) is not here.</summary>
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
}

/// <summary>The one event of a stream whose existence says that a name is taken: of two who want it, one starts the stream.</summary>
public abstract record NameEvent
{
    private NameEvent() { }

    public sealed record HandleClaimed(Guid Account) : NameEvent;

    public sealed record UsernameClaimed(Guid Account) : NameEvent;
}
