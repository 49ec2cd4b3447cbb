using System.Security.Claims;
using System.Text.Json.Serialization;
using CaveComm.Domain.Identity;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CaveComm.Api.Identity;

/// <summary>The answer to a sign-in by a program, in OAuth 2's words.</summary>
#pragma warning disable IDE1006, CA1707 // The names of RFC 6749.
public sealed record AccessTokenAnswer(string access_token, string token_type, int expires_in, string scope)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? refresh_token { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? id_token { get; init; }
}
#pragma warning restore IDE1006, CA1707

/// <summary>Makes tokens and says which to believe.</summary>
internal sealed class Tokens(ISigningKeys keys, IOptions<CaveCommOptions> options, TimeProvider clock)
{
    /// <summary>Who takes the tokens: this product.</summary>
    public const string Audience = "cavecomm";

    /// <summary>The client that a program is which signs in with the password.</summary>
    public const string OwnClient = "cavecomm";

    public const string TokenType = "at+jwt";
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    private static readonly TimeSpan ClocksDiffer = TimeSpan.FromSeconds(30);

    private readonly JsonWebTokenHandler handler = new() { SetDefaultTimesOnTokenCreation = false };

    public string Issuer => IssuerOf(options.Value);

    /// <summary>An access token of a session. It says what it may be used for; what the account may do is read from the account at each request.</summary>
    /// <param name="roles">What the owner is now: the answer tells no scope that would be of no use.</param>
    /// <param name="scopes">Some or all of the session's.</param>
    public AccessTokenAnswer Issue(SessionRecord session, IReadOnlySet<string> roles, IReadOnlyCollection<string> scopes, TimeSpan lifetime)
    {
        var now = clock.GetUtcNow();
        var expires = session.EndsAt < now + lifetime ? session.EndsAt : now + lifetime;
        var token = Sign(TokenType, session.Audience, now, expires, new Dictionary<string, object>
        {
            ["sub"] = SubjectOf(session),
            ["jti"] = $"{Guid.CreateVersion7(now):N}",
            ["sid"] = session.Id,
            ["client_id"] = session.Client ?? OwnClient,
            ["scope"] = string.Join(' ', scopes),
            ["auth_time"] = session.SignedInAt.ToUnixTimeSeconds(),
        });
        return new AccessTokenAnswer(token, "Bearer", (int)Math.Ceiling((expires - now).TotalSeconds), string.Join(' ', Scope.Usable(scopes, roles)));
    }

    /// <summary>Whom the session's tokens speak for: the account, or a client that acts as itself.</summary>
    public static string SubjectOf(SessionRecord session) => session.Kind == SessionKind.Machine ? session.Client! : $"{session.Account:D}";

    /// <summary>Signs a token with the newest key.</summary>
    public string Sign(string type, string audience, DateTimeOffset now, DateTimeOffset expires, IDictionary<string, object> claims) =>
        handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            Audience = audience,
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = expires.UtcDateTime,
            TokenType = type,
            SigningCredentials = keys.Current,
            Claims = claims,
        });

    /// <summary>Reads an access token as a bearer would be read, but for whom it is meant.</summary>
    /// <returns>Null when it is not to be believed.</returns>
    public async Task<ClaimsIdentity?> Read(string token)
    {
        var rules = Validation(keys, options.Value, clock);
        rules.ValidateAudience = false;
        var result = await handler.ValidateTokenAsync(token, rules);
        return result.IsValid ? result.ClaimsIdentity : null;
    }

    public static TokenValidationParameters Validation(ISigningKeys keys, CaveCommOptions options, TimeProvider clock) => new()
    {
        ValidIssuer = IssuerOf(options),
        ValidAudiences = [Audience, IssuerOf(options)],
        ValidTypes = [TokenType],
        ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
        IssuerSigningKeyResolver = (_, _, kid, _) => keys.Trusted.Where(it => it.KeyId == kid),
        RequireExpirationTime = true,
        RequireSignedTokens = true,
        NameClaimType = "sub",
        RoleClaimType = "role",
        LifetimeValidator = (from, to, _, _) => to > clock.GetUtcNow().UtcDateTime && !(from > (clock.GetUtcNow() + ClocksDiffer).UtcDateTime),
    };

    private static string IssuerOf(CaveCommOptions options) => options.PublicUrl.AbsoluteUri.TrimEnd('/');
}
