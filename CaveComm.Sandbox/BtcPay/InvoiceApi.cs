using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>Invoices over the API.</summary>
internal static class InvoiceApi
{
    private const int ListLimit = 50;
    private const decimal AllBitcoin = 21_000_000m;
    private const decimal MinutesLimit = 525_600m;
    private static readonly string[] Speeds = ["HighSpeed", "MediumSpeed", "LowMediumSpeed", "LowSpeed"];

    public static void Map(BtcPayRoutes routes, BtcPayWorld world)
    {
        var invoices = world.Invoices;
        routes.InStore("POST", "invoices", call => Create(call, world), isShortToo: false);
        routes.InStore("GET", "invoices", call => List(call, invoices), isShortToo: false);
        routes.InStore("GET", "invoices/{id}", call => Answer(invoices, invoices.Find(call.Route("id")), call.Flag("includePaymentMethods")));
        routes.InStore("PUT", "invoices/{id}", call => Update(call, invoices));
        routes.InStore("DELETE", "invoices/{id}", call => Archive(call, invoices, true));
        routes.InStore("POST", "invoices/{id}/unarchive", call => Archive(call, invoices, false));
        routes.InStore("POST", "invoices/{id}/status", call => Mark(call, invoices));
        routes.InStore("GET", "invoices/{id}/payment-methods", call => invoices.Find(call.Route("id")) is { } invoice
            ? BtcPayAnswer.Ok(InvoiceShape.Methods(invoice, call.Query("onlyAccountedPayments") is not [var only] || !only.Equals("false", StringComparison.OrdinalIgnoreCase)))
            : BtcPayAnswer.NotFound("invoice"));
        routes.InStore("POST", "invoices/{id}/payment-methods/{method}/activate", call =>
            invoices.Find(call.Route("id")) is null ? BtcPayAnswer.NotFound("invoice") : BtcPayAnswer.Empty);
    }

    private static BtcPayAnswer Answer(BtcPayInvoices invoices, Invoice? invoice, bool withPaymentMethods = false) =>
        invoice is null ? BtcPayAnswer.NotFound("invoice") : BtcPayAnswer.Ok(invoices.Shape(invoice, withPaymentMethods));

    private static BtcPayAnswer Create(BtcPayCall call, BtcPayWorld world)
    {
        var body = call.Body;
        var checkout = body.Inner("checkout");
        var amount = body.Number("amount");
        if (amount < 0)
            body.Wrong("amount", "The amount should be 0 or more.");
        var currency = body.Text("currency") is { Length: > 0 } given ? given.ToUpperInvariant() : "EUR";
        if (!BtcPayRates.Knows(currency))
            body.Wrong("currency", "Invalid currency");
        else if (amount / BtcPayRates.Price(currency) > AllBitcoin)
            body.Wrong("amount", "There is not that much bitcoin.");
        var methods = Methods(checkout);
        var preferred = Preferred(checkout);
        var minutes = checkout.Number("expirationMinutes") ?? 15;
        if (minutes is < 0.5m or > MinutesLimit)
            checkout.Wrong("expirationMinutes", "Expiration time must be at least 30 seconds, and a year at most");
        var monitoring = checkout.Number("monitoringMinutes") ?? 1440;
        if (monitoring is < 0 or > MinutesLimit)
            checkout.Wrong("monitoringMinutes", "Monitoring time must be positive, and a year at most");
        var tolerance = checkout.Number("paymentTolerance") ?? 0;
        if (tolerance is < 0 or > 100)
            checkout.Wrong("paymentTolerance", "PaymentTolerance can only be between 0 and 100 percent");
        var speed = checkout.Text("speedPolicy") ?? "MediumSpeed";
        if (!Speeds.Contains(speed))
            checkout.Wrong("speedPolicy", "Invalid speed policy");
        var metadata = body.Object("metadata") ?? [];
        var terms = body.Texts("additionalSearchTerms") ?? [];
        var receipt = body.Inner("receipt");
        var shape = new JsonObject
        {
            ["speedPolicy"] = speed,
            ["paymentMethods"] = new JsonArray([.. methods.Select(it => JsonValue.Create(it))]),
            ["defaultPaymentMethod"] = preferred,
            ["lazyPaymentMethods"] = checkout.Truth("lazyPaymentMethods"),
            ["expirationMinutes"] = minutes,
            ["monitoringMinutes"] = monitoring,
            ["paymentTolerance"] = tolerance,
            ["redirectURL"] = checkout.Text("redirectURL"),
            ["redirectAutomatically"] = checkout.Truth("redirectAutomatically") ?? false,
            ["defaultLanguage"] = checkout.Text("defaultLanguage"),
        };
        var receiptShape = new JsonObject
        {
            ["enabled"] = receipt.Truth("enabled") ?? true,
            ["showQR"] = receipt.Truth("showQR") ?? true,
            ["showPayments"] = receipt.Truth("showPayments") ?? true,
        };
        if (body.Faults.Count > 0)
            return BtcPayAnswer.Invalid(body.Faults);
        if (methods.Count == 0)
            return BtcPayAnswer.Refused("generic-error", "No payment method available for this invoice");

        var due = amount is { } price ? BtcPayRates.ToBitcoin(price, currency) : 0;
        var expiry = TimeSpan.FromMinutes((double)minutes);
        var invoice = world.Invoices.Create((now, number) => new Invoice
        {
            Id = BtcPayStore.NewId(),
            Number = number,
            Amount = amount,
            Currency = currency,
            Metadata = metadata,
            Checkout = shape,
            Receipt = receiptShape,
            SearchTerms = [.. terms],
            CreatedAt = now,
            ExpiresAt = now + expiry,
            MonitoredUntil = now + expiry + TimeSpan.FromMinutes((double)monitoring),
            Due = due,
            Tolerance = tolerance,
            Address = Bech32.NewAddress(),
            Lightning = Bolt11.New((long)(due * 100_000_000_000m), metadata["itemDesc"]?.ToString() ?? "Sandbox", now, expiry),
        });
        return Answer(world.Invoices, invoice);
    }

    private static IReadOnlyList<string> Methods(BtcPayBody checkout)
    {
        if (checkout.Texts("paymentMethods") is not { } names)
            return [PaymentMethods.Chain, PaymentMethods.Lightning];
        var methods = new List<string>();
        foreach (var (at, name) in names.Index())
        {
            if (PaymentMethods.Read(name) is { } method)
                methods.Add(method);
            else
                checkout.Wrong($"paymentMethods[{at}]", "Invalid PaymentMethodId");
        }

        return [.. methods.Distinct()];
    }

    private static string? Preferred(BtcPayBody checkout)
    {
        if (checkout.Text("defaultPaymentMethod") is not { Length: > 0 } name)
            return null;
        if (PaymentMethods.Read(name) is not { } method)
        {
            checkout.Wrong("defaultPaymentMethod", "Invalid PaymentMethodId");
            return null;
        }

        return method;
    }

    private static BtcPayAnswer List(BtcPayCall call, BtcPayInvoices invoices)
    {
        var statuses = call.Query("status");
        if (statuses.Any(it => !Enum.TryParse<InvoiceStatus>(it, true, out _)))
            return BtcPayAnswer.Invalid(("status", "Invalid status"));
        var wanted = statuses.Select(it => Enum.Parse<InvoiceStatus>(it, true)).ToImmutableHashSet();
        var found = invoices.List(call.Query("orderId")).Where(it =>
            (call.Flag("includeArchived") || !it.Archived)
            && (wanted.IsEmpty || wanted.Contains(it.Status))
            && !(it.CreatedAt.ToUnixTimeSeconds() < call.Number("startDate"))
            && !(it.CreatedAt.ToUnixTimeSeconds() > call.Number("endDate"))
            && call.Query("textSearch").All(text => Mentions(it, text)));
        var page = found.Skip((int)(call.Number("skip") ?? 0)).Take((int)(call.Number("take") ?? ListLimit));
        return BtcPayAnswer.Ok(new JsonArray([.. page.Select(it => invoices.Shape(it, call.Flag("includePaymentMethods")))]));
    }

    private static bool Mentions(Invoice it, string text) =>
        it.SearchTerms.Append(it.Id).Append(it.Address).Concat(it.Metadata.Select(member => member.Value?.ToString() ?? ""))
            .Any(term => term.Contains(text, StringComparison.OrdinalIgnoreCase));

    private static BtcPayAnswer Update(BtcPayCall call, BtcPayInvoices invoices)
    {
        var metadata = call.Body.Object("metadata");
        return call.Body.Faults.Count > 0
            ? BtcPayAnswer.Invalid(call.Body.Faults)
            : Answer(invoices, invoices.Change(call.Route("id"), life =>
            {
                if (metadata is not null)
                    life.Replace(metadata);
            }));
    }

    private static BtcPayAnswer Archive(BtcPayCall call, BtcPayInvoices invoices, bool archived)
    {
        var invoice = invoices.Change(call.Route("id"), life => life.Archive(archived));
        return invoice is not null && archived ? new BtcPayAnswer(StatusCodes.Status200OK) : Answer(invoices, invoice);
    }

    private static BtcPayAnswer Mark(BtcPayCall call, BtcPayInvoices invoices)
    {
        var status = call.Body.Text("status");
        if (status is not (nameof(InvoiceStatus.Settled) or nameof(InvoiceStatus.Invalid)))
            return BtcPayAnswer.Invalid(("status", "Status can only be marked as invalid or settled"));
        var allowed = true;
        var invoice = invoices.Change(call.Route("id"), life =>
        {
            var settled = status == nameof(InvoiceStatus.Settled);
            allowed = settled ? life.It.MaySettle : life.It.MayInvalidate;
            if (allowed)
                life.Mark(settled);
        });
        return allowed ? Answer(invoices, invoice) : BtcPayAnswer.Invalid(("status", $"Status can only be marked as {status} when it is allowed: it is {invoice!.Status}"));
    }
}
