using System.Net;

namespace CaveComm.Sandbox.Stripe.Pages;

/// <summary>The look-alike's pages: one frame, one small style sheet, no script.</summary>
internal static class Html
{
    /// <summary>Whatever came from outside goes through here.</summary>
    public static string Text(object? value) => WebUtility.HtmlEncode(value?.ToString() ?? "");

    public static string Page(string title, string body) => $$"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{{Text(title)}}</title>
        <style>
        :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
        body { margin: 0 auto; padding: 1.25rem; max-width: 46rem; }
        .note { border-left: 4px solid #635bff; padding: .25rem .75rem; }
        .amount { font-size: 2rem; font-weight: 700; margin: .25rem 0; }
        .actions { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .5rem; margin: 1rem 0; }
        button { font: inherit; padding: .7rem; border: 1px solid #635bff; border-radius: .5rem; background: transparent; color: inherit; cursor: pointer; width: 100%; }
        button.main { background: #4a42d8; color: #fff; font-weight: 600; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; }
        th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid #8886; vertical-align: top; }
        td.money { text-align: right; white-space: nowrap; }
        code { overflow-wrap: anywhere; }
        </style>
        </head>
        <body>
        <p class="note">This is the sandbox's stand-in for Stripe. No money moves here.</p>
        {{body}}
        </body>
        </html>
        """;
}
