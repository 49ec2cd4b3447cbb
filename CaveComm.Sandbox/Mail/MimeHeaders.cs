using System.Text;
using System.Text.RegularExpressions;

namespace CaveComm.Sandbox.Mail;

/// <summary>The head of a mail or of one of its parts (RFC 5322, with RFC 2047 encoded words and RFC 6532 raw UTF-8).</summary>
internal sealed partial class MimeHeaders
{
    private readonly Dictionary<string, string> fields = new(StringComparer.OrdinalIgnoreCase);

    private MimeHeaders()
    {
    }

    public string? this[string name] => fields.GetValueOrDefault(name);

    /// <summary>Splits a mail or part at its first empty line.</summary>
    public static (MimeHeaders Headers, ReadOnlyMemory<byte> Body) Split(ReadOnlyMemory<byte> content)
    {
        var found = new MimeHeaders();
        string? name = null;
        while (!content.IsEmpty)
        {
            var end = content.Span.IndexOf("\r\n"u8);
            var line = Encoding.UTF8.GetString(end < 0 ? content.Span : content.Span[..end]);
            content = end < 0 ? ReadOnlyMemory<byte>.Empty : content[(end + 2)..];
            if (line.Length == 0)
            {
                break;
            }

            if (line[0] is ' ' or '\t')
            {
                if (name is not null)
                {
                    found.fields[name] += " " + line.TrimStart();
                }
            }
            else if (line.IndexOf(':') is > 0 and var colon)
            {
                name = line[..colon].Trim();
                // Where a field stands twice, the first counts: it is the one that most readers show.
                name = found.fields.TryAdd(name, line[(colon + 1)..].Trim()) ? name : null;
            }
        }

        return (found, content);
    }

    /// <summary>A field's text with its encoded words read.</summary>
    public string Text(string name) => Decode(this[name] ?? "");

    /// <summary>A field such as Content-Type: its value in lower case, and its parameters.</summary>
    public (string Value, IReadOnlyDictionary<string, string> Parameters) Structured(string name)
    {
        var text = this[name] ?? "";
        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (Match match in Parameter().Matches(text))
        {
            var key = match.Groups["name"].Value;
            var value = match.Groups["quoted"].Success
                ? Decode(match.Groups["quoted"].Value.Replace("\\\"", "\"", StringComparison.Ordinal))
                : match.Groups["plain"].Value;
            if (key.EndsWith('*') && value.Split('\'', 3) is [_, _, var percent])
            {
                (key, value) = (key[..^1], Uri.UnescapeDataString(percent)); // RFC 2231: charset'language'percent-encoded.
            }

            parameters[key] = value;
        }

        return (text.Split(';', 2)[0].Trim().ToLowerInvariant(), parameters);
    }

    public static Encoding Charset(string? name) => name?.ToLowerInvariant() switch
    {
        "iso-8859-1" or "latin1" or "windows-1252" => Encoding.Latin1,
        _ => Encoding.UTF8, // ASCII is part of it, and for anything else it is the best guess.
    };

    /// <summary>Reads encoded words. Neighbours of one charset are joined as bytes first: senders cut characters in two.</summary>
    private static string Decode(string text)
    {
        var result = new StringBuilder();
        var pending = new List<byte>();
        string? charset = null;
        var at = 0;
        foreach (Match word in EncodedWord().Matches(text))
        {
            var between = text[at..word.Index];
            var joins = charset is not null && string.IsNullOrWhiteSpace(between);
            if (!joins || !string.Equals(charset, word.Groups["charset"].Value, StringComparison.OrdinalIgnoreCase))
            {
                Flush();
            }

            if (!joins)
            {
                result.Append(between);
            }

            charset = word.Groups["charset"].Value;
            pending.AddRange(Bytes(word.Groups["encoding"].Value, word.Groups["text"].Value));
            at = word.Index + word.Length;
        }

        Flush();
        return result.Append(text[at..]).ToString();

        void Flush()
        {
            result.Append(Charset(charset).GetString([.. pending]));
            pending.Clear();
        }
    }

    private static byte[] Bytes(string encoding, string text) =>
        encoding is "B" or "b"
            ? MimeReader.FromBase64(Encoding.ASCII.GetBytes(text))
            : MimeReader.FromQuotedPrintable(Encoding.UTF8.GetBytes(text.Replace('_', ' ')));

    [GeneratedRegex(@"=\?(?<charset>[^?*\s]+)(\*[^?\s]*)?\?(?<encoding>[BbQq])\?(?<text>[^?\s]*)\?=")]
    private static partial Regex EncodedWord();

    [GeneratedRegex("""; *(?<name>[^=;\s]+)=(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<plain>[^;\s]*))""")]
    private static partial Regex Parameter();
}
