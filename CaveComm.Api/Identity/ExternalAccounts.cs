using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;

namespace CaveComm.Api.Identity;

/// <summary>Which account belongs to an issuer's person. The pair of issuer and subject is a name like those that people sign in with: of two who claim it, one gets it.</summary>
internal sealed class ExternalAccounts(AccountHandling handling, Accounts accounts, ExternalIssuer issuer)
{
    private const int MostKept = 10_000;

    // A name that leads to an account does so for ever.
    private readonly ConcurrentDictionary<string, Guid> kept = new(StringComparer.Ordinal);

    /// <summary>The name for the token's person. Nobody can register it otherwise: it is neither a handle nor an address.</summary>
    public static string? NameOf(ClaimsPrincipal? token) => token?.FindFirst("sub") is { Value.Length: > 0 } subject
        ? $"issuer:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{token.FindFirstValue("iss")}\n{subject.Value}")))}"
        : null;

    /// <returns>Who it is, narrowed to what the token is good for; null when that person has no account here.</returns>
    public async Task<Caller?> Find(ClaimsPrincipal? token, CancellationToken cancel)
    {
        if (NameOf(token) is not { } name)
        {
            return null;
        }

        if (!kept.TryGetValue(name, out var account))
        {
            if (await handling.FindByName(name, cancel) is not { } found)
            {
                return null;
            }

            if (kept.Count >= MostKept)
            {
                kept.Clear();
            }

            account = kept[name] = found;
        }

        return await accounts.Find(account, cancel) is { } caller ? caller with { Scopes = issuer.ScopesOf(token!) } : null;
    }
}
