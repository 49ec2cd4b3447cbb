using System.Globalization;
using System.Text.Json;

namespace CaveComm.Providers.Http;

/// <summary>Reads what providers send without trusting its shape: whatever is missing, null or of another kind reads as null.</summary>
internal static class JsonReading
{
    // Those of the providers have some thirty characters.
    private const int LongestId = 200;

    private static readonly System.Buffers.SearchValues<char> IdCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:~");

    /// <returns>Null when the bytes are not exactly one JSON value.</returns>
    public static JsonElement? Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var reader = new Utf8JsonReader(bytes);
            var value = JsonElement.ParseValue(ref reader);
            return reader.Read() ? null : value;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <returns>An undefined element when there is nothing at the end of the path.</returns>
    public static JsonElement At(this JsonElement element, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
            {
                return default;
            }
        }

        return element;
    }

    public static string? Text(this JsonElement element, params ReadOnlySpan<string> path)
    {
        var found = element.At(path);
        try
        {
            return found.ValueKind switch
            {
                JsonValueKind.String => found.GetString(),
                JsonValueKind.Number => found.GetRawText(),
                _ => null,
            };
        }
        catch (InvalidOperationException)
        {
            return null; // A string with half a surrogate pair, which JSON allows and .NET does not.
        }
    }

    /// <summary>The id of something that is given as an id, or expanded to the object itself.</summary>
    public static string? Id(this JsonElement element, params ReadOnlySpan<string> path)
    {
        var found = element.At(path);
        return found.ValueKind == JsonValueKind.Object ? found.Text("id") : found.Text();
    }

    /// <summary>Ids from outside become stream keys and parts of addresses, and stand in the log: only what looks like one is taken for one.</summary>
    /// <returns>Null for everything else.</returns>
    public static string? AsId(this string? text) =>
        text is { Length: > 0 and <= LongestId } && text.AsSpan().IndexOfAnyExcept(IdCharacters) < 0 && text.AsSpan().ContainsAnyExcept('.') ? text : null;

    public static long? Whole(this JsonElement element, params ReadOnlySpan<string> path) =>
        long.TryParse(element.Text(path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    public static decimal? Number(this JsonElement element, params ReadOnlySpan<string> path) =>
        decimal.TryParse(element.Text(path), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>A time in Unix seconds.</summary>
    public static DateTimeOffset? Time(this JsonElement element, params ReadOnlySpan<string> path) =>
        element.Whole(path) is { } seconds and >= 0 and < 253_402_300_800 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    public static bool IsTrue(this JsonElement element, params ReadOnlySpan<string> path) => element.At(path).ValueKind == JsonValueKind.True;

    public static IEnumerable<JsonElement> Items(this JsonElement element, params ReadOnlySpan<string> path)
    {
        var found = element.At(path);
        return found.ValueKind == JsonValueKind.Array ? found.EnumerateArray() : [];
    }
}
