using CaveComm.Domain.Identity;

namespace CaveComm.Api.Identity;

/// <summary>A session that stands, kept beside its stream and written with it: each request asks for it, and an account's sessions are listed.</summary>
/// <param name="Id">The session's id. The record is gone once the session has ended.</param>
/// <param name="RefreshedAt">When it last came by new tokens, or began.</param>
public sealed record SessionRecord(
    string Id,
    Guid Account,
    string Kind,
    string? Client,
    string Scope,
    string Audience,
    string Device,
    int Generation,
    DateTimeOffset SignedInAt,
    DateTimeOffset StartedAt,
    DateTimeOffset RefreshedAt,
    DateTimeOffset EndsAt)
{
    public Guid SessionId => Guid.Parse(Id);

    /// <returns>Null when no token can be good: it has ended, or its code was not fetched yet.</returns>
    internal static SessionRecord? Of(Guid id, Session state, DateTimeOffset now) =>
        state is { Start: { } start, EndedBecause: null } && (state.Code is null || state.IsCodeRedeemed)
            ? new($"{id:D}", start.Account, start.Kind, start.Client, start.Scope, start.Audience, start.Device, start.Generation, start.SignedInAt, StartOf(id, start), now, start.EndsAt)
            : null;

    private static DateTimeOffset StartOf(Guid id, SessionEvent.SessionStarted start) =>
        // The id was made at the start and begins with the time in milliseconds.
        id.Version == 7 ? DateTimeOffset.FromUnixTimeMilliseconds(Convert.ToInt64(id.ToString("N")[..12], 16)) : start.SignedInAt;
}

/// <summary>When a session was last used, to a few minutes. A document of its own: it is written without looking, and must not bring back a session that has ended.</summary>
/// <param name="Id">The session's id.</param>
public sealed record SessionSeen(string Id, DateTimeOffset At);

/// <summary>A session as its owner sees it.</summary>
/// <param name="Client">What the OAuth client is called; null for a browser.</param>
internal sealed record SessionListing(Guid Id, string Kind, string? Client, string Device, DateTimeOffset StartedAt, DateTimeOffset LastSeenAt);
