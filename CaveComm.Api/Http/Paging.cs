using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using CaveComm.Domain;

namespace CaveComm.Api.Http;

/// <summary>One page of a list.</summary>
/// <param name="Next">The cursor to send as <c>?after=</c> for the next page; null at the end.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>What the caller asked for.</summary>
/// <param name="After">The parts of the cursor, as they were given to <see cref="Paging.Cut"/>; empty for the first page.</param>
public sealed record PageRequest(int Limit, IReadOnlyList<string> After)
{
    /// <summary>Rows to ask the database for: one more than shown tells whether there is a next page.</summary>
    public int Rows => Limit + 1;
}

/// <summary>Keyset paging: <c>?limit=</c> and <c>?after=</c>.</summary>
public static class Paging
{
    public const int MostItems = 200;

    /// <summary>Reads <c>?limit=</c> and <c>?after=</c>; what is wrong with them goes to the faults.</summary>
    /// <param name="parts">How many parts this list's cursor has.</param>
    public static PageRequest ReadPage(this HttpContext http, Faults faults, int parts = 1, int standard = 50)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(faults);
        var limit = standard;
        if (http.Request.Query.TryGetValue("limit", out var asked)
            && (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MostItems))
        {
            faults.Add("limit", $"must be a whole number from 1 to {MostItems}.");
            limit = standard;
        }

        IReadOnlyList<string> after = [];
        if (http.Request.Query["after"] is [{ Length: > 0 } cursor, ..])
        {
            if (Decode(cursor) is { } read && read.Length == parts)
            {
                after = read;
            }
            else
            {
                faults.Add("after", "must be the next of an earlier page.");
            }
        }

        return new PageRequest(limit, after);
    }

    /// <summary>Cuts the extra row off and makes the cursor from the last row that is shown.</summary>
    public static Page<T> Cut<T>(this PageRequest page, IReadOnlyList<T> rows, Func<T, string[]> cursor)
    {
        ArgumentNullException.ThrowIfNull(page);
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(cursor);
        return rows.Count <= page.Limit
            ? new Page<T>(rows, null)
            : new Page<T>([.. rows.Take(page.Limit)], Encode(cursor(rows[page.Limit - 1])));
    }

    internal static string Encode(string[] parts) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(parts));

    internal static string[]? Decode(string cursor)
    {
        try
        {
            var parts = Base64Url.IsValid(cursor)
                ? JsonSerializer.Deserialize<string[]>(Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor)))
                : null;
            return parts is not null && Array.TrueForAll(parts, it => it is not null && !it.Contains('\0', StringComparison.Ordinal)) ? parts : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
