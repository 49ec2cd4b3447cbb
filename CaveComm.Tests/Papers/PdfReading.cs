using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Shouldly;

namespace CaveComm.Tests.Papers;

/// <summary>Reads a PDF back by its own table of objects, as a strict reader would: each offset has to be right.</summary>
internal sealed partial class PdfReading
{
    static PdfReading() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    private PdfReading(IReadOnlyList<string> objects) => Objects = objects;

    /// <summary>Their source, the first object's first; streams unpacked.</summary>
    public IReadOnlyList<string> Objects { get; }

    public int PageCount => Objects.Count(it => it.Contains("/Type /Page ", StringComparison.Ordinal));

    public string Title => Encoding.BigEndianUnicode.GetString(Convert.FromHexString(TitleText().Match(Objects[2]).Groups[1].Value));

    /// <summary>All that is shown, in the order of drawing, a space between the pieces.</summary>
    public string Text => string.Join(' ', Objects.SelectMany(it => Shown().Matches(it)).Select(it => Encoding.GetEncoding(1252).GetString(Convert.FromHexString(it.Groups[1].Value))));

    /// <summary>The addresses that the pages open.</summary>
    public IReadOnlyList<string> Links => [.. Objects.SelectMany(it => Address().Matches(it)).Select(it => Encoding.ASCII.GetString(Convert.FromHexString(it.Groups[1].Value)))];

    public static PdfReading Of(byte[] file)
    {
        var source = Encoding.Latin1.GetString(file);
        source.ShouldStartWith("%PDF-1.7\n");
        source.ShouldEndWith("%%EOF\n");
        var table = int.Parse(Start().Match(source).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        var lines = source[table..].Split('\n');
        lines[0].ShouldBe("xref");
        var count = int.Parse(lines[1].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        var objects = new List<string>();
        for (var number = 1; number < count; number++)
        {
            var offset = int.Parse(lines[2 + number][..10], System.Globalization.CultureInfo.InvariantCulture);
            var head = $"{number} 0 obj\n";
            source[offset..].ShouldStartWith(head);
            objects.Add(Body(source, offset + head.Length));
        }

        return new PdfReading(objects);
    }

    private static string Body(string source, int start)
    {
        var end = source.IndexOf("\nendobj\n", start, StringComparison.Ordinal);
        if (Length().Match(source[start..Math.Min(source.Length, start + 80)]) is not { Success: true } length)
        {
            return source[start..end];
        }

        var content = source.IndexOf("stream\n", start, StringComparison.Ordinal) + "stream\n".Length;
        var packed = Encoding.Latin1.GetBytes(source.Substring(content, int.Parse(length.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)));
        using var unpacked = new StreamReader(new ZLibStream(new MemoryStream(packed), CompressionMode.Decompress));
        return unpacked.ReadToEnd();
    }

    [GeneratedRegex(@"startxref\n(\d+)\n")]
    private static partial Regex Start();

    [GeneratedRegex(@"^<< /Length (\d+) /Filter")]
    private static partial Regex Length();

    [GeneratedRegex("/Title <FEFF([0-9A-F]*)>")]
    private static partial Regex TitleText();

    [GeneratedRegex("<([0-9A-F]+)> Tj")]
    private static partial Regex Shown();

    [GeneratedRegex("/URI <([0-9A-F]+)>")]
    private static partial Regex Address();
}
