using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;

namespace CaveComm.Providers.BtcPay;

/// <summary>Making, reading and closing invoices.</summary>
internal sealed class BtcPayInvoices(BtcPayClient btcPay, BtcPayOptions options)
{
    public async Task<InvoiceSetUp> SetUp(InvoiceOrder order, CancellationToken cancel)
    {
        if (await FindEarlier(order, cancel) is { } earlier)
        {
            return Issued(earlier);
        }

        var made = await btcPay.Post("create-invoice", "invoices", Body(order), isRepeatable: false, cancel);
        if (made.IsDone)
        {
            return Issued(made.Body);
        }

        // "generic-error" is how a rate source or Lightning node that is down for the moment shows; a missing store is the operator's to mend.
        return made.ErrorCode == "generic-error" || made.IsMissing
            ? throw BtcPayClient.Unreadable("create-invoice", made)
            : new InvoiceSetUp.Refused(Discretion.Without(made.Reason, order.CustomerEmail, order.CustomerName));
    }

    public async Task<InvoiceSnapshot?> Fetch(string invoiceId, CancellationToken cancel)
    {
        var path = $"invoices/{ProviderHttp.Segment(invoiceId)}";
        var invoice = await Read(path, cancel);

        // Invoice and payments are two requests. Only a reading between which nothing moved is believed: a settled invoice seen with the payments
        // of a moment ago would make a payment out of nothing.
        for (var tries = 0; invoice is { } seen && tries < 3; tries++)
        {
            if (seen.Text("status") == "New" && seen.Number("paidAmount") == 0)
            {
                return Snapshot(seen, [], options);
            }

            var methods = await btcPay.List("fetch-payments", $"{path}/payment-methods", "onlyAccountedPayments=true", cancel);
            invoice = await Read(path, cancel);
            if (invoice is { } still && State(still) == State(seen))
            {
                return Snapshot(still, methods, options);
            }
        }

        return invoice is null
            ? null
            : throw new GatewayUnavailableException(BtcPayGateway.ProviderName, "the invoice changed while it was read.", TimeSpan.FromSeconds(2));
    }

    /// <summary>BTCPay knows no cancelling; an invoice marked invalid takes no more money. One with money on its way is left alone.</summary>
    public async Task Void(string invoiceId, CancellationToken cancel)
    {
        var path = $"invoices/{ProviderHttp.Segment(invoiceId)}";
        if ((await Read(path, cancel))?.Text("status") != "New")
        {
            return;
        }

        var marked = await btcPay.Post(
            "void-invoice", $"{path}/status", new JsonObject { ["status"] = "Invalid" }, isRepeatable: true, cancel);
        if (!marked.IsDone && (await Read(path, cancel))?.Text("status") == "New")
        {
            throw new GatewayRefusedException(BtcPayGateway.ProviderName, $"invoice {invoiceId} cannot be marked invalid ({marked.ErrorCode ?? "refused"}).");
        }
    }

    /// <summary>The address on the chain with what is still due; every wallet reads it.</summary>
    public async Task<string?> FindWalletLink(string invoiceId, CancellationToken cancel)
    {
        var methods = await btcPay.Get("fetch-payment-methods", $"invoices/{ProviderHttp.Segment(invoiceId)}/payment-methods", "", cancel);
        return methods.IsDone
            ? methods.Body.Items().Select(method => method.Text("paymentLink")).FirstOrDefault(link => link?.StartsWith("bitcoin:", StringComparison.OrdinalIgnoreCase) == true)
            : methods.IsMissing ? null : throw BtcPayClient.Unreadable("fetch-payment-methods", methods);
    }

    /// <summary>The invoice that an earlier call with this key made: the oldest, should two calls have passed each other unseen.</summary>
    /// <remarks>A store can let anybody make invoices, with any orderId. Only ours name the commission.</remarks>
    private async Task<JsonElement?> FindEarlier(InvoiceOrder order, CancellationToken cancel)
    {
        var found = await btcPay.List("find-invoice", "invoices", $"orderId={Uri.EscapeDataString(order.Key)}&take=50", cancel);
        return found
            .Where(invoice => invoice.Text("metadata", "orderId") == order.Key && invoice.Text("metadata", "commissionId") == order.Commission.ToString())
            .OrderBy(invoice => invoice.Whole("createdTime"))
            .ThenBy(invoice => invoice.Text("id"), StringComparer.Ordinal)
            .Select(invoice => (JsonElement?)invoice)
            .FirstOrDefault();
    }

    private JsonObject Body(InvoiceOrder order) => new()
    {
        ["amount"] = order.Amount.ToDecimalString(),
        ["currency"] = order.Amount.Currency,
        ["metadata"] = new JsonObject
        {
            ["orderId"] = order.Key,

            // Without its query, in which the customer's private token may stand: everybody who works on the store sees metadata.
            ["orderUrl"] = order.ReturnUrl.GetLeftPart(UriPartial.Path),
            ["itemDesc"] = order.Description,
            ["buyerEmail"] = order.CustomerEmail,
            ["commissionId"] = order.Commission.ToString(),
            ["paymentTiming"] = PaymentTiming.Of(order.PaymentTerms),
        },
        ["checkout"] = new JsonObject
        {
            ["speedPolicy"] = "MediumSpeed",

            // The rate is held until it expires, so it is never longer than the days until it is due.
            ["expirationMinutes"] = Math.Clamp(order.DueDays * 1440L, 1, options.InvoiceExpirationMinutes),
            ["monitoringMinutes"] = options.MonitoringMinutes,

            // An underpaid invoice shows what is missing, whatever the store tolerates elsewhere.
            ["paymentTolerance"] = 0,
            ["redirectURL"] = order.ReturnUrl.AbsoluteUri,
            ["redirectAutomatically"] = true,
        },
        ["additionalSearchTerms"] = new JsonArray(order.Commission.ToString()),
    };

    private async Task<JsonElement?> Read(string path, CancellationToken cancel)
    {
        var answer = await btcPay.Get("fetch-invoice", path, "", cancel);
        return answer.IsDone ? answer.Body : answer.IsMissing ? null : throw BtcPayClient.Unreadable("fetch-invoice", answer);
    }

    private static (string? Status, string? Additional, decimal? Paid) State(JsonElement invoice) =>
        (invoice.Text("status"), invoice.Text("additionalStatus"), invoice.Number("paidAmount"));

    private static InvoiceSetUp.Issued Issued(JsonElement invoice) =>
        invoice.Text("id") is { } id && Page(invoice) is { } page
            ? new InvoiceSetUp.Issued(id, Number: null, page, invoice.Time("expirationTime"))
            : throw new GatewayUnavailableException(BtcPayGateway.ProviderName, "the invoice came back without its id or its page.");

    private static Uri? Page(JsonElement invoice) => WebPage.Of(invoice.Text("checkoutLink"));

    private static InvoiceSnapshot Snapshot(JsonElement invoice, IReadOnlyList<JsonElement> methods, BtcPayOptions options)
    {
        var id = invoice.Text("id");
        var currency = invoice.Text("currency")?.ToUpperInvariant();
        if (id is null || currency is null || !Currencies.IsKnown(currency) || invoice.Text("amount") is null)
        {
            throw new GatewayUnavailableException(BtcPayGateway.ProviderName, "the invoice came back without its id, amount or a currency that we know.");
        }

        var asked = BtcPayMoney.Minor(BtcPayMoney.Told(invoice, "amount"), currency);
        return new InvoiceSnapshot(
            id,
            invoice.Text("status") switch
            {
                "Processing" => InvoiceStanding.Processing,
                "Settled" => InvoiceStanding.Paid,
                "Expired" => InvoiceStanding.Expired,
                "Invalid" => InvoiceStanding.Invalid,
                _ => InvoiceStanding.Open,
            },
            asked,
            BtcPayPayments.Count(invoice, methods, asked),
            Guid.TryParse(invoice.Text("metadata", "commissionId"), out var commission) ? commission : null,
            Page(invoice),
            invoice.Time("expirationTime"))
        {
            // Invalid is what it becomes when the watch is over. Who then finds the payment confirmed after all marks it settled by hand.
            WatchedUntil = invoice.Text("status") == "Invalid" ? invoice.Time("monitoringExpiration")?.AddMinutes(options.MonitoringMinutes) : invoice.Time("monitoringExpiration"),
        };
    }
}
