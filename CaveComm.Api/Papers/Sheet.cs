using CaveComm.Api.Papers.Pdf;

namespace CaveComm.Api.Papers;

/// <summary>Sets a paper from top to bottom, page after page.</summary>
internal sealed class Sheet
{
    public const double Left = 56;
    public const double Right = PdfPage.Width - 56;
    public const double Across = Right - Left;
    public const double Small = 8.5;
    public const double Body = 10;

    private const double Top = 60;
    private const double Bottom = PdfPage.Height - 76;
    private const double Leading = 1.38;

    private readonly PdfDocument document;
    private readonly string footer;

    /// <param name="footer">Stands at the foot of each page, cut to one line.</param>
    public Sheet(string title, string author, DateTimeOffset at, string footer)
    {
        document = new PdfDocument(title, author, at);
        this.footer = footer;
        Page = document.AddPage();
    }

    public PdfPage Page { get; private set; }

    /// <summary>Where the next thing begins, from the top of the page.</summary>
    public double Y { get; set; } = Top;

    public byte[] Save()
    {
        var all = document.Pages.Count;
        foreach (var (page, number) in document.Pages.Select((page, n) => (page, n + 1)))
        {
            var place = PdfText.Encode($"Page {number} of {all}");
            var room = Across - PdfFont.Regular.Width(place, Small) - 20;
            page.Box(Left, PdfPage.Height - 52, Across, 0.6, PdfColour.Rule);
            page.Text(Left, PdfPage.Height - 38, PdfText.Wrap(footer, PdfFont.Regular, Small, room, 1)[0], PdfFont.Regular, Small, PdfColour.Quiet);
            page.TextTo(Right, PdfPage.Height - 38, place, PdfFont.Regular, Small, PdfColour.Quiet);
        }

        return document.Save();
    }

    /// <summary>Begins a new page unless this much room is left.</summary>
    public void Need(double height)
    {
        if (Y + height > Bottom)
        {
            Page = document.AddPage();
            Y = Top;
        }
    }

    public void Heading(string text)
    {
        Y += 16;
        Need(60);
        Write(text, PdfFont.Bold, 12, PdfColour.Accent, Left, Across);
        Y += 4;
    }

    /// <summary>Text that may go on over pages.</summary>
    public void Write(string text, PdfFont font, double size, PdfColour colour, double left, double width, int mostLines = int.MaxValue)
    {
        foreach (var line in PdfText.Wrap(text, font, size, width, mostLines))
        {
            Need(size * Leading);
            Page.Text(left, Y + size, line, font, size, colour);
            Y += size * Leading;
        }
    }

    public void Write(string text) => Write(text, PdfFont.Regular, Body, PdfColour.Ink, Left, Across);

    public void Note(string text) => Write(text, PdfFont.Regular, Small, PdfColour.Quiet, Left, Across);

    /// <summary>A label and beside it what it says, over as many lines as that takes.</summary>
    public void Fact(string label, string value, double left = Left, double labelWidth = 110, double? right = null, double size = Body)
    {
        var width = (right ?? Right) - left - labelWidth;
        var lines = PdfText.Wrap(value, PdfFont.Regular, size, width);
        var isFirst = true;
        foreach (var line in lines)
        {
            Need(size * Leading);
            if (isFirst)
            {
                Page.Text(left, Y + size, PdfText.Wrap(label, PdfFont.Regular, size, labelWidth - 8, 1)[0], PdfFont.Regular, size, PdfColour.Quiet);
                isFirst = false;
            }

            Page.Text(left + labelWidth, Y + size, line, PdfFont.Regular, size, PdfColour.Ink);
            Y += size * Leading;
        }
    }

    public void HeaderRow(params PaperColumn[] columns)
    {
        Need(44);
        Page.Box(Left, Y, Across, 20, PdfColour.Shade);
        Cells(columns, PdfFont.Bold, Small, PdfColour.Ink, Y + 5, 1);
        Y += 25;
    }

    /// <summary>One row of a table. It is never parted between pages, so its cells are cut after some lines.</summary>
    public void Row(params PaperColumn[] columns) => Row(PdfFont.Regular, Body, columns);

    public void Row(PdfFont font, double size, params PaperColumn[] columns)
    {
        const int MostLines = 12;
        var lines = columns.Max(it => PdfText.Wrap(it.Text, font, size, it.Width, MostLines).Count);
        Need((lines * size * Leading) + 4);
        Cells(columns, font, size, PdfColour.Ink, Y, MostLines);
        Y += (lines * size * Leading) + 4;
    }

    public void Rule()
    {
        Page.Box(Left, Y, Across, 0.6, PdfColour.Rule);
        Y += 6;
    }

    /// <summary>A sum with its name, at the right.</summary>
    public void Sum(string label, string amount, bool isTotal = false)
    {
        var (font, size) = isTotal ? (PdfFont.Bold, 12) : (PdfFont.Regular, Body);
        Need((size * Leading) + 4);
        Page.Text(Left + 230, Y + size, PdfText.Wrap(label, font, size, 160, 1)[0], font, size, isTotal ? PdfColour.Ink : PdfColour.Quiet);
        Page.TextTo(Right - 6, Y + size, PdfText.Encode(amount), font, size, PdfColour.Ink);
        Y += (size * Leading) + 2;
    }

    private void Cells(PaperColumn[] columns, PdfFont font, double size, PdfColour colour, double top, int mostLines)
    {
        foreach (var column in columns)
        {
            var baseline = top + size;
            foreach (var line in PdfText.Wrap(column.Text, font, size, column.Width, mostLines))
            {
                if (column.AtRight)
                {
                    Page.TextTo(column.Left + column.Width, baseline, line, font, size, colour);
                }
                else
                {
                    Page.Text(column.Left, baseline, line, font, size, colour);
                }

                baseline += size * Leading;
            }
        }
    }
}

/// <summary>One cell of a row.</summary>
/// <param name="Left">From the left edge of the page.</param>
internal readonly record struct PaperColumn(string Text, double Left, double Width, bool AtRight = false);
