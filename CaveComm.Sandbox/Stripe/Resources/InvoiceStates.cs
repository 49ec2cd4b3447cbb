using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Pages;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>From draft to open to paid, void or uncollectible: one method each, for the API, the pay page and the timers alike.</summary>
internal static class InvoiceStates
{
    private const string Kind = "invoice";

    public static bool IsPayable(JsonObject invoice) => (string?)invoice["status"] is "open" or "uncollectible";

    public static void RequirePayable(JsonObject invoice)
    {
        if (!IsPayable(invoice))
        {
            throw StripeFault.State(null, $"Only open or uncollectible invoices can be paid; this one is {invoice["status"]}.");
        }
    }

    public static void Finalize(StripeUnit unit, JsonObject invoice)
    {
        if ((string?)invoice["status"] != "draft")
        {
            throw StripeFault.State("invoice_not_editable", "This invoice is already finalized.");
        }

        CustomerBalance.Apply(unit, invoice);
        var amount = (long)invoice["amount_due"]!;
        invoice["number"] ??= Customers.NextInvoiceNumber(unit, (string)invoice["customer"]!);
        invoice["effective_at"] = unit.Now;
        invoice["automatically_finalizes_at"] = null;
        invoice["status"] = "open";
        invoice["status_transitions"]!["finalized_at"] = unit.Now;
        invoice["_pay_secret"] = StripeUnit.NewSecret();
        if ((long?)invoice["_days_until_due"] is { } days)
        {
            invoice["due_date"] = unit.Now + (days * 86400);
        }

        unit.Put(invoice);
        if (amount == 0)
        {
            unit.Tell("invoice.finalized", invoice);
            Settle(unit, invoice, null);
            return;
        }

        var intent = NewIntent(unit, invoice, amount);
        InvoicePayments.Make(unit, invoice, amount, isDefault: true, "payment_intent", (string)intent["id"]!);
        unit.Tell("invoice.finalized", invoice);
        unit.Tell("payment_intent.created", intent);
    }

    /// <summary>Mails the pay link; a draft is finalized first.</summary>
    public static void Send(StripeUnit unit, JsonObject invoice)
    {
        if ((string?)invoice["status"] == "draft")
        {
            Finalize(unit, invoice);
        }

        if ((string?)invoice["status"] != "open")
        {
            throw StripeFault.State(null, $"Only open invoices can be sent; this one is {invoice["status"]}.");
        }

        if ((string?)invoice["customer_email"] is not { } to)
        {
            throw StripeFault.State(null, "The customer has no email address to send the invoice to.");
        }

        unit.World.Mails.Enqueue(unit.Work, InvoiceMail.Write(unit.World, invoice, to));
        unit.Tell("invoice.sent", invoice);
    }

    public static void Void(StripeUnit unit, JsonObject invoice)
    {
        if (!IsPayable(invoice))
        {
            throw StripeFault.State(null, $"Only open or uncollectible invoices can be voided; this one is {invoice["status"]}.");
        }

        invoice["status"] = "void";
        invoice["status_transitions"]!["voided_at"] = unit.Now;
        unit.Put(invoice);
        unit.Tell("invoice.voided", invoice);
        InvoicePayments.CancelOpen(unit, (string)invoice["id"]!, "void_invoice");
        SubscriptionStates.InvoiceGivenUp(unit, invoice);
    }

    public static void MarkUncollectible(StripeUnit unit, JsonObject invoice)
    {
        if ((string?)invoice["status"] != "open")
        {
            throw StripeFault.State(null, $"Only open invoices can be marked as uncollectible; this one is {invoice["status"]}.");
        }

        invoice["status"] = "uncollectible";
        invoice["status_transitions"]!["marked_uncollectible_at"] = unit.Now;
        unit.Put(invoice);
        unit.Tell("invoice.marked_uncollectible", invoice);
    }

    /// <summary>Paid elsewhere: no money moves here, and the invoice's intent is no longer needed.</summary>
    public static void PaidOutOfBand(StripeUnit unit, JsonObject invoice)
    {
        var id = (string)invoice["id"]!;
        var rest = (long)invoice["amount_remaining"]!;
        InvoicePayments.CancelOpen(unit, id, "automatic");
        var payment = InvoicePayments.Make(unit, invoice, rest, isDefault: false, "payment_record", StripeUnit.NewId("prec"));
        InvoicePayments.Paid(unit, payment, rest);
        invoice["amount_paid"] = (long)invoice["amount_paid"]! + rest;
        invoice["amount_paid_off_stripe"] = (long)invoice["amount_paid_off_stripe"]! + rest;
        invoice["amount_remaining"] = 0L;
        invoice["status"] = "paid";
        invoice["status_transitions"]!["paid_at"] = unit.Now;
        unit.Put(invoice);
        unit.Tell("invoice.paid", invoice);
        unit.Tell("invoice_payment.paid", payment);
        SubscriptionStates.InvoicePaid(unit, invoice);
    }

    /// <summary>Tries a card: the given one, the invoice's or the customer's.</summary>
    public static void Charge(StripeUnit unit, JsonObject invoice, string? methodId, bool offSession)
    {
        var customer = (string)invoice["customer"]!;
        var id = methodId
            ?? (string?)invoice["default_payment_method"]
            ?? (string?)unit.Find("customer", customer)?["invoice_settings"]?["default_payment_method"]
            ?? throw StripeFault.State(null, "Neither the invoice nor its customer has a default payment method, and none is given.");
        var method = PaymentMethods.Refer(unit, id, customer, "payment_method");
        var intent = DefaultIntent(unit, invoice);
        PaymentIntents.Confirm(unit, intent, method, offSession: false);
        if ((string?)intent["status"] != "requires_action")
        {
            return;
        }

        invoice["attempted"] = true;
        invoice["attempt_count"] = (long)invoice["attempt_count"]! + 1;
        unit.Put(invoice);
        SubscriptionInvoices.AfterFailure(unit, invoice);
        unit.Tell("invoice.payment_action_required", invoice);
        SubscriptionStates.PaymentFailed(unit, invoice);
        throw new StripeFault(
            offSession ? 402 : 400,
            "card_error",
            "invoice_payment_intent_requires_action",
            "The card's holder must authenticate the payment of this invoice.")
        {
            KeepsChanges = true,
            PaymentIntent = unit.Render(intent),
        };
    }

    /// <summary>A part is paid by an intent of its own; the open payment shrinks to what is left.</summary>
    public static void PayPart(StripeUnit unit, JsonObject invoice, long amount, JsonObject method)
    {
        var rest = (long)invoice["amount_remaining"]! - amount;
        if (rest > 0 && InvoicePayments.Open(unit, (string)invoice["id"]!) is { } open)
        {
            Shrink(unit, invoice, open, rest);
            var part = NewIntent(unit, invoice, amount);
            InvoicePayments.Make(unit, invoice, amount, isDefault: false, "payment_intent", (string)part["id"]!);
            unit.Tell("payment_intent.created", part);
            PaymentIntents.Succeed(unit, part, method);
            return;
        }

        PaymentIntents.Succeed(unit, DefaultIntent(unit, invoice), method);
    }

    /// <summary>What is left to pay has become less; with nothing left the invoice is paid.</summary>
    public static void AskForLess(StripeUnit unit, JsonObject invoice, long rest)
    {
        if (rest == 0)
        {
            InvoicePayments.CancelOpen(unit, (string)invoice["id"]!, "automatic");
            Settle(unit, invoice, null);
        }
        else if (InvoicePayments.Open(unit, (string)invoice["id"]!) is { } open)
        {
            Shrink(unit, invoice, open, rest);
        }
    }

    /// <summary>The intent that pays what is left.</summary>
    public static JsonObject DefaultIntent(StripeUnit unit, JsonObject invoice) =>
        (string?)InvoicePayments.Open(unit, (string)invoice["id"]!)?["payment"]?["payment_intent"] is { } id
        && unit.Find("payment_intent", id) is { } intent
            ? intent
            : throw StripeFault.State(null, "Nothing is left to pay on this invoice.");

    /// <summary>A payment intent of the invoice has succeeded.</summary>
    public static void MoneyArrived(StripeUnit unit, string id, JsonObject intent)
    {
        var payment = InvoicePayments.OfIntent(unit, (string)intent["id"]!)!;
        InvoicePayments.Paid(unit, payment, (long)intent["amount_received"]!);
        var invoice = unit.Find(Kind, id)!;
        var (due, paid) = ((long)invoice["amount_due"]!, (long)invoice["amount_paid"]! + (long)intent["amount_received"]!);
        var previous = StripeUnit.Change(
            invoice,
            ("amount_paid", paid),
            ("amount_remaining", Math.Max(0, due - paid)),
            ("amount_overpaid", Math.Max(0, paid - due)),
            ("attempted", true),
            ("attempt_count", (long)invoice["attempt_count"]! + 1));
        if (paid >= due)
        {
            Settle(unit, invoice, payment);
            return;
        }

        unit.Put(invoice);
        unit.Tell("invoice_payment.paid", payment);
        unit.Tell("invoice.updated", invoice, previous);
    }

    public static void AttemptFailed(StripeUnit unit, string id)
    {
        var invoice = unit.Find(Kind, id)!;
        invoice["attempted"] = true;
        invoice["attempt_count"] = (long)invoice["attempt_count"]! + 1;
        unit.Put(invoice);
        SubscriptionInvoices.AfterFailure(unit, invoice);
        unit.Tell("invoice.payment_failed", invoice);
        SubscriptionStates.PaymentFailed(unit, invoice);
    }

    private static void Shrink(StripeUnit unit, JsonObject invoice, JsonObject open, long rest)
    {
        open["amount_requested"] = rest;
        unit.Put(open);
        var intent = DefaultIntent(unit, invoice);
        intent["amount"] = rest;
        unit.Put(intent);
    }

    private static void Settle(StripeUnit unit, JsonObject invoice, JsonObject? payment)
    {
        invoice["status"] = "paid";
        invoice["status_transitions"]!["paid_at"] = unit.Now;
        invoice["next_payment_attempt"] = null;
        unit.Put(invoice);
        unit.Tell("invoice.paid", invoice);
        if (payment is not null)
        {
            unit.Tell("invoice_payment.paid", payment);
        }

        unit.Tell("invoice.payment_succeeded", invoice);
        SubscriptionStates.InvoicePaid(unit, invoice);
    }

    private static JsonObject NewIntent(StripeUnit unit, JsonObject invoice, long amount)
    {
        var types = invoice["payment_settings"]!["payment_method_types"] is JsonArray { Count: > 0 } given
            ? given.Select(type => (string)type!).ToArray()
            : ["card"];
        var intent = PaymentIntents.Make(
            unit,
            amount,
            (string)invoice["currency"]!,
            (string)invoice["customer"]!,
            $"Payment for invoice {invoice["number"]}",
            types,
            (string)invoice["id"]!);
        unit.Put(intent);
        return intent;
    }
}
