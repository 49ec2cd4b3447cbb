using System.Security.Claims;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;

namespace CaveComm.Api.OAuth;

/// <summary>Where clients end what they hold (RFC 7009), and ask what a token is worth (RFC 7662).</summary>
internal static class RevocationEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/oauth2/revoke", Revoke).WithName("RevokeToken").KeepsNoAnswer("A session ends once, however often it is asked.");
        routes.MapPost("/oauth2/introspect", Introspect).WithName("IntrospectToken").KeepsNoAnswer("Nothing is changed, and the answer is of this moment.");
    }

    private static Task<IResult> Revoke(HttpContext http, ClientAuthentication authentication, TokenLookup lookup, Sessions sessions, CancellationToken cancel) =>
        For(http, authentication, async (client, token) =>
        {
            if (await lookup.Find(token, cancel) is not { } found)
            {
                return TypedResults.Ok();
            }

            if (found.Client != client.Id)
            {
                return OAuthRefusal.Grant("This token was issued to another client.").Answer(http);
            }

            // An access token cannot be called back alone: what goes is the session, with all tokens that came of it.
            await sessions.Change(found.Session, it => SessionDecider.Decide(it, new SessionCommand.End("given back by the client")), cancel);
            return TypedResults.Ok();
        }, cancel);

    private static Task<IResult> Introspect(HttpContext http, ClientAuthentication authentication, TokenLookup lookup, CancellationToken cancel) =>
        For(http, authentication, async (client, token) =>
            client.Facts.IsPublic ? OAuthRefusal.Client("Only a client with a secret may ask.").Answer(http)
            : await lookup.Find(token, cancel) is { IsAlive: true } found && (found.Client == client.Id || client.Facts.IsTrusted) ? TypedResults.Json(found.Claims, Json.Options)
            : TypedResults.Json(new Dictionary<string, object> { ["active"] = false }, Json.Options), cancel);

    private static async Task<IResult> For(HttpContext http, ClientAuthentication authentication, Func<OAuthClient, string, Task<IResult>> answer, CancellationToken cancel)
    {
        var (form, unread) = await OAuthParameters.Read(http, cancel);
        if (form is null)
        {
            return unread!.Answer(http);
        }

        var (client, unknown) = await authentication.Authenticate(http, form, cancel);
        return client is null ? unknown!.Answer(http)
            : form["token"] is { } token ? await answer(client, token)
            : OAuthRefusal.Request("token is required.").Answer(http);
    }
}

/// <summary>A token that this server made, whether or not it is still good.</summary>
/// <param name="Claims">What a client that asks is told of it.</param>
internal sealed record FoundToken(Guid Session, string Client, bool IsAlive, IReadOnlyDictionary<string, object> Claims);

/// <summary>Finds out what a token is: an access token by its signature, a refresh token by its session.</summary>
internal sealed class TokenLookup(Tokens tokens, Sessions sessions, TimeProvider clock)
{
    /// <returns>Null when it is none of ours.</returns>
    public async Task<FoundToken?> Find(string token, CancellationToken cancel) => SessionSecret.Read(token) is var (id, digest)
        ? await Refresh(id, digest, cancel)
        : await tokens.Read(token) is { } claims && Guid.TryParse(claims.FindFirst("sid")?.Value, out var session) ? await Access(session, claims, cancel) : null;

    private async Task<FoundToken?> Refresh(Guid id, string digest, CancellationToken cancel)
    {
        var state = await sessions.Load(id, cancel);
        if (state.Start is not { Client: { } client } start || (state.CurrentRefresh != digest && !state.UsedRefreshes.Contains(digest)))
        {
            return null;
        }

        var owner = state.IsAlive(clock.GetUtcNow()) && state.CurrentRefresh == digest ? await sessions.OwnerOf(start, cancel) : null;
        return new(id, client, owner is not null, new Dictionary<string, object>
        {
            ["active"] = true,
            ["client_id"] = client,
            ["sub"] = $"{start.Account:D}",
            ["username"] = owner?.Username ?? "",
            ["scope"] = start.Scope,
            ["aud"] = start.Audience,
            ["iss"] = tokens.Issuer,
            ["exp"] = start.EndsAt.ToUnixTimeSeconds(),
            ["token_type"] = "refresh_token",
        });
    }

    private async Task<FoundToken?> Access(Guid id, ClaimsIdentity token, CancellationToken cancel)
    {
        var record = await sessions.Find(id, cancel);
        var caller = record is null || Tokens.SubjectOf(record) != token.FindFirst("sub")?.Value ? null : await sessions.CallerOf(record, cancel);
        var claims = new Dictionary<string, object> { ["active"] = true, ["token_type"] = "Bearer", ["username"] = caller?.Username ?? "" };
        foreach (var name in new[] { "iss", "sub", "aud", "client_id", "scope", "jti", "sid" })
        {
            claims[name] = token.FindFirst(name)?.Value ?? "";
        }

        foreach (var name in new[] { "exp", "nbf", "iat", "auth_time" })
        {
            claims[name] = long.Parse(token.FindFirst(name)!.Value, System.Globalization.CultureInfo.InvariantCulture);
        }

        return new(id, token.FindFirst("client_id")?.Value ?? "", caller is not null, claims);
    }
}
