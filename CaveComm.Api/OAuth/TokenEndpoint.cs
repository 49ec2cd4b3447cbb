using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;

namespace CaveComm.Api.OAuth;

/// <summary>Where clients fetch tokens: with a code, with a refresh token, or as themselves.</summary>
internal static class TokenEndpoint
{
    public const string Path = "/oauth2/token";

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost(Path, Grant).WithName("Token").RequireRateLimiting(RateLimits.Tokens).KeepsNoAnswer("The answer is a secret: tokens.").Produces<AccessTokenAnswer>();

    private static async Task<IResult> Grant(HttpContext http, ClientAuthentication authentication, TokenGranting granting, CancellationToken cancel)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.Pragma = "no-cache";
        var (form, unread) = await OAuthParameters.Read(http, cancel);
        if (form is null)
        {
            return unread!.Answer(http);
        }

        var (client, unknown) = await authentication.Authenticate(http, form, cancel);
        if (client is null)
        {
            return unknown!.Answer(http);
        }

        var (answer, refusal) = await granting.Grant(http, client, form, cancel);
        return answer is not null ? TypedResults.Json(answer, Json.Options) : refusal!.Answer(http);
    }
}

/// <summary>Decides on tokens for a client that is known by now.</summary>
internal sealed class TokenGranting(AuthorizeReader audiences, Sessions sessions, Tokens tokens, IdTokens idTokens, TimeProvider clock)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private const int ShortestVerifier = 43;
    private const int LongestVerifier = 128;

    public async Task<(AccessTokenAnswer? Answer, OAuthRefusal? Refusal)> Grant(HttpContext http, OAuthClient client, OAuthParameters form, CancellationToken cancel)
    {
        if (form["grant_type"] is not { } grant)
        {
            return (null, OAuthRefusal.Request("grant_type is missing."));
        }

        if (!GrantType.All.Contains(grant))
        {
            return (null, new("unsupported_grant_type", $"Use one of {string.Join(", ", GrantType.All)}."));
        }

        return !client.May(grant) ? (null, new("unauthorized_client", "This client is not registered for that grant."))
            : grant == GrantType.Code ? await Redeem(client, form, cancel)
            : grant == GrantType.Refresh ? await Refresh(client, form, cancel)
            : await ActAsItself(http, client, form, cancel);
    }

    private async Task<(AccessTokenAnswer? Answer, OAuthRefusal? Refusal)> Redeem(OAuthClient client, OAuthParameters form, CancellationToken cancel)
    {
        if (form["code"] is not { } code || form["redirect_uri"] is not { } redirectUri || form["code_verifier"] is not { } verifier)
        {
            return (null, OAuthRefusal.Request("code, redirect_uri and code_verifier are required."));
        }

        if (verifier.Length is < ShortestVerifier or > LongestVerifier || !verifier.All(it => char.IsAsciiLetterOrDigit(it) || it is '-' or '.' or '_' or '~'))
        {
            return (null, OAuthRefusal.Request("code_verifier has 43 to 128 letters, digits, hyphens, dots, underscores and tildes."));
        }

        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        return await Advance(client, form, code, "This code is not known.", (digest, next) =>
            new SessionCommand.Redeem(client.Id, digest, redirectUri, challenge, client.May(GrantType.Refresh) ? next : null, clock.GetUtcNow()), cancel);
    }

    private async Task<(AccessTokenAnswer? Answer, OAuthRefusal? Refusal)> Refresh(OAuthClient client, OAuthParameters form, CancellationToken cancel) =>
        form["refresh_token"] is { } token
            ? await Advance(client, form, token, "This refresh token is not known.", (digest, next) => new SessionCommand.Renew(client.Id, digest, next, clock.GetUtcNow()), cancel)
            : (null, OAuthRefusal.Request("refresh_token is required."));

    /// <summary>A secret of the session was sent: uses it up, and hands out the next.</summary>
    private async Task<(AccessTokenAnswer? Answer, OAuthRefusal? Refusal)> Advance(
        OAuthClient client, OAuthParameters form, string secret, string unknown, Func<string, string, SessionCommand> use, CancellationToken cancel)
    {
        if (SessionSecret.Read(secret) is not var (id, digest))
        {
            return (null, OAuthRefusal.Grant(unknown));
        }

        // All that could be wrong with the rest of the request is found first, so that a slip costs nobody the session.
        var before = await sessions.Load(id, cancel);
        if (before.Start is not { } start || start.Client != client.Id || await sessions.OwnerOf(start, cancel) is not { } owner)
        {
            return (null, OAuthRefusal.Grant(unknown));
        }

        var all = Scope.Read(start.Scope);
        var scopes = form["scope"] is { } asked && form["grant_type"] == GrantType.Refresh ? Scope.Read(asked) : all;
        if (scopes.IsEmpty || !scopes.IsSubsetOf(all))
        {
            return (null, OAuthRefusal.Scope($"At most what was granted: {start.Scope}."));
        }

        if (form["resource"] is { } resource && audiences.AudienceOf(resource) != start.Audience)
        {
            return (null, OAuthRefusal.Target);
        }

        var (next, nextDigest) = SessionSecret.Make(id);
        var (state, decision) = await sessions.Change(id, it => SessionDecider.Decide(it, use(digest, nextDigest)), cancel);
        if (decision.Refusal is { } refusal)
        {
            return (null, OAuthRefusal.Grant(refusal.Detail));
        }

        if (SessionRecord.Of(id, state, clock.GetUtcNow()) is not { } record)
        {
            return (null, OAuthRefusal.Grant("This was used before. Everything that came of this sign-in has ended."));
        }

        var answer = tokens.Issue(record, owner.Roles, scopes, start.Kind == SessionKind.Program ? Tokens.Lifetime : Lifetime);
        return (answer with
        {
            refresh_token = state.CurrentRefresh == nextDigest ? next : null,
            id_token = scopes.Contains(Scope.OpenId) ? idTokens.Issue(record, answer.access_token, form["grant_type"] == GrantType.Code ? state.Code?.Nonce : null) : null,
        }, null);
    }

    /// <summary>
    /// The client speaks for itself: no account, no shop. With the role <c>auditor</c> it reaches what asks for that role and the scope
    /// <c>audit:read</c>, which is reading the log and the ledger; without a role it reaches nothing but other services that take our tokens.
    /// </summary>
    private async Task<(AccessTokenAnswer? Answer, OAuthRefusal? Refusal)> ActAsItself(HttpContext http, OAuthClient client, OAuthParameters form, CancellationToken cancel)
    {
        var may = Scope.Read(client.Facts.Scope).Intersect(Scope.Grantable);
        var scopes = form["scope"] is { } asked ? Scope.Read(asked) : may;
        if (scopes.IsEmpty || !scopes.IsSubsetOf(may))
        {
            return (null, OAuthRefusal.Scope($"As itself this client may have: {string.Join(' ', may)}."));
        }

        if (audiences.AudienceOf(form["resource"]) is not { } audience)
        {
            return (null, OAuthRefusal.Target);
        }

        var now = clock.GetUtcNow();
        var itself = new Caller(Guid.Empty, client.Id, null, client.Facts.Roles.ToHashSet());
        var facts = sessions.Facts(http, itself, SessionKind.Machine, client.Id, scopes, audience, now, now + Lifetime);
        var record = await sessions.Begin(Guid.CreateVersion7(now), new SessionCommand.Begin(facts), cancel);
        return (tokens.Issue(record, itself.Roles, scopes, Lifetime) with { scope = string.Join(' ', scopes) }, null);
    }
}
