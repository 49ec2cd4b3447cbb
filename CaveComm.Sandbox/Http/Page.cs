using System.Net;

namespace CaveComm.Sandbox.Http;

/// <summary>The plain pages of the look-alikes: one column that fits a phone, no script.</summary>
public static class Page
{
    private const string Style = """
        :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
        body { max-width: 40rem; margin: 0 auto; padding: 1rem; }
        header { font-size: .875rem; opacity: .75; }
        h1 { font-size: 1.375rem; line-height: 1.25; margin: .5rem 0; overflow-wrap: anywhere; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
        dt { opacity: .75; } dd { margin: 0; overflow-wrap: anywhere; }
        form { display: grid; gap: .5rem; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); margin: 1rem 0; }
        button { font: inherit; padding: .625rem; border-radius: .5rem; border: 1px solid; cursor: pointer; min-height: 2.75rem; }
        button.main { background: #1a6e3c; color: #fff; border-color: #1a6e3c; grid-column: 1 / -1; }
        ul.list { list-style: none; padding: 0; } ul.list li { border-top: 1px solid #8886; padding: .5rem 0; overflow-wrap: anywhere; }
        ul.list a { text-decoration: none; color: inherit; display: block; }
        .big { font-size: 1.75rem; font-weight: 600; } .quiet { opacity: .75; font-size: .875rem; }
        pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; border: 1px solid #8886; border-radius: .5rem; padding: .75rem; }
        iframe { width: 100%; height: 32rem; border: 1px solid #8886; border-radius: .5rem; background: #fff; }
        """;

    /// <param name="title">Text; it is encoded here.</param>
    /// <param name="body">HTML; whoever makes it has encoded what is in it.</param>
    /// <param name="head">More HTML for the head.</param>
    public static string Html(string title, string body, string head = "") => $"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{Text(title)}</title><style>{Style}</style>{head}</head>
        <body>{body}</body></html>
        """;

    /// <summary>Encodes text for HTML, attributes included.</summary>
    public static string Text(string? text) => WebUtility.HtmlEncode(text ?? "");

    /// <summary>An address that may stand in a link: http or https, and nothing that runs.</summary>
    public static bool IsLink(string? url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var it) && (it.Scheme == Uri.UriSchemeHttp || it.Scheme == Uri.UriSchemeHttps);
}
