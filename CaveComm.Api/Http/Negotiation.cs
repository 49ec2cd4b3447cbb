using Microsoft.Net.Http.Headers;

namespace CaveComm.Api.Http;

/// <summary>One address, two faces: a page for a browser, JSON for a program.</summary>
public static class Negotiation
{
    private const string JsonType = "application/json";
    private const string HtmlType = "text/html";

    /// <summary>Whether the caller would rather have a page. <c>*/*</c>, nothing, or what nobody can read gets JSON: there is no 406.</summary>
    public static bool WantsHtml(this HttpContext http) => http.BestOf(JsonType, HtmlType) == HtmlType;

    /// <summary>The offer that the Accept header ranks highest; the first offer when it does not say. Adds <c>Vary: Accept</c>.</summary>
    public static string BestOf(this HttpContext http, params ReadOnlySpan<string> offers)
    {
        ArgumentNullException.ThrowIfNull(http);
        VaryByAccept(http);
        if (!MediaTypeHeaderValue.TryParseList(http.Request.Headers.Accept, out var accepted))
        {
            return offers[0];
        }

        var best = offers[0];
        var bestRank = default(Rank);
        foreach (var offer in offers)
        {
            var rank = RankOf(offer, accepted);
            if (rank.CompareTo(bestRank) > 0)
            {
                (best, bestRank) = (offer, rank);
            }
        }

        return best;
    }

    /// <summary>The same facts as JSON or as a page.</summary>
    public static IResult Negotiate<T>(this HttpContext http, T model, Func<T, IResult> page, int status = StatusCodes.Status200OK)
    {
        ArgumentNullException.ThrowIfNull(page);
        return http.WantsHtml() ? page(model) : TypedResults.Json(model, Json.Options, statusCode: status);
    }

    /// <summary>The answer to something done: a form goes on to a page (303 See Other), a program gets the result.</summary>
    /// <param name="location">A path of this server.</param>
    public static IResult Done(this HttpContext http, string location, IResult result) =>
        http.AnswersForm() ? new SeeOther(location) : result;

    /// <summary>
    /// Whether this POST came from a form in a browser. A program may post a form too: with an upload it gets JSON unless it asks for
    /// a page, and with fields alone it gets the browser's answer unless it asks for JSON.
    /// </summary>
    public static bool AnswersForm(this HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        return http.Request.HasFormContentType
            && (IsMultipart(http.Request) ? http.WantsHtml() : http.BestOf(HtmlType, JsonType) == HtmlType);
    }

    internal static bool IsMultipart(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase);

    private static void VaryByAccept(HttpContext http)
    {
        var headers = http.Response.Headers;
        if (!http.Response.HasStarted && !headers.Vary.Any(it => it?.Contains(HeaderNames.Accept, StringComparison.OrdinalIgnoreCase) == true))
        {
            headers.Append(HeaderNames.Vary, HeaderNames.Accept);
        }
    }

    /// <summary>The most specific range that covers the offer decides its quality (RFC 9110 §12.5.1); between equals, the one named earlier.</summary>
    private static Rank RankOf(string offer, IList<MediaTypeHeaderValue> accepted)
    {
        var offered = new MediaTypeHeaderValue(offer);
        var (best, specificity) = (default(Rank), -1);
        for (var index = 0; index < accepted.Count; index++)
        {
            var range = accepted[index];
            var covers = offered.IsSubsetOf(new MediaTypeHeaderValue(range.MediaType))
                || (offer == JsonType && range.MediaType.Equals("application/problem+json", StringComparison.OrdinalIgnoreCase));
            var depth = range.MatchesAllTypes ? 0 : range.MatchesAllSubTypes ? 1 : 2;
            if (covers && depth > specificity)
            {
                specificity = depth;
                best = new Rank(range.Quality ?? 1, depth, -index);
            }
        }

        return best.Quality > 0 ? best : default;
    }

    private readonly record struct Rank(double Quality, int Depth, int Earliness) : IComparable<Rank>
    {
        public int CompareTo(Rank other) => Quality != other.Quality ? Quality.CompareTo(other.Quality)
            : Depth == 0 && other.Depth == 0 ? 0 // Both by */*: the server's first offer stays.
            : Depth != other.Depth ? Depth.CompareTo(other.Depth)
            : Earliness.CompareTo(other.Earliness);
    }
}

/// <summary>303: the thing was done; look at it there.</summary>
public sealed class SeeOther(string location) : IResult, IStatusCodeHttpResult
{
    public string Location { get; } = location;

    public int? StatusCode => StatusCodes.Status303SeeOther;

    public Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Response.Headers.Location = Location;
        return Task.CompletedTask;
    }
}
