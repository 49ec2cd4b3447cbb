using QRCoder;

namespace CaveComm.Api.Papers.Pdf;

/// <summary>Draws a text as a QR code: black boxes, sharp at any size.</summary>
internal static class QrCode
{
    /// <summary>The longest text that still gives a code which a telephone reads off paper.</summary>
    public const int MostCharacters = 600;

    public static void Draw(PdfPage page, string text, double left, double top, double size)
    {
        ArgumentNullException.ThrowIfNull(page);
        using var data = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        var rows = data.ModuleMatrix;
        var module = size / rows.Count;
        for (var row = 0; row < rows.Count; row++)
        {
            // One box for each run of black: boxes side by side can show hairlines between them.
            for (var column = 0; column < rows.Count; column++)
            {
                var start = column;
                while (column < rows.Count && rows[row][column])
                {
                    column++;
                }

                if (column > start)
                {
                    page.Box(left + (start * module), top + (row * module), (column - start) * module, module, new PdfColour("0 0 0"));
                }
            }
        }
    }
}
