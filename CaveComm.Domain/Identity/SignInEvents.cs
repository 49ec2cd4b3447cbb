namespace CaveComm.Domain.Identity;

/// <summary>Everything that can have happened at the door without anybody coming in. Stored for ever: add, never edit. What was typed is not here: it can be a password.</summary>
public abstract record SignInEvent
{
    private SignInEvent() { }

    /// <param name="Reason">One of <see cref="SignInRefusal"/>.</param>
    /// <param name="Account">Null when nobody has the name.</param>
    /// <param name="Origin">Keyed digest of the address: the same source is seen to be the same, and no address is kept.</param>
    public sealed record Refused(string Reason, Guid? Account, string Origin) : SignInEvent;

    /// <param name="Reason">One of <see cref="SignInRefusal"/>.</param>
    /// <param name="Client">The OAuth client; null when no client has the name that was sent.</param>
    public sealed record ClientRefused(string Reason, string? Client, string Origin) : SignInEvent;

    /// <summary>So many were refused that further ones are only counted, until it has been quiet for a while.</summary>
    /// <param name="Limit">Whose limit was reached: <c>address</c>, <c>name</c>, <c>code</c>, <c>program</c> (keys and secrets from one address), or that of <c>everybody</c> together.</param>
    /// <param name="Account">Null when nobody has the name.</param>
    public sealed record Limited(string Limit, Guid? Account, string Origin) : SignInEvent;
}

/// <summary>Why somebody, or some program, was not let in.</summary>
public static class SignInRefusal
{
    public const string UnknownName = "unknown name";
    public const string WrongPassword = "wrong password";
    public const string WrongCode = "wrong code";
    public const string CodeUsedBefore = "code used before";
    public const string WrongKey = "wrong key";
    public const string UnknownClient = "unknown client";
    public const string WrongSecret = "wrong secret";
}
