using System.Globalization;
using System.Text;

namespace CaveComm.Api.Papers.Pdf;

/// <summary>Brings any text into the characters that the fonts have. Nothing that somebody typed can break a page.</summary>
internal static class PdfText
{
    private const int FirstExtended = 0x100;

    // Latin letters without their marks, U+0100 to U+017F. A table of our own, so that it is the same on machines without ICU.
    private const string ExtendedLatin =
        "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL"
        + "lLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

    private static readonly Encoding Windows1252 = CodePagesEncodingProvider.Instance.GetEncoding(1252, new EncoderReplacementFallback("\0"), DecoderFallback.ReplacementFallback)!;

    /// <summary>One byte for each character that is shown: Windows-1252, accents that it lacks left out, the rest as question marks. No control characters.</summary>
    public static byte[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var shown = new List<byte>(text.Length);
        Span<byte> one = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            {
                // A line break or a tab parts words; what has no look of its own, such as marks that turn the direction, is left out.
                if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.Format)
                {
                    shown.Add((byte)' ');
                }
            }
            else if (Known(rune, one) is { } known)
            {
                shown.Add(known);
            }
            else
            {
                AddPlain(rune, shown);
            }
        }

        return [.. shown];
    }

    /// <summary>Parts a text into lines that fit. A word that is too long for a line is cut.</summary>
    /// <param name="mostLines">When there are more, the last one ends in an ellipsis.</param>
    public static IReadOnlyList<byte[]> Wrap(string text, PdfFont font, double size, double width, int mostLines = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(font);
        var lines = new List<byte[]>();
        foreach (var paragraph in text.ReplaceLineEndings("\n").Split('\n'))
        {
            WrapParagraph(Encode(paragraph), font, size, width, lines);
        }

        if (lines.Count <= mostLines)
        {
            return lines;
        }

        const byte Ellipsis = 0x85;
        byte[] last = [.. lines[mostLines - 1], Ellipsis];
        while (last.Length > 1 && font.Width(last, size) > width)
        {
            last = [.. last[..^2], Ellipsis];
        }

        return [.. lines.Take(mostLines - 1), last];
    }

    private static void WrapParagraph(byte[] text, PdfFont font, double size, double width, List<byte[]> lines)
    {
        var start = 0;
        do
        {
            var (end, lastSpace, sum) = (start, -1, 0.0);
            while (end < text.Length && (sum += font.Width([text[end]], size)) <= width)
            {
                lastSpace = text[end] == ' ' ? end : lastSpace;
                end++;
            }

            // At least one character, or a column that is too narrow would never end.
            var cut = end == text.Length ? end : lastSpace > start ? lastSpace : Math.Max(end, start + 1);
            lines.Add(text[start..cut]);
            start = cut < text.Length && text[cut] == ' ' ? cut + 1 : cut;
        }
        while (start < text.Length);
    }

    private static byte? Known(Rune rune, Span<byte> one)
    {
        Span<char> chars = stackalloc char[2];
        var length = Windows1252.GetBytes(chars[..rune.EncodeToUtf16(chars)], one);
        return length == 1 && one[0] >= 32 && one[0] != 127 ? one[0] : null;
    }

    private static void AddPlain(Rune rune, List<byte> shown)
    {
        if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark)
        {
            return;
        }

        shown.AddRange(rune.Value switch
        {
            >= FirstExtended and < FirstExtended + 128 => [(byte)ExtendedLatin[rune.Value - FirstExtended]],
            0x218 => "S"u8,
            0x219 => "s"u8,
            0x21A => "T"u8,
            0x21B => "t"u8,
            0x1E9E => "SS"u8,
            0x2010 or 0x2011 or 0x2012 or 0x2212 => "-"u8,
            0x20BF => "BTC"u8,
            _ => "?"u8,
        });
    }
}
