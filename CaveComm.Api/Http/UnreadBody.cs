using Microsoft.AspNetCore.Http.Features;

namespace CaveComm.Api.Http;

/// <summary>
/// A request that is refused before its body was read still has to be heard out for a moment: a connection closed on bytes in flight is
/// reset, and the client never sees why. The server drains for five seconds at most, but only what the size limit allows, so the limit,
/// which has done its work by then, is lifted.
/// </summary>
internal static class UnreadBody
{
    public static async Task Drain(HttpContext http, RequestDelegate next)
    {
        await next(http);
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }
    }
}
