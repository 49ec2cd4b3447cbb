using System.Net;
using System.Text;
using CaveComm.Domain.Notifications;

namespace CaveComm.Api.Notifications;

/// <summary>A letter in plain words, from which the text and the HTML of a mail are made. Everything in it is encoded, so untrusted text is harmless.</summary>
/// <param name="Quote">Somebody else's words, set apart.</param>
/// <param name="Button">A link with its label.</param>
public sealed record Letter(string Subject, IReadOnlyList<string> Paragraphs, string? Quote = null, (string Label, Uri Url)? Button = null)
{
    private const int MostHeading = 150;

    public Mail To(string messageId, string address, string? name) => new(messageId, address, name is null ? null : Heading(name), Heading(Subject), Text(), Html());

    private string Text()
    {
        var text = new StringBuilder();
        foreach (var paragraph in Paragraphs)
        {
            text.Append(OneLine(paragraph)).Append("\n\n");
        }

        if (!string.IsNullOrWhiteSpace(Quote))
        {
            text.Append(string.Join("\n", Quote.ReplaceLineEndings("\n").Split('\n').Select(line => $"> {line}"))).Append("\n\n");
        }

        if (Button is { } button)
        {
            text.Append(button.Label).Append(":\n").Append(button.Url.AbsoluteUri).Append("\n\n");
        }

        return text.Append("CaveComm\n").ToString();
    }

    private string Html()
    {
        var html = new StringBuilder(
            """
            <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"></head>
            <body style="margin:0;padding:24px;background:#f4f4f2;font:16px/1.5 system-ui,sans-serif;color:#1d1d1b">
            <div style="max-width:560px;margin:0 auto;background:#ffffff;border-radius:12px;padding:28px">

            """);
        foreach (var paragraph in Paragraphs)
        {
            html.Append("<p>").Append(Encode(OneLine(paragraph))).Append("</p>\n");
        }

        if (!string.IsNullOrWhiteSpace(Quote))
        {
            html.Append("<blockquote style=\"margin:16px 0;padding:8px 16px;border-left:4px solid #c9c9c4;white-space:pre-line\">")
                .Append(Encode(Quote)).Append("</blockquote>\n");
        }

        if (Button is { } button)
        {
            html.Append("<p><a style=\"display:inline-block;background:#22577a;color:#ffffff;text-decoration:none;padding:12px 20px;border-radius:8px\" href=\"")
                .Append(Encode(button.Url.AbsoluteUri)).Append("\">").Append(Encode(button.Label)).Append("</a></p>\n");
        }

        return html.Append("<p style=\"color:#6b6b66;font-size:14px\">CaveComm</p>\n</div></body></html>\n").ToString();
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    // Customer text reaches headers: a line break in it must not begin another one.
    private static string Heading(string text)
    {
        var line = OneLine(text);
        if (line.Length <= MostHeading)
        {
            return line;
        }

        var cut = char.IsHighSurrogate(line[MostHeading - 2]) ? MostHeading - 2 : MostHeading - 1;
        return line[..cut] + "\u2026";
    }

    // A line break in a name must not set a line of its own into our words, which could then pass for ours.
    private static string OneLine(string text) => new string([.. text.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c)]).Trim();
}
