using System.Collections.Immutable;
using System.Diagnostics;
using static CaveComm.Domain.Identity.SessionEvent;

namespace CaveComm.Domain.Identity;

/// <summary>One sign-in: a browser's cookie, or a family of tokens.</summary>
public sealed record Session : IState<Session, SessionEvent>
{
    public static Session Initial { get; } = new();

    /// <summary>How it began; null when there is no such session.</summary>
    public SessionStarted? Start { get; init; }

    public CodeIssued? Code { get; init; }

    public bool IsCodeRedeemed { get; init; }

    /// <summary>Digest of the refresh token that is good now; null when there is none.</summary>
    public string? CurrentRefresh { get; init; }

    public ImmutableHashSet<string> UsedRefreshes { get; init; } = ImmutableHashSet.Create<string>(StringComparer.Ordinal);

    /// <summary>Null while it goes on.</summary>
    public string? EndedBecause { get; init; }

    public bool IsAlive(DateTimeOffset now) => Start is not null && EndedBecause is null && now < Start.EndsAt;

    public static Session Evolve(Session it, SessionEvent happened) => happened switch
    {
        SessionStarted e => it with { Start = e },
        CodeIssued e => it with { Code = e },
        CodeRedeemed => it with { IsCodeRedeemed = true },
        RefreshIssued e => it with
        {
            CurrentRefresh = e.Digest,
            UsedRefreshes = it.CurrentRefresh is { } used ? it.UsedRefreshes.Add(used) : it.UsedRefreshes,
        },
        SessionEnded e => it with
        {
            EndedBecause = e.Cause,
            CurrentRefresh = null,
            UsedRefreshes = it.CurrentRefresh is { } used ? it.UsedRefreshes.Add(used) : it.UsedRefreshes,
        },
        _ => throw new UnreachableException($"Evolve does not know {happened.GetType().Name}."),
    };
}
