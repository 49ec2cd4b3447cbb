using System.Globalization;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Mail;
using CaveComm.Sandbox.Stripe.Resources;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Pages;

/// <summary>The mail in which Stripe sends an invoice to its payer.</summary>
internal static class InvoiceMail
{
    public static SandboxMail Write(StripeWorld world, JsonObject invoice, string to)
    {
        var amount = Currency.Show((long)invoice["amount_remaining"]!, (string)invoice["currency"]!);
        var account = world.Options.AccountName;
        var url = Invoices.PayUrl(world, invoice).AbsoluteUri;
        var due = (long?)invoice["due_date"] is { } seconds
            ? " due on " + DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("d MMMM yyyy", CultureInfo.InvariantCulture)
            : "";
        var lines = Invoices.Lines(invoice).Select(line => (
            Description: (string?)line!["description"] ?? "Item",
            Amount: Currency.Show((long)line["amount"]!, (string)line["currency"]!))).ToArray();
        var text = $"""
            {account} has sent you invoice {invoice["number"]}: {amount}{due}.

            {string.Join('\n', lines.Select(line => $"- {line.Description}: {line.Amount}"))}

            Pay it here: {url}
            """;
        var html = Html.Page($"Invoice {invoice["number"]}", $"""
            <h1>Invoice {Html.Text(invoice["number"])} from {Html.Text(account)}</h1>
            <p class="amount">{Html.Text(amount)}</p>
            <p>{Html.Text(due.Trim())}</p>
            <ul>{string.Concat(lines.Select(line => $"<li>{Html.Text(line.Description)}: {Html.Text(line.Amount)}</li>"))}</ul>
            <p><a href="{Html.Text(url)}">Pay this invoice</a></p>
            """);
        return new SandboxMail(
            $"invoice-{invoice["id"]}@stripe.sandbox.example",
            "billing@stripe.sandbox.example",
            to,
            $"New invoice from {account} #{invoice["number"]}",
            text,
            html);
    }
}
