using System.Text.Json.Nodes;
using CaveComm.Sandbox.Http;
using CaveComm.Sandbox.Stripe.Resources;
using CaveComm.Sandbox.Stripe.Wire;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.Stripe.Pages;

/// <summary>What the look-alike holds, at a glance.</summary>
internal static class OverviewPage
{
    private const int Shown = 100;

    public static Task Show(HttpContext http, StripeWorld world)
    {
        var invoices = world.Transact(null, null, unit => unit.All("invoice", _ => true)).Take(Shown);
        var payouts = world.Store.All(StripeUnit.Collection("payout")).OrderByDescending(it => (long)it["_n"]!).Take(Shown);
        var waiting = world.Webhooks.Waiting().Take(Shown);
        return http.Response.Html(
            Html.Page("Stripe sandbox", $"""
                <h1>Stripe sandbox</h1>
                <h2>Invoices</h2>
                {Table(["Number", "Customer", "Amount", "Status"], invoices.Select(it => new[]
                {
                    Link(world, it),
                    Html.Text(it["customer_email"]),
                    Html.Text(Currency.Show((long)it["total"]!, (string)it["currency"]!)),
                    Html.Text(it["status"]),
                }))}
                <h2>Payouts</h2>
                {Table(["Id", "Account", "Amount", "Status"], payouts.Select(it => new[]
                {
                    $"<code>{Html.Text(it["id"])}</code>",
                    $"<code>{Html.Text(it["_account"])}</code>",
                    Html.Text(Currency.Show((long)it["amount"]!, (string)it["currency"]!)),
                    Html.Text(it["status"]),
                }))}
                <h2>Webhooks that wait</h2>
                {Table(["Event", "Endpoint", "Attempts", "Last answer"], waiting.Select(it => new[]
                {
                    $"<code>{Html.Text(it.Key)}</code>",
                    Html.Text(world.Webhooks.Target(it.Lane)?.AbsoluteUri ?? it.Lane),
                    Html.Text(it.Attempts),
                    Html.Text(it.LastResult),
                }))}
                """));
    }

    private static string Link(StripeWorld world, JsonObject invoice) => invoice["_pay_secret"] is null
        ? $"<code>{Html.Text(invoice["id"])}</code>"
        : $"<a href=\"{Html.Text(Invoices.PayUrl(world, invoice).PathAndQuery)}\">{Html.Text(invoice["number"])}</a>";

    private static string Table(string[] heads, IEnumerable<string[]> rows)
    {
        var body = string.Concat(rows.Select(row => $"<tr>{string.Concat(row.Select(cell => $"<td>{cell}</td>"))}</tr>"));
        return body.Length == 0
            ? "<p>None.</p>"
            : $"""
                <div class="scroll"><table><thead><tr>{string.Concat(heads.Select(head => $"<th scope=\"col\">{head}</th>"))}</tr></thead><tbody>{body}</tbody></table></div>
                """;
    }
}
