using CaveComm.Sandbox.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using static CaveComm.Sandbox.Http.Page;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>The checkout: what a customer with a wallet would do stands there as buttons. No token and no earlier visit is needed.</summary>
internal static class PayPage
{
    private static readonly (string Action, string Label)[] Others =
    [
        ("pay-half", "Pay half"),
        ("pay-too-much", "Pay too much"),
        ("pay-late", "Pay after expiry"),
        ("expire", "Let it expire"),
        ("decline", "Pay, never confirmed"),
        ("pay-unconfirmed", "Pay, confirmed later"),
        ("confirm", "Confirm what was seen"),
        ("vanish", "Take unconfirmed back"),
        ("mark-settled", "Owner marks it settled"),
        ("mark-invalid", "Owner marks it invalid"),
    ];

    public static void Map(WebApplication app, BtcPayWorld world)
    {
        app.MapGet("/i/{id}", (RequestDelegate)(http => Show(http, world)));
        app.MapPost("/i/{id}", (RequestDelegate)(http => Act(http, world)));
    }

    private static async Task Show(HttpContext http, BtcPayWorld world)
    {
        if (world.Invoices.Find((string)http.Request.RouteValues["id"]!) is not { } invoice)
        {
            await NotFound(http);
        }
        else if (http.Request.AsksForJson())
        {
            await http.Response.Json(world.Invoices.Shape(invoice, withPaymentMethods: true));
        }
        else
        {
            await http.Response.Html(Render(invoice));
        }
    }

    private static async Task Act(HttpContext http, BtcPayWorld world)
    {
        var (action, method) = await Asked(http.Request);
        if (action == "dispute")
        {
            await Refuse(http, "A payment in bitcoin is final: there is nobody to dispute it with.");
            return;
        }

        if (PayActions.Find(action, method, world.Options.ConfirmAfter) is not { } act)
        {
            await Refuse(http, "The form field action must be pay, pay-half, pay-too-much, pay-late, expire, decline, pay-unconfirmed, confirm, vanish, mark-settled or mark-invalid.");
            return;
        }

        if (world.Invoices.Change((string)http.Request.RouteValues["id"]!, act) is not { } invoice)
        {
            await NotFound(http);
        }
        else if (http.Request.AsksForJson())
        {
            await http.Response.Json(world.Invoices.Shape(invoice, withPaymentMethods: true));
        }
        else
        {
            http.Response.StatusCode = StatusCodes.Status303SeeOther;
            http.Response.Headers.Location = $"/i/{invoice.Id}";
        }
    }

    private static async Task<(string? Action, string? Method)> Asked(HttpRequest request)
    {
        if (request.HasFormContentType)
        {
            var form = await request.ReadFormAsync(request.HttpContext.RequestAborted);
            return (form["action"], form["method"]);
        }

        var members = await request.JsonBody();
        return (members?["action"]?.ToString(), members?["method"]?.ToString());
    }

    private static Task NotFound(HttpContext http) =>
        http.Response.Html(Html("Invoice not found", "<h1>Invoice not found</h1>"), StatusCodes.Status404NotFound);

    private static Task Refuse(HttpContext http, string sentence) => http.Request.AsksForJson()
        ? BtcPayAnswer.Refused("invalid-action", sentence).Write(http.Response)
        : http.Response.Html(Html("That is not possible", $"<h1>That is not possible</h1><p>{Text(sentence)}</p>"), StatusCodes.Status400BadRequest);

    private static string Render(Invoice it)
    {
        var price = it.Amount is { } amount ? $"{BtcPayRates.Plain(amount)} {Text(it.Currency)}" : "any amount";
        var left = Math.Max(0, it.Due - it.Paid);
        var open = it.Status == InvoiceStatus.New;
        var ways = it.Checkout["paymentMethods"]!.AsArray().Select(way => (string)way!).ToHashSet();
        var main = (open && ways.Contains(PaymentMethods.Lightning) ? Button("pay", "Pay with Lightning", "ln") : "")
            + (open && ways.Contains(PaymentMethods.Chain) ? Button("pay", "Pay on the chain", "chain") : "");
        var others = string.Concat(Others.Select(other => $"""<button name="action" value="{other.Action}">{other.Label}</button>"""));
        var destinations = (ways.Contains(PaymentMethods.Chain) ? $"<dt>Address</dt><dd>{Text(it.Address)}</dd>" : "")
            + (ways.Contains(PaymentMethods.Lightning) ? $"<dt>Lightning</dt><dd>{Text(it.Lightning.Text)}</dd>" : "");
        return Html(
            $"Invoice {it.Id}",
            $"""
            <header>Sandbox BTCPay Server: no real coins</header>
            <h1>{Text(it.Metadata["itemDesc"]?.ToString() ?? "Invoice")}</h1>
            <p class="big">{price}</p><p>{BtcPayRates.Bitcoin(it.Due)} BTC{(it.Paid > 0 ? $", {BtcPayRates.Bitcoin(it.Paid)} seen, {BtcPayRates.Bitcoin(left)} missing" : "")}</p>
            <p><strong>{Say(it)}</strong></p>{main}
            <details{(open ? "" : " open")}><summary>What else can happen</summary><form method="post">{others}</form></details>
            <dl>{destinations}<dt>Expires</dt><dd>{it.ExpiresAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC</dd><dt>Invoice</dt><dd>{it.Id}</dd></dl>
            {Back(it)}
            """,
            it.Status == InvoiceStatus.Processing ? """<meta http-equiv="refresh" content="1">""" : GoBack(it));
    }

    private static string Button(string action, string label, string method) => $"""
        <form method="post"><input type="hidden" name="method" value="{method}"><button class="main" name="action" value="{action}">{label}</button></form>
        """;

    private static string Say(Invoice it) => (it.Status, it.Additional) switch
    {
        (InvoiceStatus.New, AdditionalStatus.PaidPartial) => "Paid in part. The rest is missing.",
        (InvoiceStatus.New, _) => "Waiting for payment.",
        (InvoiceStatus.Processing, _) => "Payment seen, waiting for its confirmation.",
        (InvoiceStatus.Settled, AdditionalStatus.PaidOver) => "Paid, and more than was asked.",
        (InvoiceStatus.Settled, _) => "Paid.",
        (InvoiceStatus.Expired, AdditionalStatus.PaidLate) => "Paid after it had expired. The shop will decide what becomes of it.",
        (InvoiceStatus.Expired, AdditionalStatus.PaidPartial) => "Expired, paid in part.",
        (InvoiceStatus.Expired, _) => "Expired.",
        (InvoiceStatus.Invalid, _) => "Invalid: the payment was not confirmed in time, or the shop said so.",
    };

    private static string Back(Invoice it) =>
        ReturnUrl(it) is { } url ? $"""<p><a href="{Text(url)}" rel="noreferrer">Return to the shop</a></p>""" : "";

    private static string GoBack(Invoice it) =>
        it.Status == InvoiceStatus.Settled && (bool?)it.Checkout["redirectAutomatically"] == true && ReturnUrl(it) is { } url
            ? $"""<meta http-equiv="refresh" content="3;url={Text(url)}">"""
            : "";

    private static string? ReturnUrl(Invoice it)
    {
        var url = ((string?)it.Checkout["redirectURL"])
            ?.Replace("{InvoiceId}", it.Id, StringComparison.Ordinal)
            .Replace("{OrderId}", Uri.EscapeDataString(BtcPayInvoices.OrderId(it) ?? ""), StringComparison.Ordinal);
        return IsLink(url) ? url : null;
    }
}
