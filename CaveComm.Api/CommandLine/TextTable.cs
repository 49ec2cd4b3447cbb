namespace CaveComm.Api.CommandLine;

/// <summary>Columns that stand one below the other, as wide as what is in them.</summary>
internal static class TextTable
{
    /// <param name="headings">A heading that begins with &gt; aligns its column to the right.</param>
    public static string Of(IReadOnlyList<string> headings, IReadOnlyList<string[]> rows)
    {
        var titles = headings.Select(it => it.TrimStart('>')).ToArray();
        var widths = titles.Select((title, column) => rows.Select(row => row[column].Length).Append(title.Length).Max()).ToArray();
        return string.Join(Environment.NewLine, rows.Prepend(titles).Select(Line));

        string Line(string[] cells) => string.Join(
            "  ", cells.Select((cell, column) => headings[column].StartsWith('>') ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd();
    }
}
