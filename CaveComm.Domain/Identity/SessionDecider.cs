using System.Diagnostics;
using static CaveComm.Domain.Identity.SessionCommand;
using static CaveComm.Domain.Identity.SessionEvent;
using Decision = CaveComm.Domain.Decision<CaveComm.Domain.Identity.SessionEvent>;

namespace CaveComm.Domain.Identity;

/// <summary>Everything that can be asked of a session.</summary>
public abstract record SessionCommand
{
    private SessionCommand() { }

    /// <param name="Code">For a client that fetches its tokens with a code.</param>
    /// <param name="Refresh">Digest of the first refresh token, where it is handed out at once.</param>
    public sealed record Begin(SessionStarted Facts, CodeIssued? Code = null, string? Refresh = null) : SessionCommand;

    /// <param name="Client">Who sends the code.</param>
    /// <param name="Challenge">What the verifier that was sent hashes to.</param>
    /// <param name="Refresh">Digest of the refresh token to hand out; null for a client that takes none.</param>
    public sealed record Redeem(string Client, string Code, string RedirectUri, string Challenge, string? Refresh, DateTimeOffset Now) : SessionCommand;

    /// <param name="Client">Who sends the token.</param>
    /// <param name="Token">Digest of the token that was sent.</param>
    /// <param name="Next">Digest of the token to hand out.</param>
    public sealed record Renew(string Client, string Token, string Next, DateTimeOffset Now) : SessionCommand;

    public sealed record End(string Cause) : SessionCommand;
}

/// <summary>The rules of a session. A secret that is used twice is in two hands, one of them a thief's: that ends it.</summary>
public static class SessionDecider
{
    public const string CodeTwice = "code used twice";
    public const string RefreshTwice = "refresh token used twice";

    public static Decision Decide(Session it, SessionCommand command) => (it.Start, command) switch
    {
        (null, Begin c) => Decision.Record([c.Facts, .. c.Code is { } code ? [code] : Array.Empty<SessionEvent>(), .. c.Refresh is { } first ? [new RefreshIssued(first)] : Array.Empty<SessionEvent>()]),
        (_, Begin) => Decision.Refuse(RefusalKind.Conflict, "exists-already", "This session has begun already."),
        (null, _) => Invalid("There is no such session."),
        (_, Redeem c) => Redeemed(it, c),
        (_, Renew c) => Refreshed(it, c),
        (_, End c) => it.EndedBecause is null ? Decision.Record(new SessionEnded(c.Cause)) : Decision.Nothing,
        _ => throw new UnreachableException($"Decide does not know {command.GetType().Name}."),
    };

    // Who does not know the secret, or is not the one it was made for, changes nothing: else anybody could end a session.
    private static Decision Redeemed(Session it, Redeem c)
    {
        if (it.Code is not { } code || code.Digest != c.Code || it.Start!.Client != c.Client)
        {
            return Invalid("This code is not known, or was issued to another client.");
        }

        if (it.EndedBecause is not null)
        {
            return Invalid("The session is over.");
        }

        if (it.IsCodeRedeemed)
        {
            return Decision.Record(new SessionEnded(CodeTwice));
        }

        return c.Now >= code.ExpiresAt || !it.IsAlive(c.Now) ? Invalid("The code has expired.")
            : code.RedirectUri != c.RedirectUri ? Invalid("The redirect_uri is not the one that the code was sent to.")
            : code.Challenge != c.Challenge ? Invalid("The code_verifier does not fit the code_challenge.")
            : c.Refresh is { } refresh ? Decision.Record(new CodeRedeemed(), new RefreshIssued(refresh))
            : Decision.Record(new CodeRedeemed());
    }

    private static Decision Refreshed(Session it, Renew c) =>
        it.Start!.Client != c.Client ? Invalid("This refresh token is not known, or was issued to another client.")
        : !it.IsAlive(c.Now) ? Invalid("The session is over.")
        : it.UsedRefreshes.Contains(c.Token) ? Decision.Record(new SessionEnded(RefreshTwice))
        : it.CurrentRefresh != c.Token ? Invalid("This refresh token is not known, or was issued to another client.")
        : Decision.Record(new RefreshIssued(c.Next));

    private static Decision Invalid(string detail) => Decision.Refuse(RefusalKind.Missing, "invalid-grant", detail);
}
