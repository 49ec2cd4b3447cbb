using System.Globalization;

namespace CaveComm.Api.Http;

/// <summary>Read your writes: a write tells its place in the log, and a read that sends it back waits until its view has got there.</summary>
public static class Position
{
    public const string Header = "CaveComm-Position";
    public const string StaleHeader = "CaveComm-Stale";

    /// <summary>How long a read may wait for its view.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    internal const string Cookie = "cavecomm-position";

    /// <summary>Says where the write went (the last event's <c>seq_id</c>). A browser keeps it for half a minute, so pages wait by themselves.</summary>
    public static void AnswerPosition(this HttpContext http, long position)
    {
        ArgumentNullException.ThrowIfNull(http);
        var text = position.ToString(CultureInfo.InvariantCulture);
        http.Response.Headers[Header] = text;
        if (http.WantsHtml() || http.AnswersForm())
        {
            http.Response.Cookies.Append(Cookie, text, new CookieOptions
            {
                HttpOnly = true,
                SameSite = SameSiteMode.Lax,
                Path = "/",
                MaxAge = TimeSpan.FromSeconds(30),
                IsEssential = true,
            });
        }
    }

    /// <summary>The position that the reader has seen, from the header or, for pages, from the cookie; null when it does not say.</summary>
    public static long? AskedPosition(this HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        var asked = http.Request.Headers[Header] is [{ } header, ..] ? header
            : http.WantsHtml() ? http.Request.Cookies[Cookie]
            : null;
        return long.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? position : null;
    }

    /// <summary>Tells that the view had not got there in time.</summary>
    public static void AnswerStale(this HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        http.Response.Headers[StaleHeader] = "true";
    }
}
