using System.Text;

namespace CaveComm.EventStore;

/// <summary>What PostgreSQL takes as a text, and .NET does not promise: no NUL, no half of a surrogate pair.</summary>
internal static class StorableText
{
    // An index holds 2,704 bytes, and a parked key stands in one beside its shard's name.
    private const int LongestKey = 2000;

    /// <summary>A text for people, with what cannot be stored replaced.</summary>
    public static string Of(string text) =>
        IsStorable(text) ? text : string.Concat(text.EnumerateRunes().Select(it => it.Value == 0 ? Rune.ReplacementChar : it));

    /// <exception cref="InvalidOperationException">It cannot name a row.</exception>
    public static void CheckKey(string key)
    {
        if (!IsStorable(key))
            throw new InvalidOperationException($"The key '{Of(key)}' holds a letter that cannot be stored.");
        if (key.Length > LongestKey / 3 && Encoding.UTF8.GetByteCount(key) > LongestKey)
            throw new InvalidOperationException($"The key '{key[..20]}…' has more than {LongestKey} bytes.");
    }

    public static bool IsWhole(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return true;
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                return false;
            i++;
        }

        return true;
    }

    private static bool IsStorable(string text) => !text.Contains('\0') && IsWhole(text);
}
