using System.Collections.Concurrent;
using System.Security.Claims;
using CaveComm.Api.Http;
using CaveComm.Api.OAuth;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Authentication;

namespace CaveComm.Api.Identity;

/// <summary>A session that has just begun, with the secrets that are handed out for it.</summary>
internal sealed record BegunSession(SessionRecord Record, string? RefreshToken);

/// <summary>
/// Starts sessions, says which stand, and ends them. As with <see cref="Accounts"/>, a request sees a state at most a second old, and what this
/// node did at once.
/// </summary>
internal sealed class Sessions(IDocumentStore store, Accounts accounts, OAuthClients clients, Origins origins, TimeProvider clock)
{
    public static readonly TimeSpan BrowserLife = TimeSpan.FromDays(30);
    public static readonly TimeSpan ClientLife = TimeSpan.FromDays(90);

    private const int MostAttempts = 10;
    private const int MostKept = 10_000;

    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SeenEvery = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<Guid, (SessionRecord? Record, DateTimeOffset ReadAt)> kept = new();
    private readonly ConcurrentDictionary<Guid, DateTimeOffset> seen = new();

    /// <summary>Signs the browser in: a new session, and the cookie that names it. A session that the browser had is over: nobody can have slipped it one.</summary>
    /// <param name="goesOn">The session that this one stands in for, where the person has not proved anew who they are: it lasts no longer, and says no other time.</param>
    public async Task<Guid> StartBrowser(HttpContext http, Caller caller, CancellationToken cancel, SessionRecord? goesOn = null)
    {
        if (http.Caller() is { SessionId: { } before, AccountId: var owner } && http.HasSessionCookie())
        {
            await End(owner, before, "signed in anew", cancel);
        }

        var now = clock.GetUtcNow();
        var session = Guid.CreateVersion7(now);
        var facts = Facts(http, caller, SessionKind.Browser, null, Scope.Everything, Tokens.Audience, goesOn?.SignedInAt ?? now, goesOn?.EndsAt ?? now + BrowserLife);
        await Begin(session, new SessionCommand.Begin(facts), cancel);
        await http.SignInAsync(
            Antiforgery.SessionScheme,
            new ClaimsPrincipal(new ClaimsIdentity([new("sub", $"{caller.AccountId:D}"), new("sid", $"{session:D}")], Antiforgery.SessionScheme, "sub", "role")),
            new AuthenticationProperties { IsPersistent = true });
        return session;
    }

    /// <summary>
    /// All sessions of the account have just ended by this: the browser that asked for it goes on with a new one, which is over if they are all ended once
    /// more meanwhile. Who sent a token goes on with nothing: a cookie would be good for more than the token was.
    /// </summary>
    /// <param name="isProved">Whether the password was sent along.</param>
    public async Task StartAnew(HttpContext http, Caller caller, Decision<AccountEvent> ended, bool isProved, CancellationToken cancel)
    {
        if (!http.HasSessionCookie() || caller.SessionId is not { } id)
        {
            return;
        }

        var before = isProved ? null : await Find(id, cancel);
        if (isProved || before is not null)
        {
            var after = ended.Events.Aggregate(Account.Initial with { SessionsGeneration = caller.SessionsGeneration }, Account.Evolve);
            await StartBrowser(http, caller with { SessionsGeneration = after.SessionsGeneration }, cancel, before);
        }
    }

    /// <summary>A program that sent the password gets a session of its own.</summary>
    public async Task<BegunSession> StartProgram(HttpContext http, Caller caller, string client, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var session = Guid.CreateVersion7(now);
        var (token, digest) = SessionSecret.Make(session);
        var facts = Facts(http, caller, SessionKind.Program, client, Scope.Everything, Tokens.Audience, now, now + ClientLife);
        return new(await Begin(session, new SessionCommand.Begin(facts, Refresh: digest), cancel), token);
    }

    /// <summary>The sessions of an account that stand now, the latest used first.</summary>
    public async Task<IReadOnlyList<SessionListing>> Of(Guid account, CancellationToken cancel)
    {
        accounts.Forget(account);
        var owner = await accounts.Find(account, cancel);
        await using var session = store.QuerySession();
        var now = clock.GetUtcNow();
        var alive = (await session.QueryAsync<SessionRecord>("where account = ?", cancel, account))
            .Where(it => it.EndsAt > now && it.Generation == owner?.SessionsGeneration).ToList();
        var used = (await session.QueryAsync<SessionSeen>("where id = any(?)", cancel, (object)alive.Select(it => it.Id).ToArray()))
            .ToDictionary(it => it.Id, it => it.At, StringComparer.Ordinal);
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var client in alive.Select(it => it.Client).OfType<string>().Distinct())
        {
            names[client] = (await clients.Find(client, cancel))?.Facts.Name ?? client;
        }

        return
        [
            .. alive.Select(it => new SessionListing(it.SessionId, it.Kind, it.Client is null ? null : names[it.Client], it.Device, it.StartedAt, Later(it.RefreshedAt, used.GetValueOrDefault(it.Id))))
                .OrderByDescending(it => it.LastSeenAt),
        ];
    }

    /// <returns>False when the account has no such session.</returns>
    public async Task<bool> End(Guid account, Guid session, string cause, CancellationToken cancel)
    {
        var isOwn = false;
        await Change(session, it => (isOwn = it.Start?.Account == account) ? SessionDecider.Decide(it, new SessionCommand.End(cause)) : Decision<SessionEvent>.Nothing, cancel);
        return isOwn;
    }

    /// <summary>The session as it stands; null when it is over or never was.</summary>
    public async Task<SessionRecord?> Find(Guid id, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        if (!kept.TryGetValue(id, out var known) || now - known.ReadAt >= KeptFor)
        {
            await using var session = store.QuerySession();
            known = (await session.LoadAsync<SessionRecord>($"{id:D}", cancel), now);
            Keep(kept, id, known);
        }

        return known.Record is { } record && record.EndsAt > now ? record : null;
    }

    /// <summary>Who a session's cookie or token speaks for, as account and session stand now.</summary>
    /// <returns>Null when it is not to be believed any more.</returns>
    public async Task<Caller?> CallerOf(SessionRecord record, CancellationToken cancel)
    {
        if (await OwnerOf(record.Kind, record.Account, record.Client, record.Generation, cancel) is not { } caller)
        {
            return null;
        }

        await Touch(record, cancel);
        return caller with
        {
            SessionId = record.SessionId,
            Scopes = Scope.Read(record.Scope),
            BrowserSignedInAt = record.Kind == SessionKind.Browser ? record.SignedInAt : null,
        };
    }

    /// <summary>Whose session it is, as that stands now; null when the account has ended all its sessions, or account or client are no more.</summary>
    public Task<Caller?> OwnerOf(SessionEvent.SessionStarted start, CancellationToken cancel) => OwnerOf(start.Kind, start.Account, start.Client, start.Generation, cancel);

    /// <summary>The session with all that happened to it.</summary>
    public async Task<Session> Load(Guid id, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        return await session.Events.AggregateStreamAsync<Session>(StreamKey.Session(id), token: cancel) ?? Session.Initial;
    }

    /// <summary>What a session begins with.</summary>
    public SessionEvent.SessionStarted Facts(
        HttpContext http, Caller caller, string kind, string? client, IEnumerable<string> scopes, string audience, DateTimeOffset signedInAt, DateTimeOffset endsAt) => new(
            caller.AccountId, kind, client, string.Join(' ', scopes), audience, Devices.Of(http), origins.Of(http), caller.SessionsGeneration, signedInAt, endsAt);

    public async Task<SessionRecord> Begin(Guid id, SessionCommand.Begin command, CancellationToken cancel)
    {
        var (state, _) = await Change(id, it => SessionDecider.Decide(it, command), cancel);
        return SessionRecord.Of(id, state with { Code = null }, clock.GetUtcNow())!;
    }

    /// <summary>Decides on the session as it stands. Of two at once the later decides anew, on what the earlier did.</summary>
    public async Task<(Session State, Decision<SessionEvent> Decision)> Change(Guid id, Func<Session, Decision<SessionEvent>> decide, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var session = store.LightweightSession();
            var stream = await session.Events.FetchForWriting<Session>(StreamKey.Session(id), cancel);
            var state = stream.Aggregate ?? Session.Initial;
            var decision = decide(state);
            if (decision.Events is [])
            {
                return (state, decision);
            }

            state = decision.Events.Aggregate(state, Session.Evolve);
            session.LastModifiedBy = state.Start is { Account: var account } && account != Guid.Empty ? $"account:{account:D}" : $"client:{state.Start?.Client}";
            stream.AppendMany(decision.Events);
            await Write(session, id, state, cancel);
            try
            {
                await session.SaveChangesAsync(cancel);
                kept.TryRemove(id, out _);
                return (state, decision);
            }
            catch (ConcurrencyException) when (attempt < MostAttempts)
            {
                // Somebody else was first: load and decide again.
            }
        }
    }

    private async Task<Caller?> OwnerOf(string kind, Guid account, string? clientId, int generation, CancellationToken cancel)
    {
        var client = clientId is null ? null : await clients.Find(clientId, cancel);
        if (clientId is not null && client is null)
        {
            return null;
        }

        // A client that acts as itself has no account and no shop: only what roles it was given, of which there is one that reads.
        return kind == SessionKind.Machine
            ? new Caller(OAuthClients.AccountOf(client!.Id), client.Id, null, client.Facts.Roles.ToHashSet())
            : await accounts.Find(account, cancel) is { } caller && caller.SessionsGeneration == generation ? caller : null;
    }

    /// <summary>The record beside the stream; and what is over of the same owner goes, so that records do not heap up.</summary>
    private async Task Write(IDocumentSession session, Guid id, Session state, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        if (SessionRecord.Of(id, state, now) is { } record)
        {
            session.Store(record);
            foreach (var old in await session.QueryAsync<SessionRecord>("where account = ? and ends_at < ? limit 100", cancel, record.Account, now))
            {
                session.Delete<SessionRecord>(old.Id);
                session.Delete<SessionSeen>(old.Id);
            }
        }
        else if (state.EndedBecause is not null)
        {
            session.Delete<SessionRecord>($"{id:D}");
            session.Delete<SessionSeen>($"{id:D}");
        }
    }

    private async Task Touch(SessionRecord record, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var last = Later(record.RefreshedAt, seen.GetValueOrDefault(record.SessionId));
        if (now - last < SeenEvery)
        {
            return;
        }

        Keep(seen, record.SessionId, now);
        await using var session = store.LightweightSession();
        session.Store(new SessionSeen(record.Id, now));
        await session.SaveChangesAsync(cancel);
    }

    private static void Keep<T>(ConcurrentDictionary<Guid, T> all, Guid id, T one)
    {
        if (all.Count >= MostKept)
        {
            all.Clear();
        }

        all[id] = one;
    }

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;
}
