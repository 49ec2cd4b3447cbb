using System.Text.Json;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;

namespace CaveComm.Providers.Stripe;

/// <summary>Reading, mailing and voiding invoices.</summary>
internal sealed class StripeInvoices(StripeClient stripe, StripeRefunds refunds)
{
    private static readonly string[] WithPayments = ["payments"];
    private static readonly string[] WithFee = ["latest_charge.balance_transaction"];

    public async Task<InvoiceSnapshot?> Fetch(string invoiceId, CancellationToken cancel)
    {
        if (await Read(invoiceId, cancel) is not { } invoice)
        {
            return null;
        }

        var currency = invoice.Text("currency") ?? "";
        var payments = await Payments(invoice, currency, cancel);
        return new InvoiceSnapshot(
            invoice.Text("id") ?? invoiceId,
            invoice.Text("status") switch
            {
                "paid" => InvoiceStanding.Paid,
                "void" => InvoiceStanding.Voided,

                // Written off at the dashboard. It can still be paid, and then says so.
                "uncollectible" => InvoiceStanding.Invalid,
                _ => InvoiceStanding.Open,
            },
            StripeMoney.FromStripe(invoice.Whole("total") ?? invoice.Whole("amount_due") ?? 0, currency),
            payments,
            Guid.TryParse(invoice.Text("metadata", "commission_id"), out var commission) ? commission : null,
            WebPage.Of(invoice.Text("hosted_invoice_url")),
            invoice.Time("due_date"))
        {
            Refunds = await refunds.Of(payments, cancel),
            Disputes = await refunds.Disputes(payments, cancel),
            Credits = invoice.Whole("pre_payment_credit_notes_amount") is > 0 ? await refunds.Credits(invoiceId, currency, cancel) : [],
        };
    }

    public async Task Send(string key, string invoiceId, CancellationToken cancel)
    {
        var sent = await stripe.Post("send-invoice", $"{Path(invoiceId)}/send", $"{key}/send", [], null, cancel);
        if (sent.IsDone)
        {
            return;
        }

        // Paid, voided or written off since we decided to send it: nobody needs the mail any more.
        var seen = await Read(invoiceId, cancel);
        if (seen is null || seen.Value.Text("status") is "draft" or "open" or null)
        {
            throw new GatewayRefusedException(StripeGateway.ProviderName, $"invoice {invoiceId} cannot be mailed ({sent.ErrorCode ?? "refused"}).");
        }
    }

    public async Task Void(string key, string invoiceId, CancellationToken cancel)
    {
        var voided = await stripe.Post("void-invoice", $"{Path(invoiceId)}/void", $"{key}/void", [], null, cancel);
        if (voided.IsDone)
        {
            return;
        }

        switch ((await Read(invoiceId, cancel))?.Text("status"))
        {
            case null or "void" or "paid":
                return;
            case "draft":
                // A draft cannot be voided, only thrown away.
                var deleted = await stripe.Delete("delete-draft", Path(invoiceId), cancel);
                if (deleted.IsDone || deleted.IsMissing)
                {
                    return;
                }

                break;
        }

        throw new GatewayRefusedException(StripeGateway.ProviderName, $"invoice {invoiceId} cannot be voided ({voided.ErrorCode ?? "refused"}).");
    }

    /// <summary>From basil on a payment intent does not name its invoice; the invoice payments do (contracts/stripe.md §3).</summary>
    public async Task<PaymentInvoice?> FindByPayment(string paymentIntentId, CancellationToken cancel)
    {
        var links = await stripe.List(
            "find-invoice-of-payment",
            "v1/invoice_payments",
            () => new StripeForm { ["payment"] = new StripeForm { ["type"] = "payment_intent", ["payment_intent"] = paymentIntentId } },
            null,
            cancel,
            isEmptyIfMissing: true);
        if (links.Select(link => link.Id("invoice")).FirstOrDefault(id => id is not null) is not { } invoiceId)
        {
            return null;
        }

        var invoice = await Read(invoiceId, cancel);
        return new PaymentInvoice(invoiceId, invoice is { } seen ? SubscriptionOf(seen) : null);
    }

    /// <summary>The place since basil, or the one before, in which an older endpoint may still render.</summary>
    public static string? SubscriptionOf(JsonElement invoice) =>
        invoice.Id("parent", "subscription_details", "subscription") ?? invoice.Id("subscription");

    private static string Path(string invoiceId) => $"v1/invoices/{ProviderHttp.Segment(invoiceId)}";

    private async Task<JsonElement?> Read(string invoiceId, CancellationToken cancel)
    {
        var answer = await stripe.Get("fetch-invoice", Path(invoiceId), new StripeForm { ["expand"] = WithPayments }, null, cancel);
        if (answer.IsDone)
        {
            return answer.Body.IsTrue("deleted") ? null : answer.Body;
        }

        return answer.IsMissing
            ? null
            : throw new GatewayRefusedException(StripeGateway.ProviderName, $"invoice {invoiceId} cannot be read ({answer.ErrorCode ?? "refused"}).");
    }

    /// <summary>What came by card and the like, one entry for each payment, and what came beside Stripe, as one entry under the invoice's own id.</summary>
    /// <remarks>
    /// Money paid out of band is counted once the invoice is paid, as a whole: an entry under the same id must not grow after it was told.
    /// </remarks>
    private async Task<List<SettledPayment>> Payments(JsonElement invoice, string currency, CancellationToken cancel)
    {
        var settledAt = invoice.Time("status_transitions", "paid_at") ?? invoice.Time("created") ?? DateTimeOffset.UnixEpoch;
        var counted = new List<SettledPayment>();
        foreach (var link in await Links(invoice, cancel))
        {
            if (link.Text("status") != "paid" || link.Whole("amount_paid") is not { } paid || paid <= 0)
            {
                continue;
            }

            var (id, charge, fee) = link.Text("payment", "type") switch
            {
                "payment_intent" => await Charge(link.At("payment", "payment_intent"), currency, cancel),
                "charge" => (link.Id("payment", "charge"), link.Id("payment", "charge"), null),
                _ => (null, null, null),
            };
            if (id is not null)
            {
                var amount = StripeMoney.FromStripe(paid, currency);
                counted.Add(new SettledPayment(id, amount, amount, link.Time("status_transitions", "paid_at") ?? settledAt, Late: false, charge) { Fee = fee });
            }
        }

        var elsewhere = StripeMoney.FromStripe(invoice.Whole("amount_paid") ?? 0, currency)
            - counted.Aggregate(Money.Zero(currency.ToUpperInvariant()), (sum, payment) => sum + payment.Amount);
        if (invoice.Text("status") == "paid" && elsewhere.IsPositive)
        {
            // Paid out of band: it counts, but none of it came to Stripe, so Stripe can pay none of it out.
            counted.Add(new SettledPayment(invoice.Text("id")!, elsewhere, Money.Zero(elsewhere.Currency), settledAt, Late: false, Charge: null));
        }

        return counted;
    }

    /// <summary>The invoice embeds its first ten payments at most.</summary>
    private async Task<IReadOnlyList<JsonElement>> Links(JsonElement invoice, CancellationToken cancel)
    {
        if (invoice.At("payments", "data").ValueKind == JsonValueKind.Array && !invoice.IsTrue("payments", "has_more"))
        {
            return [.. invoice.Items("payments", "data")];
        }

        var id = invoice.Text("id");
        return await stripe.List("list-invoice-payments", "v1/invoice_payments", () => new StripeForm { ["invoice"] = id }, null, cancel);
    }

    /// <summary>The payment with its charge, and what Stripe kept of it: the charge's balance transaction says so, in the currency that the balance is kept in.</summary>
    private async Task<(string? Id, string? Charge, Money? Fee)> Charge(JsonElement paymentIntent, string currency, CancellationToken cancel)
    {
        if (paymentIntent.ValueKind == JsonValueKind.Object)
        {
            return (paymentIntent.Text("id"), paymentIntent.Id("latest_charge"), Fee(paymentIntent, currency));
        }

        if (paymentIntent.Text() is not { } id)
        {
            return (null, null, null);
        }

        var answer = await stripe.Get("fetch-payment-intent", $"v1/payment_intents/{ProviderHttp.Segment(id)}", new StripeForm { ["expand"] = WithFee }, null, cancel);
        return answer.IsDone
            ? (id, answer.Body.Id("latest_charge"), Fee(answer.Body, currency))
            : throw new GatewayUnavailableException(StripeGateway.ProviderName, $"payment {id} cannot be read ({answer.ErrorCode ?? "refused"}).");
    }

    // A balance in another currency than the payment's would need a rate that nobody here has agreed to: then it is left unsaid.
    private static Money? Fee(JsonElement paymentIntent, string currency)
    {
        var booked = paymentIntent.At("latest_charge", "balance_transaction");
        return booked.Whole("fee") is { } fee && string.Equals(booked.Text("currency"), currency, StringComparison.OrdinalIgnoreCase)
            ? StripeMoney.FromStripe(fee, currency)
            : null;
    }
}
