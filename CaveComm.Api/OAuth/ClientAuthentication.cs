using System.Net;
using System.Net.Http.Headers;
using System.Text;
using CaveComm.Api.Identity;

namespace CaveComm.Api.OAuth;

/// <summary>Which client is asking (RFC 6749, 2.3): by Basic, by fields of the form, or, where it has no secret, by its name alone.</summary>
internal sealed class ClientAuthentication(OAuthClients clients, RefusedSignIns refusals)
{
    private const string Wrong = "The client is not known, or its secret does not fit.";

    public async Task<(OAuthClient? Client, OAuthRefusal? Refusal)> Authenticate(HttpContext http, OAuthParameters form, CancellationToken cancel)
    {
        var (id, secret) = (form["client_id"], form["client_secret"]);
        if (http.Request.Headers.Authorization.Count > 0)
        {
            if (Basic(http.Request.Headers.Authorization.ToString()) is not { } named)
            {
                return (null, OAuthRefusal.Client("Only Basic is taken in the Authorization header."));
            }

            if (secret is not null || (id is not null && id != named.Id))
            {
                return (null, OAuthRefusal.Request("Name the client in one way, not in two."));
            }

            (id, secret) = named;
        }

        if (id is null)
        {
            return (null, OAuthRefusal.Client("Name the client: client_id, or Basic in the Authorization header."));
        }

        var client = await clients.Find(id, cancel);
        var isRight = client is not null && (client.Facts.IsPublic ? secret is null : secret is not null && client.IsSecret(secret));
        if (isRight)
        {
            return (client, null);
        }

        await refusals.RecordClient(http, client?.Id, cancel);
        return (null, OAuthRefusal.Client(Wrong));
    }

    private static (string Id, string? Secret)? Basic(string header)
    {
        if (!AuthenticationHeaderValue.TryParse(header, out var parsed) || !parsed.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) || parsed.Parameter is not { } encoded)
        {
            return null;
        }

        var bytes = new byte[encoded.Length];
        if (!Convert.TryFromBase64String(encoded, bytes, out var length))
        {
            return null;
        }

        var text = Encoding.UTF8.GetString(bytes, 0, length);
        return text.IndexOf(':', StringComparison.Ordinal) is var colon and > 0
            ? (WebUtility.UrlDecode(text[..colon]), WebUtility.UrlDecode(text[(colon + 1)..]) is { Length: > 0 } secret ? secret : null)
            : null;
    }
}
