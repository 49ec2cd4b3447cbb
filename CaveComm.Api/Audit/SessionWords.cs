using CaveComm.Domain.Identity;

namespace CaveComm.Api.Audit;

/// <summary>What happened to a session, in one sentence.</summary>
internal static class SessionWords
{
    public static string Of(SessionEvent happened) => happened switch
    {
        SessionEvent.SessionStarted e => $"{Who(e)}, good for {e.Scope} until {e.EndsAt.UtcDateTime:yyyy-MM-dd}.",
        SessionEvent.CodeIssued => "The app was sent a code, to fetch its tokens with.",
        SessionEvent.CodeRedeemed => "The app fetched its tokens with the code.",
        SessionEvent.RefreshIssued => "A refresh token was handed out; the one before it is used up.",
        SessionEvent.SessionEnded e => $"The session ended: {e.Cause}.",
        _ => throw new System.Diagnostics.UnreachableException($"There are no words for {happened.GetType().Name}."),
    };

    private static string Who(SessionEvent.SessionStarted e) => e.Kind switch
    {
        SessionKind.Browser => $"A sign-in from {e.Device}",
        SessionKind.Program => $"A sign-in with the password, by the program {e.Device}",
        SessionKind.Machine => $"The app {e.Client} came for itself",
        _ => $"The app {e.Client} was let in from {e.Device}",
    };
}
