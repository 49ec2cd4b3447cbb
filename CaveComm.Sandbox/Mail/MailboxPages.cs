using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using static CaveComm.Sandbox.Http.Page;

namespace CaveComm.Sandbox.Mail;

/// <summary>The mailbox as people see it.</summary>
internal static partial class MailboxPages
{
    private const int Listed = 200;

    public static string List(IReadOnlyList<JsonObject> mails)
    {
        var lines = new StringBuilder();
        foreach (var mail in mails.Take(Listed))
        {
            var copies = (int)mail["copies"]! > 1 ? $" · {mail["copies"]} copies" : "";
            lines.Append($"""
                <li><a href="/m/{Text((string?)mail["id"])}"><strong>{Subject(mail)}</strong><br>
                <span class="quiet">to {Text((string?)mail["to"])} · {Text((string?)mail["date"])}{copies}</span></a></li>
                """);
        }

        var count = mails.Count == 0 ? "No mail yet." : $"{mails.Count} in all{(mails.Count > Listed ? $", the newest {Listed} shown" : "")}.";
        return Html("Sandbox mailbox", $"""
            <header>CaveComm sandbox</header><h1>Mailbox</h1><p class="quiet">{count} Nothing here has left this machine.</p>
            <ul class="list">{lines}</ul>
            """);
    }

    public static string One(JsonObject mail)
    {
        var html = (string?)mail["html"];
        // The sandbox attribute keeps scripts and forms out; links may open, since following them is what a mailbox is for.
        var frame = html is null ? "" : $"""
            <h2>As a page</h2><iframe title="The mail as a page" sandbox="allow-popups allow-popups-to-escape-sandbox"
            srcdoc="{Text("<base target=_blank>" + html)}"></iframe>
            """;
        return Html((string?)mail["subject"] ?? "", $"""
            <header><a href="/">Mailbox</a></header><h1>{Subject(mail)}</h1>
            <dl><dt>From</dt><dd>{Text((string?)mail["fromName"])} {Text((string?)mail["from"])}</dd><dt>To</dt><dd>{Text((string?)mail["to"])}</dd>
            <dt>Date</dt><dd>{Text((string?)mail["date"])}</dd><dt>Copies</dt><dd>{mail["copies"]}</dd></dl>
            <pre>{Linked((string?)mail["text"] ?? "")}</pre>{Attachments(mail)}{frame}
            """);
    }

    private static string Subject(JsonObject mail) => (string?)mail["subject"] is { Length: > 0 } subject ? Text(subject) : "(no subject)";

    private static string Attachments(JsonObject mail) => string.Concat(mail["attachments"]!.AsArray().Select(it =>
        $"""<p class="quiet">Attached: {Text((string?)it!["name"])}, {Text((string?)it["mediaType"])}, {it["size"]} bytes</p>"""));

    private static string Linked(string text)
    {
        var result = new StringBuilder();
        var at = 0;
        foreach (Match link in Link().Matches(text))
        {
            result.Append(Text(text[at..link.Index])).Append($"""<a href="{Text(link.Value)}" rel="noreferrer">{Text(link.Value)}</a>""");
            at = link.Index + link.Length;
        }

        return result.Append(Text(text[at..])).ToString();
    }

    [GeneratedRegex(@"https?://[^\s<>""']*[^\s<>""'.,;:!?)\]]")]
    private static partial Regex Link();
}
