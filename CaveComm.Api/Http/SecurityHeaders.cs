using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace CaveComm.Api.Http;

/// <summary>Headers that every answer carries unless its endpoint said otherwise.</summary>
internal static class SecurityHeaders
{
    /// <summary>Pages load our own style sheet and images, and nothing else; no script runs at all.</summary>
    public const string ContentPolicy =
        "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public static Task Add(HttpContext http, RequestDelegate next)
    {
        http.Response.OnStarting(() =>
        {
            var headers = http.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            Default(headers, HeaderNames.ContentSecurityPolicy, ContentPolicy);
            Default(headers, HeaderNames.XFrameOptions, "DENY");
            // Status links carry their secret in the address: it must not travel to a payment page.
            Default(headers, "Referrer-Policy", "same-origin");
            Default(headers, "Cross-Origin-Opener-Policy", "same-origin");
            // What may be kept says so itself; all else can hold somebody's own things.
            Default(headers, HeaderNames.CacheControl, "no-store");
            if (http.Request.IsHttps)
            {
                Default(headers, HeaderNames.StrictTransportSecurity, "max-age=31536000");
            }

            return Task.CompletedTask;
        });
        return next(http);
    }

    private static void Default(IHeaderDictionary headers, string name, string value)
    {
        if (StringValues.IsNullOrEmpty(headers[name]))
        {
            headers[name] = value;
        }
    }
}
