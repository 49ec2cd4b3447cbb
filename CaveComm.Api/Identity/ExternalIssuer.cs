using System.Security.Claims;
using CaveComm.Api.Http;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace CaveComm.Api.Identity;

/// <summary>
/// Another authorization server that people sign in at (<c>Oidc:Authority</c>). Where there is one, this product makes no tokens and takes no
/// passwords: it checks the issuer's tokens against the keys that the issuer publishes.
/// </summary>
internal sealed class ExternalIssuer(IConfiguration configuration, IOptions<CaveCommOptions> product)
{
    private static readonly TimeSpan ClocksDiffer = TimeSpan.FromSeconds(30);

    /// <summary>What an issuer may sign with: it holds the private key, and we the public one.</summary>
    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512, SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384,
        SecurityAlgorithms.RsaSha512, SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
    ];

    /// <summary>Null where people sign in here.</summary>
    public Uri? Authority { get; } = Checked(configuration["Oidc:Authority"]);

    public bool IsOn => Authority is not null;

    /// <summary>Whom the issuer's tokens have to be meant for.</summary>
    private string Audience => configuration["Oidc:Audience"] is { Length: > 0 } named ? named : product.Value.PublicUrl.AbsoluteUri.TrimEnd('/');

    /// <summary>Whether the issuer's person is an administrator from the beginning: somebody has to be the first.</summary>
    public bool IsAdministrator(string subject) => configuration.GetSection("Oidc:Administrators").Get<string[]>()?.Contains(subject) == true;

    public void Apply(JwtBearerOptions options, TimeProvider clock)
    {
        options.Authority = Authority!.AbsoluteUri.TrimEnd('/');
        options.RequireHttpsMetadata = !Authority.IsLoopback;
        options.TokenValidationParameters = new TokenValidationParameters
        {
            ValidAudience = Audience,
            ValidTypes = [Tokens.TokenType, "application/at+jwt", "JWT"],
            ValidAlgorithms = Algorithms,
            RequireExpirationTime = true,
            RequireSignedTokens = true,
            NameClaimType = "sub",
            RoleClaimType = "role",
            LifetimeValidator = (from, to, _, _) => to > clock.GetUtcNow().UtcDateTime && !(from > (clock.GetUtcNow() + ClocksDiffer).UtcDateTime),
        };
    }

    /// <summary>
    /// What a token is good for: those of our scopes that it names, and those of <c>Oidc:ScopesOfAll</c>, for issuers that cannot be taught ours.
    /// </summary>
    public IReadOnlySet<string> ScopesOf(ClaimsPrincipal token) => token.FindAll("scope").Concat(token.FindAll("scp")).SelectMany(it => Scope.Read(it.Value))
        .Concat(Scope.Read(configuration["Oidc:ScopesOfAll"] ?? "")).Where(Scope.Everything.Contains).ToHashSet();

    private static Uri? Checked(string? authority)
    {
        if (string.IsNullOrWhiteSpace(authority))
        {
            return null;
        }

        return Uri.TryCreate(authority, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback))
            ? url
            : throw new InvalidOperationException($"Oidc:Authority is '{authority}'; it has to be the https address of the issuer, without the .well-known part.");
    }
}

internal static class LocalSignIn
{
    /// <summary>Endpoints that sign people in, or make tokens, or change what proves who somebody is: where another issuer does that, they say so and do nothing.</summary>
    public static IEndpointRouteBuilder OnlyWithoutIssuer(this IEndpointRouteBuilder routes)
    {
        if (routes.ServiceProvider.GetRequiredService<ExternalIssuer>().Authority is not { } authority)
        {
            return routes;
        }

        var group = routes.MapGroup("");
        group.AddEndpointFilter((_, _) => ValueTask.FromResult<object?>(
            Problems.Of("external-sign-in", $"People sign in at {authority.AbsoluteUri} and send its token here: Authorization: Bearer.")));
        return group;
    }
}
