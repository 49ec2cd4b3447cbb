using System.Text;
using Microsoft.AspNetCore.Components;
using QRCoder;

namespace CaveComm.Api.OwnAccount;

/// <summary>A QR code as an inline drawing: dark on light whatever the page's colours are, or no camera reads it.</summary>
internal static class QrImage
{
    /// <param name="label">For who cannot see it.</param>
    public static MarkupString Of(string text, string label)
    {
        using var data = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        var rows = data.ModuleMatrix;
        var path = new StringBuilder();
        for (var row = 0; row < rows.Count; row++)
        {
            for (var column = 0; column < rows.Count; column++)
            {
                if (rows[row][column])
                {
                    path.Append('M').Append(column).Append(' ').Append(row).Append("h1v1h-1z");
                }
            }
        }

        var size = rows.Count; // With the light border that cameras need.
        return new MarkupString(
            $"""<svg class="qr" role="img" aria-label="{System.Net.WebUtility.HtmlEncode(label)}" viewBox="0 0 {size} {size}" shape-rendering="crispEdges"><rect width="{size}" height="{size}" fill="#ffffff"/><path d="{path}" fill="#000000"/></svg>""");
    }
}
