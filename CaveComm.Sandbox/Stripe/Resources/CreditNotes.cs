using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>A part of an invoice taken back: before it is paid there is less to pay, and after it there is money to give back.</summary>
internal static class CreditNotes
{
    private const string Kind = "credit_note";

    public static void Map(StripeRoutes routes)
    {
        routes.Post(
            "/v1/credit_notes",
            "invoice amount credit_amount refund_amount out_of_band_amount refunds[]{refund amount_refunded type} memo metadata* reason",
            Create);
        routes.Post("/v1/credit_notes/{id}", "memo metadata*", Update);
        routes.Get("/v1/credit_notes/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id)));
        routes.List("/v1/credit_notes", "created{gt gte lt lte} customer invoice", call =>
        {
            var (customer, invoice) = (Lists.Equal(call.Parameters, "customer"), Lists.Equal(call.Parameters, "invoice"));
            return Lists.Answer(call, "/v1/credit_notes", Kind, it => customer(it) && invoice(it));
        });
    }

    private static JsonObject Create(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var invoice = unit.Refer("invoice", given.Required("invoice"), "invoice");
        var amount = given.RequiredInteger("amount");
        if (amount < 1)
        {
            throw StripeFault.Parameter("amount", "This value must be greater than or equal to 1.");
        }

        var note = New(unit, given, invoice, amount);
        switch ((string?)invoice["status"])
        {
            case "open":
                TakeOff(unit, invoice, amount);
                note["type"] = "pre_payment";
                note["pre_payment_amount"] = amount;
                break;

            case "paid":
                note["refunds"] = GiveBack(unit, given, invoice, amount);
                note["out_of_band_amount"] = given.Integer("out_of_band_amount");
                note["type"] = "post_payment";
                note["post_payment_amount"] = amount;
                break;

            default:
                throw StripeFault.State(null, $"Credit notes are for open and paid invoices; this one is {invoice["status"]}.", "invoice");
        }

        unit.Put(note);
        unit.Tell("credit_note.created", note);
        return call.Render(note);
    }

    private static JsonObject New(StripeUnit unit, StripeParameters given, JsonObject invoice, long amount)
    {
        var id = (string)invoice["id"]!;
        var note = unit.New(Kind, "cn");
        foreach (var (field, value) in new (string, JsonNode?)[]
        {
            ("amount", amount),
            ("amount_shipping", 0L),
            ("currency", (string)invoice["currency"]!),
            ("customer", (string)invoice["customer"]!),
            ("customer_account", null),
            ("customer_balance_transaction", null),
            ("discount_amount", 0L),
            ("discount_amounts", new JsonArray()),
            ("effective_at", unit.Now),
            ("invoice", id),
            ("lines", Lists.Of($"/v1/credit_notes/{note["id"]}/lines", [])),
            ("memo", given.Text("memo")),
            ("metadata", given.Metadata()),
            ("number", $"{invoice["number"]}-CN-{unit.Ids(Kind, it => (string?)it["invoice"] == id).Count + 1:D2}"),
            ("out_of_band_amount", null),
            ("pdf", Invoices.PayUrl(unit.World, invoice).AbsoluteUri + $"/{note["id"]}"),
            ("post_payment_amount", 0L),
            ("pre_payment_amount", 0L),
            ("pretax_credit_amounts", new JsonArray()),
            ("reason", given.Choice("reason", "duplicate", "fraudulent", "order_change", "product_unsatisfactory")),
            ("refunds", new JsonArray()),
            ("shipping_cost", null),
            ("status", "issued"),
            ("subtotal", amount),
            ("subtotal_excluding_tax", amount),
            ("total", amount),
            ("total_excluding_tax", amount),
            ("total_taxes", new JsonArray()),
            ("voided_at", null),
        })
        {
            note[field] = value;
        }

        return note;
    }

    /// <summary>Less is left to pay; with nothing left the invoice is paid.</summary>
    private static void TakeOff(StripeUnit unit, JsonObject invoice, long amount)
    {
        var rest = (long)invoice["amount_remaining"]! - amount;
        if (rest < 0)
        {
            throw StripeFault.State(null, $"The credit note is over more than the {invoice["amount_remaining"]} that are left to pay.", "amount");
        }

        var previous = StripeUnit.Change(
            invoice,
            ("amount_due", (long)invoice["amount_due"]! - amount),
            ("amount_remaining", rest),
            ("pre_payment_credit_notes_amount", (long)invoice["pre_payment_credit_notes_amount"]! + amount));
        unit.Put(invoice);
        unit.Tell("invoice.updated", invoice, previous);
        InvoiceStates.AskForLess(unit, invoice, rest);
    }

    /// <summary>What was paid goes back to the card, or is kept as a credit of the customer, or is given back elsewhere.</summary>
    private static JsonArray GiveBack(StripeUnit unit, StripeParameters given, JsonObject invoice, long amount)
    {
        var credited = (long)invoice["post_payment_credit_notes_amount"]! + amount;
        if (credited > (long)invoice["amount_paid"]!)
        {
            throw StripeFault.State(null, $"The credit notes of this invoice would be over more than the {invoice["amount_paid"]} that were paid.", "amount");
        }

        var (refund, credit, elsewhere) =
            (given.Integer("refund_amount") ?? 0, given.Integer("credit_amount") ?? 0, given.Integer("out_of_band_amount") ?? 0);
        var made = given.Members("refunds").Select(it => Linked(unit, it)).ToList();
        if (refund + credit + elsewhere + made.Sum(it => (long)it["amount_refunded"]!) != amount)
        {
            throw StripeFault.State(
                null, "The sum of credit_amount, refund_amount, out_of_band_amount and refunds must be the credit note's amount.", "amount");
        }

        if (refund > 0)
        {
            var intent = InvoicePayments.All(unit, (string)invoice["id"]!)
                .Where(it => (string?)it["status"] == "paid")
                .Select(it => (string?)it["payment"]!["payment_intent"])
                .FirstOrDefault(it => it is not null) ?? throw StripeFault.State(null, "Nothing of this invoice was paid by a card.", "refund_amount");
            var charge = unit.Find("charge", (string)unit.Find("payment_intent", intent)!["latest_charge"]!)!;
            made.Add(Shown((string)Refunds.Make(unit, charge, refund, "requested_by_customer", [])["id"]!, refund));
        }

        if (credit > 0 && unit.Find("customer", (string)invoice["customer"]!) is { } customer)
        {
            var before = StripeUnit.Change(customer, ("balance", (long)customer["balance"]! - credit));
            unit.Put(customer);
            unit.Tell("customer.updated", customer, before);
        }

        var previous = StripeUnit.Change(invoice, ("post_payment_credit_notes_amount", credited));
        unit.Put(invoice);
        unit.Tell("invoice.updated", invoice, previous);
        return [.. made];
    }

    private static JsonObject Linked(StripeUnit unit, StripeParameters given)
    {
        var refund = unit.Refer("refund", given.Required("refund"), given.Name("refund"));
        return Shown((string)refund["id"]!, given.Integer("amount_refunded") ?? (long)refund["amount"]!);
    }

    private static JsonObject Shown(string refund, long amount) =>
        new() { ["amount_refunded"] = amount, ["payment_record_refund"] = null, ["refund"] = refund, ["type"] = "refund" };

    private static JsonObject Update(StripeCall call)
    {
        var note = call.Unit.Get(Kind, call.Id);
        var before = note.DeepClone().AsObject();
        call.Parameters.Copy(note, "memo");
        note["metadata"] = call.Parameters.Metadata(note["metadata"]!.AsObject());
        call.Unit.Put(note);
        call.Unit.Tell("credit_note.updated", note, StripeUnit.Differences(before, note));
        return call.Render(note);
    }
}
