using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>What ties an invoice to what pays it; since basil the only way from a payment intent to its invoice.</summary>
internal static class InvoicePayments
{
    private const string Kind = "invoice_payment";

    public static void Map(StripeRoutes routes)
    {
        routes.Get("/v1/invoice_payments/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id)));
        routes.List("/v1/invoice_payments", "created{gt gte lt lte} invoice status payment{type payment_intent payment_record}", List);
    }

    public static JsonObject Make(StripeUnit unit, JsonObject invoice, long requested, bool isDefault, string type, string payment)
    {
        var made = unit.New(Kind, "inpay");
        made["amount_paid"] = null;
        made["amount_requested"] = requested;
        made["currency"] = (string)invoice["currency"]!;
        made["invoice"] = (string)invoice["id"]!;
        made["is_default"] = isDefault;
        made["payment"] = new JsonObject { ["type"] = type, [type] = payment };
        made["status"] = "open";
        made["status_transitions"] = new JsonObject { ["canceled_at"] = null, ["paid_at"] = null };
        unit.Put(made);
        return made;
    }

    public static IReadOnlyList<JsonObject> All(StripeUnit unit, string invoice) =>
        unit.All(Kind, it => (string?)it["invoice"] == invoice);

    /// <summary>The one that pays what is left of an invoice, while there is something left.</summary>
    public static JsonObject? Open(StripeUnit unit, string invoice) =>
        All(unit, invoice).FirstOrDefault(it => (string?)it["status"] == "open");

    public static JsonObject? OfIntent(StripeUnit unit, string intent) =>
        unit.Newest(Kind, it => (string?)it["payment"]?["payment_intent"] == intent);

    public static void Paid(StripeUnit unit, JsonObject payment, long amount)
    {
        payment["amount_paid"] = amount;
        payment["status"] = "paid";
        payment["status_transitions"]!["paid_at"] = unit.Now;
        unit.Put(payment);
    }

    /// <summary>Nothing more is to be paid: ends the open payment and its intent.</summary>
    public static void CancelOpen(StripeUnit unit, string invoice, string reason)
    {
        if (Open(unit, invoice) is not { } open)
        {
            return;
        }

        open["status"] = "canceled";
        open["status_transitions"]!["canceled_at"] = unit.Now;
        unit.Put(open);
        if ((string?)open["payment"]!["payment_intent"] is { } intent && unit.Find("payment_intent", intent) is { } waiting)
        {
            PaymentIntents.Cancel(unit, waiting, reason);
        }
    }

    /// <summary>The list that <c>expand[]=payments</c> puts into an invoice.</summary>
    public static JsonObject Of(StripeUnit unit, string invoice) =>
        Lists.Of($"/v1/invoice_payments?invoice={invoice}", All(unit, invoice).Select(unit.Render));

    public static JsonObject? ConfirmationSecret(StripeUnit unit, string invoice) =>
        (string?)Open(unit, invoice)?["payment"]?["payment_intent"] is { } intent && unit.Find("payment_intent", intent) is { } waiting
            ? new JsonObject { ["client_secret"] = (string)waiting["client_secret"]!, ["type"] = "payment_intent" }
            : null;

    private static JsonObject List(StripeCall call)
    {
        var payment = call.Parameters.Below("payment");
        string? intent = null, record = null;
        if (call.Parameters.Has("payment"))
        {
            payment.Required("type");
            var type = payment.Choice("type", "payment_intent", "payment_record")!;
            var id = payment.Required(type);
            intent = type == "payment_intent" ? id : null;
            record = type == "payment_record" ? id : null;
        }

        var (invoice, status) = (Lists.Equal(call.Parameters, "invoice"), Lists.Equal(call.Parameters, "status"));
        return Lists.Answer(call, "/v1/invoice_payments", Kind, it =>
            invoice(it) && status(it)
            && (intent is null || (string?)it["payment"]!["payment_intent"] == intent)
            && (record is null || (string?)it["payment"]!["payment_record"] == record));
    }
}
