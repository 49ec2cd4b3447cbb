using System.Text.Json;
using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;

namespace CaveComm.Providers.Stripe;

/// <summary>Customer, draft, line, finalization: four steps, each of which finds what an earlier try left behind.</summary>
/// <remarks>
/// Why both keys and look-ups: the key makes a repeat harmless while an earlier try may still be running, the look-up makes it harmless for ever.
/// One customer with us is one customer at Stripe (<c>metadata[customer_id]</c>, looked up by e-mail, since Stripe does not deduplicate).
/// </remarks>
internal sealed class StripeInvoiceSetUp(StripeClient stripe)
{
    private const int LongestName = 256;
    private const int LongestDescription = 500;

    public async Task<InvoiceSetUp> SetUp(InvoiceOrder order, CancellationToken cancel)
    {
        if (StripeMoney.ToStripe(order.Amount) is not { } amount)
        {
            return new InvoiceSetUp.Refused($"Stripe cannot invoice {order.Amount}.");
        }

        var (customer, invoice) = await FindEarlier(order, cancel);
        if (customer is null)
        {
            var made = await MakeCustomer(order, cancel);
            if (!made.IsDone)
            {
                return Refused(made, order);
            }

            customer = made.Body.Text("id")!;
        }

        if (invoice is null)
        {
            var made = await MakeDraft(order, customer, cancel);
            if (!made.IsDone)
            {
                return Refused(made, order);
            }

            invoice = made.Body;
        }

        if (invoice.Value.Text("status") != "draft")
        {
            return Issued(invoice.Value);
        }

        if (!invoice.Value.Items("lines", "data").Any())
        {
            var made = await AddLine(order, invoice.Value, amount, cancel);
            if (!made.IsDone)
            {
                return Refused(made, order);
            }
        }

        return await Complete(order, invoice.Value.Text("id")!, cancel);
    }

    /// <summary>The customer at Stripe, if there is one, and the invoice that an earlier try with this key made.</summary>
    private async Task<(string? Customer, JsonElement? Invoice)> FindEarlier(InvoiceOrder order, CancellationToken cancel)
    {
        var sameAddress = await stripe.List("find-customer", "v1/customers", () => new StripeForm { ["email"] = order.CustomerEmail }, null, cancel);

        // Two first invoices at once can have made two customers: the oldest is used, but an earlier invoice may hang on any of them.
        var customers = sameAddress
            .Where(found => found.Text("metadata", "customer_id") == order.CustomerId.ToString())
            .OrderBy(found => found.Whole("created"))
            .ThenBy(found => found.Text("id"), StringComparer.Ordinal)
            .Select(found => found.Text("id")!)
            .ToList();
        foreach (var customer in customers)
        {
            var invoices = await stripe.List("find-invoice", "v1/invoices", () => new StripeForm { ["customer"] = customer }, null, cancel);
            if (invoices.FirstOrDefault(found => found.Text("metadata", "order_key") == order.Key) is { ValueKind: JsonValueKind.Object } earlier)
            {
                return (customer, earlier);
            }
        }

        return (customers.FirstOrDefault(), null);
    }

    private Task<ProviderAnswer> MakeCustomer(InvoiceOrder order, CancellationToken cancel) => stripe.Post(
        "create-customer",
        "v1/customers",
        $"{order.Key}/customer",
        new StripeForm
        {
            ["email"] = order.CustomerEmail,
            ["name"] = Shortened(order.CustomerName, LongestName),
            ["metadata"] = new StripeForm { ["customer_id"] = order.CustomerId.ToString(), ["kind"] = "customer" },
        },
        null,
        cancel);

    private Task<ProviderAnswer> MakeDraft(InvoiceOrder order, string customer, CancellationToken cancel) => stripe.Post(
        "create-invoice",
        "v1/invoices",
        $"{order.Key}/invoice",
        new StripeForm
        {
            ["customer"] = customer,
            ["collection_method"] = "send_invoice",
            ["days_until_due"] = order.DueDays,
            ["currency"] = StripeMoney.Code(order.Amount),

            // Nothing moves without a command of ours, and no item that floats about lands on this invoice.
            ["auto_advance"] = false,
            ["pending_invoice_items_behavior"] = "exclude",
            ["description"] = $"Commission {order.Commission}",
            ["metadata"] = new StripeForm
            {
                ["commission_id"] = order.Commission.ToString(),
                ["payment_timing"] = PaymentTiming.Of(order.PaymentTerms),
                ["order_key"] = order.Key,
            },
        },
        null,
        cancel);

    private Task<ProviderAnswer> AddLine(InvoiceOrder order, JsonElement draft, long amount, CancellationToken cancel) => stripe.Post(
        "create-invoice-item",
        "v1/invoiceitems",
        $"{order.Key}/item",
        new StripeForm
        {
            // The draft's own customer, which after a race of two first invoices need not be the oldest.
            ["customer"] = draft.Id("customer"),
            ["invoice"] = draft.Text("id"),
            ["amount"] = amount,
            ["currency"] = StripeMoney.Code(order.Amount),
            ["description"] = Shortened(order.Description, LongestDescription),
            ["metadata"] = new StripeForm { ["commission_id"] = order.Commission.ToString() },
        },
        null,
        cancel);

    private async Task<InvoiceSetUp> Complete(InvoiceOrder order, string invoiceId, CancellationToken cancel)
    {
        var path = $"v1/invoices/{ProviderHttp.Segment(invoiceId)}";
        var finalized = await stripe.Post(
            "finalize-invoice", $"{path}/finalize", $"{order.Key}/finalize", new StripeForm { ["auto_advance"] = false }, null, cancel);
        if (finalized.IsDone)
        {
            return Issued(finalized.Body);
        }

        // Finalized before, by a try whose answer was lost or by a person at the dashboard: then the refusal is of no matter.
        var seen = await stripe.Get("fetch-invoice", path, null, null, cancel);
        return seen.IsDone && seen.Body.Text("status") is { } status && status != "draft" ? Issued(seen.Body) : Refused(finalized, order);
    }

    private static InvoiceSetUp.Issued Issued(JsonElement invoice) =>
        invoice.Text("id") is { } id && WebPage.Of(invoice.Text("hosted_invoice_url")) is { } page
            ? new InvoiceSetUp.Issued(id, invoice.Text("number"), page, invoice.Time("due_date"))
            : throw new GatewayUnavailableException(StripeGateway.ProviderName, "the invoice came back without its id or its page.");

    private static InvoiceSetUp.Refused Refused(ProviderAnswer answer, InvoiceOrder order) =>
        new(Discretion.Without(answer.Reason, order.CustomerEmail, order.CustomerName));

    private static string? Shortened(string text, int most)
    {
        var trimmed = text.Trim();
        if (trimmed.Length <= most)
        {
            return trimmed == "" ? null : trimmed; // An empty text would unset the field.
        }

        return char.IsHighSurrogate(trimmed[most - 1]) ? trimmed[..(most - 1)] : trimmed[..most];
    }
}
