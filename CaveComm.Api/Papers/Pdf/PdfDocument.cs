using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace CaveComm.Api.Papers.Pdf;

/// <summary>A PDF 1.7 file of text, boxes and links. The same content gives the same bytes: its times and its id come from it alone.</summary>
internal sealed class PdfDocument(string title, string author, DateTimeOffset at)
{
    private readonly List<PdfPage> pages = [];

    public IReadOnlyList<PdfPage> Pages => pages;

    public PdfPage AddPage()
    {
        var page = new PdfPage();
        pages.Add(page);
        return page;
    }

    public byte[] Save()
    {
        using var file = new MemoryStream();
        var offsets = new List<long>();
        Write(file, "%PDF-1.7\n%\u00E2\u00E3\u00CF\u00D3\n");

        // 1 catalogue, 2 pages, 3 information, 4 and 5 fonts; then each page with its content.
        Object("<< /Type /Catalog /Pages 2 0 R /Lang (en) /ViewerPreferences << /DisplayDocTitle true >> >>");
        Object($"<< /Type /Pages /Count {pages.Count} /Kids [{string.Join(' ', pages.Select((_, n) => $"{6 + (2 * n)} 0 R"))}] >>");
        Object($"<< /Title {TextString(title)} /Author {TextString(author)} /Producer (CaveComm) /CreationDate {Date(at)} /ModDate {Date(at)} >>");
        Object(Font(PdfFont.Regular));
        Object(Font(PdfFont.Bold));
        foreach (var (page, number) in pages.Select((page, n) => (page, 6 + (2 * n))))
        {
            Object(
                $"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {PdfPage.Of(PdfPage.Width)} {PdfPage.Of(PdfPage.Height)}] /Resources << /Font << /F1 4 0 R /F2 5 0 R >> >> "
                + $"/Contents {number + 1} 0 R{Annotations(page)} >>");
            Stream(Compressed(page.Content));
        }

        var id = Convert.ToHexString(SHA256.HashData(file.GetBuffer().AsSpan(0, (int)file.Length)).AsSpan(0, 16));
        var table = file.Length;
        Write(file, $"xref\n0 {offsets.Count + 1}\n0000000000 65535 f \n");
        offsets.ForEach(offset => Write(file, $"{offset:0000000000} 00000 n \n"));
        Write(file, $"trailer\n<< /Size {offsets.Count + 1} /Root 1 0 R /Info 3 0 R /ID [<{id}> <{id}>] >>\nstartxref\n{table}\n%%EOF\n");
        return file.ToArray();

        void Object(string body)
        {
            offsets.Add(file.Length);
            Write(file, $"{offsets.Count} 0 obj\n{body}\nendobj\n");
        }

        void Stream(byte[] content)
        {
            offsets.Add(file.Length);
            Write(file, $"{offsets.Count} 0 obj\n<< /Length {content.Length} /Filter /FlateDecode >>\nstream\n");
            file.Write(content);
            Write(file, "\nendstream\nendobj\n");
        }
    }

    private static string Font(PdfFont font) =>
        $"<< /Type /Font /Subtype /Type1 /BaseFont /{font.Name} /Encoding /WinAnsiEncoding /FirstChar 32 /LastChar 255 /Widths [{string.Join(' ', font.Widths)}] >>";

    private static string Annotations(PdfPage page) => page.Links is [] ? "" : " /Annots [" + string.Join(' ', page.Links.Select(link =>
        $"<< /Type /Annot /Subtype /Link /Border [0 0 0] /Rect [{PdfPage.Of(link.Left)} {PdfPage.Of(PdfPage.Height - link.Bottom)} {PdfPage.Of(link.Right)} {PdfPage.Of(PdfPage.Height - link.Top)}] "
        + $"/A << /S /URI /URI <{Convert.ToHexString(Encoding.ASCII.GetBytes(link.Url.AbsoluteUri))}> >> >>")) + "]";

    // Any text, as UTF-16 with its mark.
    private static string TextString(string text) => $"<FEFF{Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(text))}>";

    private static string Date(DateTimeOffset at) => string.Create(CultureInfo.InvariantCulture, $"(D:{at.UtcDateTime:yyyyMMddHHmmss}Z)");

    private static byte[] Compressed(string content)
    {
        using var bytes = new MemoryStream();
        using (var zlib = new ZLibStream(bytes, CompressionLevel.Optimal, leaveOpen: true))
        {
            zlib.Write(Encoding.ASCII.GetBytes(content));
        }

        return bytes.ToArray();
    }

    private static void Write(MemoryStream file, string text) => file.Write(Encoding.Latin1.GetBytes(text));
}
