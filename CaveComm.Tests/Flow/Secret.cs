using System.Buffers.Text;
using System.Text;

namespace CaveComm.Tests.Flow;

/// <summary>Something that only its owner may know.</summary>
/// <param name="MayBeIn">Where it belongs all the same: a link stands in its mail, and in the form behind it.</param>
internal sealed record Secret(string Name, string Value, params string[] MayBeIn)
{
    public const int Shortest = 8;

    /// <summary>All that it could look like: as it is, escaped, in hex, and in Base64 whatever stands before it; and its bytes, where it is written bytes itself.</summary>
    public IReadOnlyList<string> Looks => [.. Written(Encoding.UTF8.GetBytes(Value)).Append(Value).Append(Uri.EscapeDataString(Value)).Concat(Decoded() is { } bytes ? Written(bytes) : []).Distinct()];

    private byte[]? Decoded() => Value.Length >= 32 && Base64Url.IsValid(Value) ? Base64Url.DecodeFromChars(Value) : null;

    private static IEnumerable<string> Written(byte[] bytes)
    {
        yield return Convert.ToHexStringLower(bytes);
        yield return Convert.ToHexString(bytes);
        for (var before = 0; before < 3; before++)
        {
            // The characters that depend on these bytes alone.
            var (first, end) = ((before * 8 + 5) / 6, (before + bytes.Length) * 8 / 6);
            var text = Convert.ToBase64String([.. new byte[before], .. bytes])[first..end];
            yield return text;
            yield return text.Replace('+', '-').Replace('/', '_');
        }
    }
}
