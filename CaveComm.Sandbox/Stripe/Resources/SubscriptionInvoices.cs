using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>The invoices that subscriptions make, and how their money is come by.</summary>
internal static class SubscriptionInvoices
{
    /// <summary>The timers: another attempt at a card, and a due date that passes.</summary>
    public const string Retry = "invoice.retry";

    public const string Due = "invoice.due";

    private const string Kind = "invoice";

    /// <summary>Days from a failed attempt to the next. After the last the subscription ends.</summary>
    private static readonly int[] RetryDays = [3, 5, 7];

    /// <param name="period">When the period began that it bills, where that is not now.</param>
    public static JsonObject Make(StripeUnit unit, JsonObject subscription, string reason, IEnumerable<JsonObject> lines, long? period = null)
    {
        var customer = unit.Find("customer", (string)subscription["customer"]!)!;
        var currency = (string)subscription["currency"]!;
        var invoice = InvoiceDraft.Make(unit, customer, currency, reason);
        var id = (string)invoice["id"]!;
        invoice["auto_advance"] = true;
        invoice["collection_method"] = (string)subscription["collection_method"]!;
        invoice["default_payment_method"] = (string?)subscription["default_payment_method"];
        invoice["description"] = (string?)subscription["description"];
        invoice["parent"] = new JsonObject
        {
            ["quote_details"] = null,
            ["subscription_details"] = new JsonObject
            {
                ["metadata"] = subscription["metadata"]!.DeepClone(),
                ["subscription"] = (string)subscription["id"]!,
            },
            ["type"] = "subscription_details",
        };
        invoice["payment_settings"]!["payment_method_types"] = subscription["payment_settings"]!["payment_method_types"]?.DeepClone();
        invoice["period_start"] = period ?? unit.Now;
        invoice["period_end"] = period ?? unit.Now;
        invoice["_days_until_due"] = (long?)subscription["days_until_due"];
        foreach (var line in lines)
        {
            line["invoice"] = id;
            Invoices.Lines(invoice).Add(line);
        }

        Invoices.AddUp(invoice);
        unit.Put(invoice);
        foreach (var item in InvoiceItems.Pending(unit, (string)customer["id"]!, currency).ToList())
        {
            InvoiceItems.Bind(unit, item, invoice);
        }

        subscription["latest_invoice"] = id;
        unit.Put(subscription);
        if (customer["currency"] is null)
        {
            customer["currency"] = currency;
            unit.Put(customer);
        }

        unit.Tell("invoice.created", invoice);
        return invoice;
    }

    /// <summary>A period of an item.</summary>
    public static JsonObject Line(JsonObject subscription, JsonObject item, bool free = false)
    {
        var price = item["price"]!.AsObject();
        var quantity = (long)item["quantity"]!;
        var each = Currency.Show((long?)price["unit_amount"] ?? 0, (string)price["currency"]!);
        return InvoiceLines.Make(
            free ? 0 : Prices.Times(price, quantity),
            (string)price["currency"]!,
            free ? "Free trial" : $"{quantity} × {price["nickname"] ?? price["product"]} (at {each} / {price["recurring"]!["interval"]})",
            quantity,
            new JsonObject { ["start"] = (long)item["current_period_start"]!, ["end"] = (long)item["current_period_end"]! },
            InvoiceLines.OfSubscriptionItem((string)subscription["id"]!, (string)item["id"]!, null),
            InvoiceLines.Pricing((string)price["id"]!, (string)price["product"]!, free ? "0" : (string)price["unit_amount_decimal"]!));
    }

    public static string NameOf(StripeUnit unit, JsonObject item) =>
        (string?)unit.Find("product", (string)item["price"]!["product"]!)?["name"] ?? (string)item["price"]!["product"]!;

    /// <summary>A first invoice, or one for a change, is finalized at once and its money asked for.</summary>
    /// <param name="behavior">What is to be when the money doesn't come: <c>payment_behavior</c>.</param>
    public static void Begin(StripeUnit unit, string id, string behavior)
    {
        var invoice = unit.Find(Kind, id)!;
        if ((string?)invoice["collection_method"] == "send_invoice")
        {
            FinalizeLater(unit, invoice, unit.Now);
            return;
        }

        InvoiceStates.Finalize(unit, invoice);
        if (behavior == "default_incomplete" || !InvoiceStates.IsPayable(invoice))
        {
            return;
        }

        if (Card(unit, invoice) is not { } card)
        {
            if (behavior == "pending_if_incomplete")
            {
                return;
            }

            throw StripeFault.State(
                "resource_missing", "This customer has no attached payment source or default payment method. Please consider adding a default payment method.");
        }

        try
        {
            InvoiceStates.Charge(unit, invoice, card, offSession: true);
        }
        catch (StripeFault fault) when (fault.KeepsChanges && behavior == "error_if_incomplete")
        {
            // The whole call fails, and nothing of it stays.
            throw new StripeFault(402, "card_error", "card_declined", fault.Message) { DeclineCode = fault.DeclineCode };
        }
        catch (StripeFault fault) when (fault.KeepsChanges)
        {
            // The subscription says it by its status.
        }
    }

    /// <summary>An hour after its making an invoice is finalized; where that hour has passed already, at once.</summary>
    public static void FinalizeLater(StripeUnit unit, JsonObject invoice, long made)
    {
        var at = made + (long)unit.World.Options.AutoAdvanceAfter.TotalSeconds;
        invoice["automatically_finalizes_at"] = at;
        unit.Put(invoice);
        SetTimer(unit, invoice, Invoices.Advance, at);
    }

    /// <summary>Takes the money of a finalized invoice from the card, or waits for the due date of one that is sent.</summary>
    public static void Collect(StripeUnit unit, JsonObject invoice)
    {
        if (!InvoiceStates.IsPayable(invoice))
        {
            return;
        }

        if ((string?)invoice["collection_method"] == "send_invoice")
        {
            SetTimer(unit, invoice, Due, (long)invoice["due_date"]!);
            return;
        }

        if (Card(unit, invoice) is not { } card)
        {
            InvoiceStates.AttemptFailed(unit, (string)invoice["id"]!);
            return;
        }

        try
        {
            InvoiceStates.Charge(unit, invoice, card, offSession: true);
        }
        catch (StripeFault fault) when (fault.KeepsChanges)
        {
            // It stays open; the next attempt has its time.
        }
    }

    /// <summary>Plans the next attempt, or ends the subscription when there was one too many.</summary>
    public static void AfterFailure(StripeUnit unit, JsonObject invoice)
    {
        if (Invoices.Subscription(invoice) is not { } id || (string?)invoice["billing_reason"] == "subscription_create")
        {
            return;
        }

        var attempts = (long)invoice["attempt_count"]!;
        if (attempts <= RetryDays.Length)
        {
            invoice["next_payment_attempt"] = unit.Now + (RetryDays[attempts - 1] * 86400L);
            unit.Put(invoice);
            SetTimer(unit, invoice, Retry, (long)invoice["next_payment_attempt"]!);
            return;
        }

        invoice["next_payment_attempt"] = null;
        invoice["auto_advance"] = false;
        unit.Put(invoice);
        if (unit.Find("subscription", id) is { } subscription && (string?)subscription["status"] is "past_due" or "active")
        {
            SubscriptionStates.End(unit, subscription, "payment_failed");
        }
    }

    public static void RetryNow(StripeUnit unit, string id)
    {
        if (unit.Find(Kind, id) is { } invoice && (string?)invoice["status"] == "open" && (long?)invoice["next_payment_attempt"] <= unit.Now)
        {
            Collect(unit, invoice);
        }
    }

    public static void Overdue(StripeUnit unit, string id)
    {
        if (unit.Find(Kind, id) is { } invoice && (string?)invoice["status"] == "open" && (long?)invoice["due_date"] <= unit.Now)
        {
            unit.Tell("invoice.overdue", invoice);
            SubscriptionStates.PaymentFailed(unit, invoice);
        }
    }

    /// <summary>What a subscription would be paid with.</summary>
    public static string? CardOf(StripeUnit unit, JsonObject subscription) =>
        (string?)subscription["default_payment_method"]
        ?? (string?)unit.Find("customer", (string)subscription["customer"]!)?["invoice_settings"]?["default_payment_method"];

    private static string? Card(StripeUnit unit, JsonObject invoice) =>
        (string?)invoice["default_payment_method"]
        ?? (Invoices.Subscription(invoice) is { } id && unit.Find("subscription", id) is { } subscription ? CardOf(unit, subscription) : null);

    private static void SetTimer(StripeUnit unit, JsonObject invoice, string what, long at) => unit.World.SetTimer(
        unit.Work, (string)invoice["id"]!, unit.Account, what, TimeSpan.FromSeconds(Math.Max(0, at - unit.Now)));
}
