using System.Globalization;
using System.Text;

namespace CaveComm.Api.Papers.Pdf;

/// <summary>One A4 page, drawn from its upper left corner; everything is in points.</summary>
internal sealed class PdfPage
{
    public const double Width = 595.28;
    public const double Height = 841.89;

    private readonly StringBuilder content = new();

    public string Content => content.ToString();

    /// <summary>Places that open an address.</summary>
    public List<(double Left, double Top, double Right, double Bottom, Uri Url)> Links { get; } = [];

    /// <param name="baseline">Where the letters stand.</param>
    /// <param name="text">Encoded by <see cref="PdfText"/>. Written in hexadecimal, so no character of it means anything to a reader.</param>
    public void Text(double left, double baseline, byte[] text, PdfFont font, double size, PdfColour colour)
    {
        if (text.Length > 0)
        {
            content.Append(CultureInfo.InvariantCulture, $"BT {colour.Operands} rg /{font.Resource} {Of(size)} Tf {Of(left)} {Of(Height - baseline)} Td <{Convert.ToHexString(text)}> Tj ET\n");
        }
    }

    public void TextTo(double right, double baseline, byte[] text, PdfFont font, double size, PdfColour colour) =>
        Text(right - font.Width(text, size), baseline, text, font, size, colour);

    public void Box(double left, double top, double width, double height, PdfColour colour) =>
        content.Append(CultureInfo.InvariantCulture, $"{colour.Operands} rg {Of(left)} {Of(Height - top - height)} {Of(width)} {Of(height)} re f\n");

    internal static string Of(double number) => Math.Round(number, 2).ToString("0.##", CultureInfo.InvariantCulture);
}

internal readonly record struct PdfColour(string Operands)
{
    public static PdfColour Ink { get; } = new("0.11 0.11 0.11");

    public static PdfColour Quiet { get; } = new("0.42 0.42 0.4");

    public static PdfColour Accent { get; } = new("0.13 0.34 0.48");

    public static PdfColour Alarm { get; } = new("0.7 0.13 0.13");

    public static PdfColour Shade { get; } = new("0.95 0.95 0.94");

    public static PdfColour Rule { get; } = new("0.8 0.8 0.78");
}
