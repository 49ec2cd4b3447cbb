namespace CaveComm.Domain.Identity;

/// <summary>Everything that can have happened to a session: one sign-in, and all tokens that come of it. Stored for ever: add, never edit.</summary>
/// <remarks>Codes and tokens are not here, only SHA-256 of them; each holds 256 random bits, so the digest leads back to nothing.</remarks>
public abstract record SessionEvent
{
    private SessionEvent() { }

    /// <param name="Account">Whose it is; empty for a client that acts as itself.</param>
    /// <param name="Kind">One of <see cref="SessionKind"/>.</param>
    /// <param name="Client">The OAuth client; null for a browser.</param>
    /// <param name="Scope">The most that its tokens are good for: words with a space between.</param>
    /// <param name="Audience">Who is meant to take its tokens.</param>
    /// <param name="Device">A few words made of what the device said of itself.</param>
    /// <param name="Origin">Keyed digest of the address: the same source is seen to be the same, and no address is kept.</param>
    /// <param name="Generation">The account's count of "all sessions are over" when this one started; a higher count ends it.</param>
    /// <param name="SignedInAt">When the person proved who they are.</param>
    /// <param name="EndsAt">When it is over whatever happens.</param>
    public sealed record SessionStarted(
        Guid Account,
        string Kind,
        string? Client,
        string Scope,
        string Audience,
        string Device,
        string Origin,
        int Generation,
        DateTimeOffset SignedInAt,
        DateTimeOffset EndsAt) : SessionEvent;

    /// <summary>The client may fetch tokens with a code, once.</summary>
    /// <param name="Challenge">What the verifier must hash to (RFC 7636, S256).</param>
    /// <param name="Nonce">What the client wants to see again in the ID token.</param>
    public sealed record CodeIssued(string Digest, string RedirectUri, string Challenge, string? Nonce, DateTimeOffset ExpiresAt) : SessionEvent;

    public sealed record CodeRedeemed : SessionEvent;

    /// <summary>A refresh token was handed out; the one before it is used up.</summary>
    public sealed record RefreshIssued(string Digest) : SessionEvent;

    /// <param name="Cause">Why, in words that an auditor understands.</param>
    public sealed record SessionEnded(string Cause) : SessionEvent;
}

/// <summary>What a session is held by.</summary>
public static class SessionKind
{
    /// <summary>A browser's cookie.</summary>
    public const string Browser = "browser";

    /// <summary>A program that sent the password.</summary>
    public const string Program = "program";

    /// <summary>An OAuth client that a person let in.</summary>
    public const string Client = "client";

    /// <summary>An OAuth client that acts as itself.</summary>
    public const string Machine = "machine";
}
