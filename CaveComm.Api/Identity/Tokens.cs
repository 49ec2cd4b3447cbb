using System.Security.Claims;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CaveComm.Api.Identity;

/// <summary>The answer to a sign-in by a program, in OAuth 2's words.</summary>
#pragma warning disable IDE1006, CA1707 // The names of RFC 6749.
public sealed record AccessTokenAnswer(string access_token, string token_type, int expires_in, string scope);
#pragma warning restore IDE1006, CA1707

/// <summary>Makes access tokens and says which to believe.</summary>
internal sealed class Tokens(ISigningKeys keys, IOptions<CaveCommOptions> options, TimeProvider clock)
{
    public const string Audience = "cavecomm";
    public const string TokenType = "at+jwt";
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    private readonly JsonWebTokenHandler handler = new() { SetDefaultTimesOnTokenCreation = false };

    /// <summary>The token names the account and nothing of what it may: that is read from the account at each request.</summary>
    public AccessTokenAnswer Issue(Caller caller)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var scope = string.Join(' ', caller.Roles.Order(StringComparer.Ordinal));
        var token = handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer(options.Value),
            Audience = Audience,
            IssuedAt = now,
            NotBefore = now,
            Expires = now + Lifetime,
            TokenType = TokenType,
            SigningCredentials = keys.Current,
            Subject = new ClaimsIdentity([new Claim("sub", $"{caller.AccountId:D}"), new Claim("jti", $"{Guid.CreateVersion7(clock.GetUtcNow()):N}")]),
        });
        return new AccessTokenAnswer(token, "Bearer", (int)Lifetime.TotalSeconds, scope);
    }

    public static TokenValidationParameters Validation(ISigningKeys keys, CaveCommOptions options, TimeProvider clock) => new()
    {
        ValidIssuer = Issuer(options),
        ValidAudience = Audience,
        ValidTypes = [TokenType],
        ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
        IssuerSigningKeyResolver = (_, _, kid, _) => keys.Trusted.Where(it => it.KeyId == kid),
        RequireExpirationTime = true,
        RequireSignedTokens = true,
        NameClaimType = "sub",
        RoleClaimType = "role",
        LifetimeValidator = (from, to, _, _) => to > clock.GetUtcNow().UtcDateTime && !(from > clock.GetUtcNow().UtcDateTime.AddSeconds(30)),
    };

    private static string Issuer(CaveCommOptions options) => options.PublicUrl.AbsoluteUri.TrimEnd('/');
}
