using System.Globalization;
using CaveComm.Domain;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Http;

/// <summary>Turns refusals into problem documents (RFC 9457). <see cref="ProblemWriter"/> shows them as JSON or as a page.</summary>
public static class Problems
{
    /// <summary>The answer to a command that the domain refused.</summary>
    public static ProblemHttpResult ToProblem(this Refusal refusal)
    {
        ArgumentNullException.ThrowIfNull(refusal);
        var status = refusal.Kind switch // No default arm: a new kind fails the build here (CS8509).
        {
            RefusalKind.Missing => StatusCodes.Status404NotFound,
            RefusalKind.Forbidden => StatusCodes.Status403Forbidden,
            RefusalKind.Conflict => StatusCodes.Status409Conflict,
            RefusalKind.Invalid => StatusCodes.Status422UnprocessableEntity,
        };
        return Make(refusal.Code, ProblemTypes.Find(refusal.Code)?.Title, status, refusal.Detail, refusal.Fields);
    }

    /// <summary>A problem of the table in <see cref="ProblemTypes"/>, with that table's status and title.</summary>
    public static ProblemHttpResult Of(string code, string detail, IReadOnlyDictionary<string, string[]>? fields = null)
    {
        var type = ProblemTypes.Find(code) ?? throw new ArgumentException($"'{code}' is not in the table of problems.", nameof(code));
        return Make(type.Code, type.Title, type.Status, detail, fields);
    }

    public static ProblemHttpResult Malformed(string detail) => Of("malformed", detail);

    public static ProblemHttpResult TooLarge(long limit) => Of("too-large", $"At most {Size(limit)} are taken here.");

    /// <summary>404: there is no such thing, or it belongs to somebody else; the caller cannot tell which.</summary>
    public static ProblemHttpResult Missing() => Of("not-found", "There is nothing at this address, or it is not yours.");

    /// <summary>409: another writer was first.</summary>
    public static ProblemHttpResult LostRace() => Of("lost-race", "Somebody else changed this at the same moment. Load it again and decide anew.");

    /// <summary>503 with Retry-After.</summary>
    public static ProblemHttpResult Unavailable(HttpContext http, string detail, TimeSpan? retryAfter = null)
    {
        SetRetryAfter(http, retryAfter ?? TimeSpan.FromSeconds(5));
        return Of("unavailable", detail);
    }

    /// <summary>429 with Retry-After.</summary>
    public static ProblemHttpResult TooMany(HttpContext http, string detail, TimeSpan retryAfter)
    {
        SetRetryAfter(http, retryAfter);
        return Of("too-many-requests", detail);
    }

    internal static ProblemHttpResult Make(
        string code, string? title, int status, string detail, IReadOnlyDictionary<string, string[]>? fields = null) =>
        TypedResults.Problem(
            detail: detail,
            statusCode: status,
            title: title ?? ProblemTypes.ForStatus(status).Title,
            type: $"/problems/{code}",
            extensions: fields is { Count: > 0 } ? [KeyValuePair.Create("errors", (object?)fields)] : null);

    private static void SetRetryAfter(HttpContext http, TimeSpan pause) =>
        http.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(pause.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    private static string Size(long bytes) => bytes switch
    {
        >= 1L << 30 => $"{bytes >> 30} GiB",
        >= 1L << 20 => $"{bytes >> 20} MiB",
        _ => $"{bytes >> 10} KiB",
    };
}
