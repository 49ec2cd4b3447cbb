using System.Buffers.Text;
using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace CaveComm.Api.Identity;

/// <summary>A key as its owner keeps it: <c>cck_{account}_{number}_{secret}</c>. The secret is 256 random bits, so there is nothing to guess, and its digest gives nothing away.</summary>
internal static class ApiKeyText
{
    public const string Beginning = "cck_";
    private const int SecretBytes = 32;

    public static (string Secret, string Digest) NewSecret()
    {
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        return (secret, DigestOf(secret));
    }

    public static string Of(Guid account, int number, string secret) => string.Create(CultureInfo.InvariantCulture, $"{Beginning}{account:N}_{number}_{secret}");

    public static (Guid Account, int Number, string Digest)? Read(string text) =>
        text.Split('_', 4) is ["cck", var account, var number, { Length: > 0 } secret] && Guid.TryParseExact(account, "N", out var id)
        && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var counted) ? (id, counted, DigestOf(secret)) : null;

    private static string DigestOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}

/// <summary>Knows who sends an API key. It may what its account may now, narrowed to the key's scopes.</summary>
internal sealed class ApiKeyScheme(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, Accounts accounts, RefusedSignIns refusals)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public const string SchemeName = "api-key";
    private const string Bearer = "Bearer ";

    public static bool IsFor(HttpContext http) =>
        http.Request.Headers.Authorization.ToString().StartsWith(Bearer + ApiKeyText.Beginning, StringComparison.OrdinalIgnoreCase);

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!IsFor(Context))
        {
            return AuthenticateResult.NoResult();
        }

        if (ApiKeyText.Read(Request.Headers.Authorization.ToString()[Bearer.Length..].Trim()) is not var (account, number, digest)
            || await accounts.FindAccount(account, Context.RequestAborted) is not { Exists: true } state)
        {
            return await Refused(null);
        }

        if (!state.ApiKeys.TryGetValue(number, out var key)
            || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(key.Digest), Encoding.UTF8.GetBytes(digest))
            || await accounts.Find(account, Context.RequestAborted) is not { } caller)
        {
            return await Refused(account);
        }

        Context.SetCaller(caller with { Scopes = key.Scopes });
        var identity = new ClaimsIdentity([new Claim("sub", $"{account:D}")], SchemeName, "sub", "role");
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }

    private async Task<AuthenticateResult> Refused(Guid? account)
    {
        await refusals.RecordKey(Context, account, Context.RequestAborted);
        return AuthenticateResult.Fail("There is no such key.");
    }
}
