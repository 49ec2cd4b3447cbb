using Microsoft.Net.Http.Headers;

namespace CaveComm.Api.Http;

/// <summary>
/// Over https our cookies carry the prefix <c>__Host-</c>, by which a browser promises that no other host and no plain-http answer set
/// them. Over http, which is loopback only, a browser would refuse that name. The rest of the code knows the plain names.
/// </summary>
internal static class HostCookies
{
    private const string Prefix = "__Host-";
    private const string Ours = "cavecomm-";

    public static Task Rename(HttpContext http, RequestDelegate next)
    {
        if (http.Request.IsHttps)
        {
            http.Request.Headers.Cookie = Incoming(http.Request.Headers.Cookie.ToString());
            http.Response.OnStarting(() =>
            {
                var cookies = http.Response.Headers.SetCookie;
                if (cookies.Count > 0)
                {
                    http.Response.Headers.SetCookie = cookies.Select(it => it is null ? null : Outgoing(it)).ToArray();
                }

                return Task.CompletedTask;
            });
        }

        return next(http);
    }

    /// <summary>A cookie under the plain name is dropped: over https it did not come from us.</summary>
    private static string Incoming(string header) => string.Join("; ", header.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .Where(it => !it.StartsWith(Ours, StringComparison.Ordinal))
        .Select(it => it.StartsWith(Prefix + Ours, StringComparison.Ordinal) ? it[Prefix.Length..] : it));

    private static string Outgoing(string cookie)
    {
        if (!cookie.StartsWith(Ours, StringComparison.Ordinal) || !SetCookieHeaderValue.TryParse(cookie, out var parsed))
        {
            return cookie;
        }

        parsed.Name = Prefix + parsed.Name;
        parsed.Secure = true;
        parsed.Path = "/";
        parsed.Domain = default;
        return parsed.ToString();
    }
}
