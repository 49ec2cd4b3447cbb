using System.Globalization;
using System.Text.RegularExpressions;
using CaveComm.Domain;

namespace CaveComm.Api.Audit;

/// <summary>Reads what an auditor asks for; what is wrong with it goes to the faults, under its own name.</summary>
internal static partial class AuditQuery
{
    public static EventFilter ReadFilter(HttpContext http, Faults faults)
    {
        var filter = new EventFilter(
            Whole(http, "after", 0, faults) ?? 0, Text(http, "type", faults), Text(http, "stream", faults), Instant(http, "from", faults), Instant(http, "to", faults));
        faults.Require(!(filter.From > filter.To), "to", "must not be before from.");
        return filter;
    }

    /// <returns>Null when it was not asked, or wrongly.</returns>
    public static long? Whole(HttpContext http, string name, long least, Faults faults)
    {
        if (Text(http, name, faults) is not { } text)
        {
            return null;
        }

        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least)
        {
            return number;
        }

        faults.Add(name, $"must be a whole number from {least} on.");
        return null;
    }

    /// <inheritdoc cref="Whole"/>
    public static DateTimeOffset? Instant(HttpContext http, string name, Faults faults)
    {
        if (Text(http, name, faults) is not { } text)
        {
            return null;
        }

        if (ParseInstant(text) is { } instant)
        {
            return instant;
        }

        faults.Add(name, "must be a time such as 2026-03-01T12:00:00Z.");
        return null;
    }

    /// <summary>A time as RFC 3339 writes it; without an offset it is UTC, and a day alone is its beginning.</summary>
    public static DateTimeOffset? ParseInstant(string text)
    {
        // A plus that nobody escaped arrives as a space.
        var given = text.Trim().Replace(' ', '+');
        return BeginsWithDate().IsMatch(given)
            && DateTimeOffset.TryParse(given, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)
            ? instant
            : null;
    }

    /// <summary>One value, and one that PostgreSQL can hold; an empty one counts as none, since forms send those.</summary>
    public static string? Text(HttpContext http, string name, Faults faults)
    {
        var given = http.Request.Query[name];
        if (given.Count > 1)
        {
            faults.Add(name, "must be given once.");
        }

        if (given is not [{ Length: > 0 } text])
        {
            return null;
        }

        faults.LimitText(name, text, 1_000);
        return text;
    }

    [GeneratedRegex(@"\A\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|z|[+-]\d{2}:?\d{2})?)?\z")]
    private static partial Regex BeginsWithDate();
}
