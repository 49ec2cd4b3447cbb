using System.Text.Json.Nodes;
using CaveComm.Sandbox.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using static CaveComm.Sandbox.Http.Page;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>Pull payments and refunds over the API, and the page where they are claimed.</summary>
internal static class PullPaymentApi
{
    public static void Map(WebApplication app, BtcPayRoutes routes, BtcPayWorld world)
    {
        var pulls = world.PullPayments;
        routes.InStore("POST", "pull-payments", call => Create(call, world), isShortToo: false);
        routes.InStore(
            "GET",
            "pull-payments",
            call => BtcPayAnswer.Ok(new JsonArray([.. pulls.List().Where(it => !it.Archived || call.Flag("includeArchived")).Select(pulls.Shape)])),
            isShortToo: false);
        routes.InStore("DELETE", "pull-payments/{id}", call => pulls.Archive(call.Route("id")) ? BtcPayAnswer.Empty : BtcPayAnswer.NotFound("pullpayment"));
        routes.InStore("POST", "invoices/{id}/refund", call => Refund(call, world));
        routes.InStore("GET", "invoices/{id}/refund/{method}", call => RefundAmounts(call, world));
        // Whoever has the link may look and claim.
        routes.Anonymous("GET", "pull-payments/{id}", call =>
            pulls.Find(call.Route("id")) is { } pull ? BtcPayAnswer.Ok(pulls.Shape(pull)) : BtcPayAnswer.NotFound("pullpayment"));
        routes.Anonymous("GET", "pull-payments/{id}/payouts", call => pulls.Find(call.Route("id")) is null
            ? BtcPayAnswer.NotFound("pullpayment")
            : PayoutApi.List(world.Payouts, it => it.PullPaymentId == call.Route("id") && (call.Flag("includeCancelled") || it.State != PayoutState.Cancelled)));
        routes.Anonymous("POST", "pull-payments/{id}/payouts", call => pulls.Claim(call.Route("id"), call.Body, null, approved: false));
        app.MapGet("/pull-payments/{id}", (RequestDelegate)(http => Show(http, world)));
        app.MapPost("/pull-payments/{id}", (RequestDelegate)(http => ClaimByForm(http, world)));
    }

    private static BtcPayAnswer Create(BtcPayCall call, BtcPayWorld world)
    {
        var body = call.Body;
        var now = world.Time.GetUtcNow();
        var name = body.Text("name") ?? "";
        if (name.Length > 50)
            body.Wrong("name", "The name should be maximum 50 characters.");
        var amount = body.Number("amount") ?? 0;
        if (amount <= 0)
            body.Wrong("amount", "The amount should more than 0.");
        var currency = body.Text("currency")?.ToUpperInvariant() ?? "";
        if (!BtcPayRates.Knows(currency))
            body.Wrong("currency", "Invalid currency");
        var methods = Methods(body);
        var startsAt = body.Number("startsAt") is { } starts ? DateTimeOffset.FromUnixTimeSeconds((long)starts) : now;
        DateTimeOffset? expiresAt = body.Number("expiresAt") is { } ends ? DateTimeOffset.FromUnixTimeSeconds((long)ends) : null;
        if (expiresAt <= startsAt)
            body.Wrong("expiresAt", "expiresAt should be after startsAt");
        var made = new PullPayment(
            BtcPayStore.NewId(), 0, name, body.Text("description") ?? "", amount, currency, [.. methods], body.Truth("autoApproveClaims") ?? false,
            startsAt, expiresAt, false, (int)(body.Number("BOLT11Expiration") ?? 30));
        return body.Faults.Count > 0 ? BtcPayAnswer.Invalid(body.Faults) : BtcPayAnswer.Ok(world.PullPayments.Shape(world.PullPayments.Keep(made)));
    }

    private static IReadOnlyList<string> Methods(BtcPayBody body)
    {
        if (body.Texts("payoutMethods") is not { } names)
            return [PaymentMethods.Chain, PaymentMethods.Lightning];
        var methods = names.Select(PaymentMethods.Read).ToList();
        foreach (var (at, method) in methods.Index())
        {
            if (method is null)
                body.Wrong($"payoutMethods[{at}]", "Invalid payout method");
        }

        return [.. methods.OfType<string>().Distinct()];
    }

    private static BtcPayAnswer Refund(BtcPayCall call, BtcPayWorld world)
    {
        var body = call.Body;
        if (world.Invoices.Find(call.Route("id")) is not { } invoice)
            return BtcPayAnswer.NotFound("invoice");
        var paidAfterAll = invoice.Status == InvoiceStatus.Expired
            && invoice.Additional is AdditionalStatus.PaidLate or AdditionalStatus.PaidPartial or AdditionalStatus.PaidOver;
        if (invoice.Status is not (InvoiceStatus.Settled or InvoiceStatus.Invalid) && !paidAfterAll)
            return BtcPayAnswer.Refused("non-refundable", "Cannot refund this invoice");
        var variant = body.Text("refundVariant");
        var percent = body.Number("subtractPercentage") ?? 0;
        if (percent is < 0 or > 100)
            body.Wrong("subtractPercentage", "Percentage must be a numeric value between 0 and 100");
        var overpaid = invoice.Paid - invoice.Due;
        if (variant == "OverpaidAmount" && overpaid <= 0)
            body.Wrong("refundVariant", "Invoice is not overpaid");
        var (amount, currency) = variant switch
        {
            "RateThen" or "CurrentRate" => (invoice.Paid, "BTC"),
            "OverpaidAmount" => (overpaid, "BTC"),
            "Fiat" => (InvoiceShape.PaidAmount(invoice), invoice.Currency),
            "Custom" => (body.Number("customAmount") ?? 0, body.Text("customCurrency")?.ToUpperInvariant() ?? ""),
            _ => (0, ""),
        };
        if (currency.Length == 0 && variant != "Custom")
            body.Wrong("refundVariant", "`refundVariant` is mandatory");
        else if (!BtcPayRates.Knows(currency))
            body.Wrong("customCurrency", "Invalid currency");
        else if (amount <= 0 && body.Faults.Count == 0)
            body.Wrong(variant == "Custom" ? "customAmount" : "refundVariant", "Amount must be greater than 0");
        var methods = Methods(body);
        if (body.Faults.Count > 0)
            return BtcPayAnswer.Invalid(body.Faults);

        var digits = BtcPayRates.Digits(currency);
        var made = world.PullPayments.Keep(new PullPayment(
            BtcPayStore.NewId(), 0, body.Text("name") ?? $"Refund {invoice.Id}", body.Text("description") ?? "",
            decimal.Round(amount * (1 - (percent / 100)), digits), currency, [.. methods],
            variant is "RateThen" or "CurrentRate" or "OverpaidAmount", world.Time.GetUtcNow(), null, false, 30));
        world.Invoices.Change(invoice.Id, life => life.Refund(made.Id));
        return BtcPayAnswer.Ok(world.PullPayments.Shape(made));
    }

    private static BtcPayAnswer RefundAmounts(BtcPayCall call, BtcPayWorld world)
    {
        if (world.Invoices.Find(call.Route("id")) is not { } it || PaymentMethods.Read(call.Route("method")) is null)
            return BtcPayAnswer.NotFound("invoice");
        return BtcPayAnswer.Ok(new JsonObject
        {
            ["paymentAmountThen"] = BtcPayRates.Bitcoin(it.Paid),
            ["paymentAmountNow"] = BtcPayRates.Bitcoin(it.Paid), // The market stands still.
            ["invoiceAmount"] = BtcPayRates.Plain(InvoiceShape.PaidAmount(it)),
            ["overpaidPaymentAmount"] = it.Paid > it.Due ? BtcPayRates.Bitcoin(it.Paid - it.Due) : null,
            ["paymentCurrency"] = "BTC",
            ["paymentCurrencyDivisibility"] = 8,
            ["invoiceCurrency"] = it.Currency,
            ["invoiceCurrencyDivisibility"] = BtcPayRates.Digits(it.Currency),
        });
    }

    private static Task Show(HttpContext http, BtcPayWorld world, string? message = null, int status = StatusCodes.Status200OK)
    {
        if (world.PullPayments.Find((string)http.Request.RouteValues["id"]!) is not { } pull)
            return http.Response.Html(Html("Not found", "<h1>There is nothing to claim here</h1>"), StatusCodes.Status404NotFound);
        var claims = string.Concat(world.Payouts.List(it => it.PullPaymentId == pull.Id)
            .Select(it => $"<li>{BtcPayRates.Plain(it.Amount)} {Text(it.Currency)} to {Text(it.Destination)}: {it.State}</li>"));
        return http.Response.Html(
            Html(pull.Name, $"""
                <header>Sandbox BTCPay Server: no real coins</header><h1>{Text(pull.Name)}</h1><p>{Text(pull.Description)}</p>
                <p class="big">{BtcPayRates.Plain(pull.Amount)} {Text(pull.Currency)}</p><p><strong>{Text(message)}</strong></p>
                <form method="post"><label>Lightning address, Lightning invoice or Bitcoin address <input name="destination" required></label>
                <button class="main">Claim</button></form><ul class="list">{claims}</ul>
                """),
            status);
    }

    private static async Task ClaimByForm(HttpContext http, BtcPayWorld world)
    {
        var form = http.Request.HasFormContentType ? await http.Request.ReadFormAsync(http.RequestAborted) : FormCollection.Empty;
        var destination = form["destination"].ToString().Trim();
        var way = BtcPayPayouts.Fault(PaymentMethods.Lightning, destination) is null ? PaymentMethods.Lightning : PaymentMethods.Chain;
        var members = new JsonObject { ["destination"] = destination, ["payoutMethodId"] = way };
        if (form["amount"].ToString() is { Length: > 0 } amount)
        {
            members["amount"] = amount;
        }

        var answer = world.PullPayments.Claim((string)http.Request.RouteValues["id"]!, new BtcPayBody(members), null, approved: false);
        var fault = answer.Body is JsonArray faults ? (string?)faults[0]!["message"] : (string?)answer.Body!["message"];
        await Show(http, world, answer.Status == StatusCodes.Status200OK ? "Claimed." : fault, answer.Status);
    }
}
