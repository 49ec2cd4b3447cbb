using System.Text.Json.Nodes;
using CaveComm.Sandbox.Http;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.Stripe.Pages;

/// <param name="Action">What the form posts as <c>action</c>.</param>
internal sealed record PageButton(string Action, string Label, bool IsMain = false)
{
    public string Shown =>
        $"<button name=\"action\" value=\"{Action}\"{(IsMain ? " class=\"main\"" : "")}>{Html.Text(Label)}</button>";
}

/// <summary>What the pages' forms have in common: buttons, the act that was asked for, and what comes after it.</summary>
internal static class PageForm
{
    /// <param name="target">Where it is posted to; null for the page's own address.</param>
    public static string Of(IEnumerable<PageButton> buttons, string? target = null) =>
        $"<form method=\"post\"{(target is null ? "" : $" action=\"{Html.Text(target)}\"")}><div class=\"actions\">{string.Concat(buttons.Select(it => it.Shown))}</div></form>";

    /// <summary>Reads the act. One that the page does not know is answered here.</summary>
    public static async Task<(string Action, IFormCollection Fields)?> ReadAct(this HttpContext http, Func<string, bool> isKnown)
    {
        if (http.Request.HasFormContentType)
        {
            var fields = await http.Request.ReadFormAsync(http.RequestAborted);
            if (fields["action"].ToString() is var action && isKnown(action))
            {
                return (action, fields);
            }
        }

        await http.Response.Html(
            Html.Page("Unknown action", "<h1>Unknown action</h1><p>The form's field is called action.</p>"), StatusCodes.Status400BadRequest);
        return null;
    }

    /// <summary>Who asks for JSON sees the thing as it is now; a browser goes on to a page.</summary>
    public static Task Done(this HttpContext http, JsonObject shown, string location)
    {
        if (http.Request.AsksForJson())
        {
            return http.Response.Json(shown);
        }

        http.Response.SeeOther(location);
        return Task.CompletedTask;
    }

    public static void SeeOther(this HttpResponse response, string location)
    {
        response.StatusCode = StatusCodes.Status303SeeOther;
        response.Headers.Location = location;
    }

    public static Task NoLonger(this HttpContext http, string title, string sentence) =>
        http.Response.Html(Html.Page(title, $"<h1>{Html.Text(title)}</h1><p>{Html.Text(sentence)}</p>"), StatusCodes.Status404NotFound);
}
