using System.Globalization;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Http;
using CaveComm.Sandbox.Stripe.Resources;
using CaveComm.Sandbox.Stripe.Wire;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.Stripe.Pages;

/// <summary>The hosted invoice page. Its buttons play the payer, the payer's bank, and time.</summary>
internal static class PayPage
{
    private static readonly PageButton[] Actions =
    [
        new("pay", "Pay", IsMain: true),
        new("pay-half", "Pay half of it"),
        new("pay-too-much", "Pay too much"),
        new("pay-late", "Pay after the due date"),
        new("decline", "Let the card be declined"),
        new("expire", "Let it expire (void)"),
    ];

    public static async Task Show(HttpContext http, StripeWorld world, string page)
    {
        var (invoice, payments) = world.Transact(null, null, unit => Find(unit, page) is { } found
            ? (found, InvoicePayments.All(unit, (string)found["id"]!))
            : (null, []));
        if (invoice is null)
        {
            await http.NoLonger("No such invoice", "This link is not, or no longer, valid.");
            return;
        }

        await http.Response.Html(Page(invoice, payments, Return(http)));
    }

    public static async Task Act(HttpContext http, StripeWorld world, string page)
    {
        if (await http.ReadAct(it => it == "dispute" || Actions.Any(button => button.Action == it)) is not var (action, _))
        {
            return;
        }

        var shown = world.Transact(null, null, unit =>
        {
            if (Find(unit, page) is not { } invoice)
            {
                return null;
            }

            Play(unit, invoice, action);
            return unit.Render(unit.Find("invoice", (string)invoice["id"]!)!);
        });
        if (shown is null)
        {
            await Show(http, world, page);
            return;
        }

        await http.Done(shown, Return(http) ?? $"/pay/{page}");
    }

    private static JsonObject? Find(StripeUnit unit, string page)
    {
        var dash = page.LastIndexOf('-');
        return dash > 0 && unit.Find("invoice", page[..dash]) is { } invoice && (string?)invoice["_pay_secret"] == page[(dash + 1)..]
            ? invoice
            : null;
    }

    /// <summary>An invoice that can't be paid any more stays as it is, so a second click does nothing.</summary>
    private static void Play(StripeUnit unit, JsonObject invoice, string action)
    {
        if (action == "dispute")
        {
            DisputeLastCharge(unit, invoice);
            return;
        }

        if (!InvoiceStates.IsPayable(invoice))
        {
            return;
        }

        if (action == "expire")
        {
            InvoiceStates.Void(unit, invoice);
            return;
        }

        var customer = (string)invoice["customer"]!;
        var rest = (long)invoice["amount_remaining"]!;
        if (action == "decline")
        {
            var declined = PaymentMethods.New(unit, customer, PaymentMethods.Declines, last4: "0002");
            PaymentIntents.Fail(unit, InvoiceStates.DefaultIntent(unit, invoice), declined);
            return;
        }

        var card = PaymentMethods.New(unit, customer, PaymentMethods.Works);
        switch (action)
        {
            case "pay-half":
                InvoiceStates.PayPart(unit, invoice, Math.Max(1, rest / 2), card);
                break;

            case "pay-too-much":
                PaymentIntents.Succeed(unit, InvoiceStates.DefaultIntent(unit, invoice), card, rest + Math.Max(1, rest / 10));
                break;

            case "pay-late":
                // Nobody waits for days in front of a sandbox: the due date comes to the payer.
                invoice["due_date"] = unit.Now - 86400;
                unit.Put(invoice);
                PaymentIntents.Succeed(unit, InvoiceStates.DefaultIntent(unit, invoice), card);
                break;

            default:
                PaymentIntents.Succeed(unit, InvoiceStates.DefaultIntent(unit, invoice), card);
                break;
        }
    }

    private static void DisputeLastCharge(StripeUnit unit, JsonObject invoice)
    {
        var intents = InvoicePayments.All(unit, (string)invoice["id"]!).Select(it => (string?)it["payment"]!["payment_intent"]).ToHashSet();
        if (unit.Newest("charge", it => (string?)it["status"] == "succeeded" && intents.Contains((string?)it["payment_intent"])) is { } charge)
        {
            Disputes.Open(unit, charge);
        }
    }

    private static string? Return(HttpContext http) =>
        Uri.TryCreate(http.Request.Query["return"].ToString(), UriKind.Absolute, out var url) && (url.Scheme is "http" or "https")
            ? url.AbsoluteUri
            : null;

    private static string Page(JsonObject invoice, IReadOnlyList<JsonObject> payments, string? back)
    {
        var currency = (string)invoice["currency"]!;
        var status = (string)invoice["status"]!;
        var rest = (long)invoice["amount_remaining"]!;
        var lines = string.Concat(Invoices.Lines(invoice).Select(line => $"""
            <tr><td>{Html.Text(line!["description"])}</td><td class="money">{Html.Text(Currency.Show((long)line["amount"]!, currency))}</td></tr>
            """));
        var due = (long?)invoice["due_date"] is { } at
            ? $"<p>Due on {DateTimeOffset.FromUnixTimeSeconds(at).ToString("d MMMM yyyy", CultureInfo.InvariantCulture)}.</p>"
            : "";
        IEnumerable<PageButton> buttons = InvoiceStates.IsPayable(invoice)
            ? Actions.Select(it => it.IsMain ? it with { Label = $"Pay {Currency.Show(rest, currency)}" } : it)
            : [];
        if (payments.Any(it => (string?)it["status"] == "paid" && it["payment"]!["payment_intent"] is not null))
        {
            buttons = buttons.Append(new PageButton("dispute", "Dispute the last charge"));
        }

        return Html.Page($"Invoice {invoice["number"]}", $"""
            <h1>Invoice {Html.Text(invoice["number"])}</h1>
            <p>From {Html.Text(invoice["account_name"])} to {Html.Text(invoice["customer_name"] ?? invoice["customer_email"])}</p>
            <p class="amount">{Html.Text(Currency.Show((long)invoice["total"]!, currency))}</p>
            <p>Status: <strong>{Html.Text(status)}</strong>. Paid: {Html.Text(Currency.Show((long)invoice["amount_paid"]!, currency))}, left: {Html.Text(Currency.Show(rest, currency))}.</p>
            {due}
            <p>{Html.Text(invoice["description"])}</p>
            <div class="scroll"><table><thead><tr><th scope="col">What</th><th scope="col">Amount</th></tr></thead><tbody>{lines}</tbody></table></div>
            {PageForm.Of(buttons, back is null ? null : "?return=" + Uri.EscapeDataString(back))}
            {(back is null ? "" : $"<p><a href=\"{Html.Text(back)}\">Back to the shop</a></p>")}
            <p><small>{Html.Text(invoice["footer"])}</small></p>
            """);
    }
}
