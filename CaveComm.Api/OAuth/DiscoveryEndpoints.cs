using CaveComm.Api.Http;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.IdentityModel.Tokens;

namespace CaveComm.Api.OAuth;

/// <summary>What a client has to know of this server (RFC 8414, OpenID Connect Discovery), its keys, and what it is told of a person.</summary>
internal static class DiscoveryEndpoints
{
    private static readonly string[] Secrets = ["client_secret_basic", "client_secret_post"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/.well-known/oauth-authorization-server", Metadata).WithName("AuthorizationServerMetadata");
        routes.MapGet("/.well-known/openid-configuration", Metadata).WithName("OpenIdConfiguration");
        routes.MapGet("/oauth2/jwks", Keys).WithName("Jwks");
        routes.MapGet("/oauth2/userinfo", UserInfo).RequireScope(Scope.OpenId).WithName("UserInfo");
    }

    private static JsonHttpResult<Dictionary<string, object>> Metadata(HttpContext http, Tokens tokens)
    {
        http.Response.Headers.CacheControl = "public, max-age=300";
        var issuer = tokens.Issuer;
        return TypedResults.Json(new Dictionary<string, object>
        {
            ["issuer"] = issuer,
            ["authorization_endpoint"] = issuer + AuthorizeEndpoint.Path,
            ["token_endpoint"] = issuer + TokenEndpoint.Path,
            ["revocation_endpoint"] = $"{issuer}/oauth2/revoke",
            ["introspection_endpoint"] = $"{issuer}/oauth2/introspect",
            ["userinfo_endpoint"] = $"{issuer}/oauth2/userinfo",
            ["jwks_uri"] = $"{issuer}/oauth2/jwks",
            ["response_types_supported"] = new[] { "code" },
            ["response_modes_supported"] = new[] { "query" },
            ["grant_types_supported"] = GrantType.All,
            ["code_challenge_methods_supported"] = new[] { "S256" },
            ["token_endpoint_auth_methods_supported"] = Secrets.Append("none"),
            ["revocation_endpoint_auth_methods_supported"] = Secrets.Append("none"),
            ["introspection_endpoint_auth_methods_supported"] = Secrets,
            ["authorization_response_iss_parameter_supported"] = true,
            ["request_parameter_supported"] = false,
            ["request_uri_parameter_supported"] = false,
            ["scopes_supported"] = Scope.KnownToClients,
            ["subject_types_supported"] = new[] { "public" },
            ["id_token_signing_alg_values_supported"] = new[] { SecurityAlgorithms.EcdsaSha256 },
            ["prompt_values_supported"] = new[] { "none", "login", "consent", "select_account" },
            ["claims_supported"] = new[] { "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "preferred_username", "name", "email", "email_verified" },
        }, Json.Options);
    }

    private static JsonHttpResult<Dictionary<string, object>> Keys(HttpContext http, ISigningKeys keys)
    {
        http.Response.Headers.CacheControl = "public, max-age=300";
        return TypedResults.Json(new Dictionary<string, object>
        {
            ["keys"] = keys.Trusted.OfType<ECDsaSecurityKey>().Select(it =>
            {
                var point = it.ECDsa.ExportParameters(includePrivateParameters: false).Q;
                return new Dictionary<string, string>
                {
                    ["kty"] = "EC",
                    ["crv"] = "P-256",
                    ["use"] = "sig",
                    ["alg"] = SecurityAlgorithms.EcdsaSha256,
                    ["kid"] = it.KeyId,
                    ["x"] = Base64UrlEncoder.Encode(point.X),
                    ["y"] = Base64UrlEncoder.Encode(point.Y),
                };
            }).ToList(),
        }, Json.Options);
    }

    private static async Task<IResult> UserInfo(HttpContext http, IDocumentStore store, CancellationToken cancel)
    {
        var caller = http.Caller()!;
        var told = new Dictionary<string, object> { ["sub"] = $"{caller.AccountId:D}" };
        await using var session = store.QuerySession();
        var shop = caller.Handle is { } handle ? await session.Events.AggregateStreamAsync<Freelancer>(StreamKey.Freelancer(handle), token: cancel) : null;
        if (caller.Scopes.Contains(Scope.Profile))
        {
            told["preferred_username"] = caller.Username;
            if (shop is { Exists: true })
            {
                told["name"] = shop.DisplayName;
            }
        }

        if (caller.Scopes.Contains(Scope.Email) && shop is { Exists: true })
        {
            told["email"] = shop.Email;
            told["email_verified"] = false; // Anybody can register with anybody's address: no client may take it for who somebody is.
        }

        return TypedResults.Json(told, Json.Options);
    }
}
