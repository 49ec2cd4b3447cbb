using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using CaveComm.Api.Identity;

namespace CaveComm.Api.OAuth;

/// <summary>Tells a client who signed in (OpenID Connect). Of another type than access tokens, so that none passes for the other.</summary>
internal sealed class IdTokens(Tokens tokens, TimeProvider clock)
{
    /// <param name="nonce">The client's own, sent along with its request.</param>
    public string Issue(SessionRecord session, string accessToken, string? nonce)
    {
        var now = clock.GetUtcNow();
        var claims = new Dictionary<string, object>
        {
            ["sub"] = Tokens.SubjectOf(session),
            ["auth_time"] = session.SignedInAt.ToUnixTimeSeconds(),
            ["at_hash"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)).AsSpan(0, 16)),
        };
        if (nonce is not null)
        {
            claims["nonce"] = nonce;
        }

        return tokens.Sign("JWT", session.Client!, now, now + TokenGranting.Lifetime, claims);
    }
}
