using System.Buffers;
using System.Globalization;
using System.Text;

namespace CaveComm.Sandbox.Mail;

/// <summary>What a person sees of a mail.</summary>
/// <param name="Text">Empty when the mail has none.</param>
/// <param name="Attachments">Only named: what hangs on a mail is not kept.</param>
internal sealed record MimeMail(MimeHeaders Headers, string Text, string? Html, IReadOnlyList<MimeAttachment> Attachments);

internal sealed record MimeAttachment(string Name, string MediaType, int Size);

/// <summary>Reads MIME as mail programs write it: alternative, mixed and related parts, base64 and quoted-printable.</summary>
internal static class MimeReader
{
    private const int DeepestPart = 8;

    public static MimeMail Read(ReadOnlyMemory<byte> content)
    {
        var (headers, body) = MimeHeaders.Split(content);
        var found = new Found();
        Collect(headers, body, found, 0);
        return new MimeMail(headers, found.Text ?? "", found.Html, found.Attachments);
    }

    internal static byte[] FromBase64(ReadOnlySpan<byte> text)
    {
        // Whatever is no letter of the alphabet is skipped (RFC 2045, 6.8), and missing padding is forgiven.
        var letters = new List<byte>(text.Length);
        foreach (var octet in text)
        {
            if (char.IsAsciiLetterOrDigit((char)octet) || octet is (byte)'+' or (byte)'/')
            {
                letters.Add(octet);
            }
        }

        if (letters.Count % 4 == 1)
        {
            letters.RemoveAt(letters.Count - 1);
        }

        while (letters.Count % 4 != 0)
        {
            letters.Add((byte)'=');
        }

        var bytes = new byte[letters.Count / 4 * 3];
        return System.Buffers.Text.Base64.DecodeFromUtf8([.. letters], bytes, out _, out var written) == OperationStatus.Done ? bytes[..written] : [];
    }

    internal static byte[] FromQuotedPrintable(ReadOnlySpan<byte> text)
    {
        using var bytes = new MemoryStream(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '=')
            {
                bytes.WriteByte(text[at]);
            }
            else if (at + 2 < text.Length && byte.TryParse(text.Slice(at + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
            {
                bytes.WriteByte(octet);
                at += 2;
            }
            else if (SoftBreak(text[(at + 1)..]) is > 0 and var length)
            {
                at += length;
            }
            else
            {
                bytes.WriteByte((byte)'=');
            }
        }

        return bytes.ToArray();
    }

    /// <returns>How much of the text after the equals sign is the break of a line that goes on.</returns>
    private static int SoftBreak(ReadOnlySpan<byte> text)
    {
        var blanks = text.IndexOfAnyExcept((byte)' ', (byte)'\t');
        return blanks < 0 ? text.Length
            : text[blanks..].StartsWith("\r\n"u8) ? blanks + 2
            : text[blanks] == '\n' ? blanks + 1
            : 0;
    }

    private static void Collect(MimeHeaders headers, ReadOnlyMemory<byte> body, Found found, int depth)
    {
        var (mediaType, parameters) = headers.Structured("Content-Type");
        if (mediaType.StartsWith("multipart/", StringComparison.Ordinal) && parameters.TryGetValue("boundary", out var boundary) && depth < DeepestPart)
        {
            foreach (var part in Parts(body, boundary))
            {
                var (partHeaders, partBody) = MimeHeaders.Split(part);
                Collect(partHeaders, partBody, found, depth + 1);
            }

            return;
        }

        var bytes = headers["Content-Transfer-Encoding"]?.Trim().ToLowerInvariant() switch
        {
            "base64" => FromBase64(body.Span),
            "quoted-printable" => FromQuotedPrintable(body.Span),
            _ => body.ToArray(),
        };
        var (disposition, about) = headers.Structured("Content-Disposition");
        var attached = disposition == "attachment" || (mediaType.Length > 0 && !mediaType.StartsWith("text/", StringComparison.Ordinal));
        if (!attached && mediaType == "text/html" && found.Html is null)
        {
            found.Html = Said();
        }
        else if (!attached && mediaType is "" or "text/plain" && found.Text is null)
        {
            found.Text = Said();
        }
        else
        {
            var name = about.GetValueOrDefault("filename") ?? parameters.GetValueOrDefault("name") ?? "unnamed";
            found.Attachments.Add(new MimeAttachment(name, mediaType.Length == 0 ? "text/plain" : mediaType, bytes.Length));
        }

        // The last line break is the transport's, not the writer's.
        string Said()
        {
            var text = MimeHeaders.Charset(parameters.GetValueOrDefault("charset")).GetString(bytes).ReplaceLineEndings("\n");
            return text.EndsWith('\n') ? text[..^1] : text;
        }
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Parts(ReadOnlyMemory<byte> body, string boundary)
    {
        var delimiter = Encoding.UTF8.GetBytes("--" + boundary);
        int? start = null;
        for (var line = 0; line < body.Length;)
        {
            var length = body.Span[line..].IndexOf("\r\n"u8);
            var next = length < 0 ? body.Length : line + length + 2;
            if (IsBoundary(body.Span[line..], delimiter))
            {
                if (start is { } from)
                {
                    yield return body[from..Math.Max(from, line - 2)]; // The CRLF before a boundary belongs to the boundary.
                }

                start = next;
                if (body.Span[(line + delimiter.Length)..].StartsWith("--"u8))
                {
                    yield break;
                }
            }

            line = next;
        }

        if (start is { } rest)
        {
            yield return body[rest..];
        }
    }

    /// <summary>A longer word that only begins with ours is the boundary of somebody else.</summary>
    private static bool IsBoundary(ReadOnlySpan<byte> line, ReadOnlySpan<byte> delimiter) =>
        line.StartsWith(delimiter)
        && (line.Length == delimiter.Length
            || line[delimiter.Length] is (byte)' ' or (byte)'\t' or (byte)'\r'
            || line[delimiter.Length..].StartsWith("--"u8));

    private sealed class Found
    {
        public string? Text { get; set; }

        public string? Html { get; set; }

        public List<MimeAttachment> Attachments { get; } = [];
    }
}
