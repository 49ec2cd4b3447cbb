using Microsoft.Net.Http.Headers;

namespace CaveComm.Api.Http;

/// <summary>HEAD is a GET whose body is not sent, and OPTIONS tells the methods, for every endpoint, so that none has to map them.</summary>
internal static class MethodRules
{
    private static readonly object HeadKey = new();

    /// <summary>Stands before routing: finds the GET endpoint for a HEAD, and completes Allow afterwards.</summary>
    public static async Task BeforeRouting(HttpContext http, RequestDelegate next)
    {
        var request = http.Request;
        if (HttpMethods.IsHead(request.Method))
        {
            http.Items[HeadKey] = true;
            request.Method = HttpMethods.Get;
        }

        await next(http);
        if (http.Response.StatusCode == StatusCodes.Status405MethodNotAllowed && !http.Response.HasStarted)
        {
            CompleteAllow(http.Response);
            if (HttpMethods.IsOptions(request.Method))
            {
                http.Response.StatusCode = StatusCodes.Status204NoContent;
            }
        }
    }

    /// <summary>Stands behind routing: endpoints see HEAD again (a file result then opens no file), and the server drops what they write.</summary>
    public static Task AfterRouting(HttpContext http, RequestDelegate next)
    {
        if (http.Items.Remove(HeadKey))
        {
            http.Request.Method = HttpMethods.Head;
        }

        return next(http);
    }

    private static void CompleteAllow(HttpResponse response)
    {
        var allowed = response.Headers.GetCommaSeparatedValues(HeaderNames.Allow).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (allowed.Contains(HttpMethods.Get))
        {
            allowed.Add(HttpMethods.Head);
        }

        allowed.Add(HttpMethods.Options);
        response.Headers.Allow = string.Join(", ", allowed.Order(StringComparer.Ordinal));
    }
}
