using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Resources;

namespace CaveComm.Sandbox.Stripe.Wire;

/// <summary>Puts whole objects where an answer has their ids, along the paths of <c>expand[]</c>.</summary>
internal static class Expansion
{
    /// <summary>Ids by their beginning. What an account holds is expanded for that account; accounts are the platform's.</summary>
    private static readonly Dictionary<string, string> Kinds = new(StringComparer.Ordinal)
    {
        ["acct"] = "account",
        ["ch"] = "charge",
        ["cn"] = "credit_note",
        ["cs"] = "checkout.session",
        ["cus"] = "customer",
        ["du"] = "dispute",
        ["ii"] = "invoiceitem",
        ["in"] = "invoice",
        ["pi"] = "payment_intent",
        ["po"] = "payout",
        ["price"] = "price",
        ["prod"] = "product",
        ["py"] = "charge",
        ["pm"] = "payment_method",
        ["pyr"] = "refund",
        ["re"] = "refund",
        ["seti"] = "setup_intent",
        ["si"] = "subscription_item",
        ["trr"] = "transfer_reversal",
        ["sub"] = "subscription",
        ["tr"] = "transfer",
        ["txn"] = "balance_transaction",
    };

    private static readonly HashSet<string> Fields =
    [
        "balance_transaction", "charge", "customer", "default_payment_method", "default_price", "destination", "destination_payment",
        "destination_payment_refund", "failure_balance_transaction", "invoice", "latest_charge", "latest_invoice", "payment_intent",
        "payment_method", "price", "product", "setup_intent", "source", "source_transaction", "subscription", "transfer",
    ];

    public static void Apply(StripeUnit unit, JsonObject answer, IReadOnlyList<string> paths)
    {
        foreach (var path in paths)
        {
            var steps = path.Split('.');
            if (steps.Length > 4)
            {
                throw StripeFault.Parameter("expand", $"You cannot expand more than 4 levels of a property. Property: {path}");
            }

            Walk(unit, answer, steps, path);
        }
    }

    private static void Walk(StripeUnit unit, JsonObject at, ReadOnlySpan<string> steps, string path)
    {
        if (steps.IsEmpty)
        {
            return;
        }

        var field = steps[0];
        switch (at[field])
        {
            case JsonArray members:
                foreach (var member in members.OfType<JsonObject>())
                {
                    Walk(unit, member, steps[1..], path);
                }

                return;

            case JsonObject below:
                Walk(unit, below, steps[1..], path);
                return;

            case JsonValue value when Fields.Contains(field) && (string?)value is { } id:
                if (Load(unit, id) is { } whole)
                {
                    at[field] = whole;
                    Walk(unit, whole, steps[1..], path);
                }

                return;

            case null when at.ContainsKey(field) && (Fields.Contains(field) || field.EndsWith("_details", StringComparison.Ordinal) || field == "parent"):
                return;
        }

        var made = Virtual(unit, at, field, path);
        at[field] = made;
        if (made is not null)
        {
            Walk(unit, made, steps[1..], path);
        }
    }

    private static JsonObject? Load(StripeUnit unit, string id)
    {
        var prefix = id[..Math.Max(0, id.IndexOf('_', StringComparison.Ordinal))];
        return Kinds.TryGetValue(prefix, out var kind)
            && ((kind == "account" ? unit.For(null) : unit).Find(kind, id) ?? unit.Work.Find(StripeUnit.Collection(kind), id)) is { } thing
            ? unit.Render(thing)
            : null;
    }

    /// <summary>Fields that are there only when asked for.</summary>
    private static JsonObject? Virtual(StripeUnit unit, JsonObject at, string field, string path) => ((string?)at["object"], field) switch
    {
        ("invoice", "payments") => InvoicePayments.Of(unit, (string)at["id"]!),
        ("invoice", "confirmation_secret") => InvoicePayments.ConfirmationSecret(unit, (string)at["id"]!),
        ("checkout.session", "line_items") => Lists.Of(
            $"/v1/checkout/sessions/{at["id"]}/line_items",
            CheckoutSessions.LineItems(unit, unit.Find(CheckoutSessions.Kind, (string)at["id"]!)!)),
        ("charge", "refunds") => Lists.Of(
            $"/v1/charges/{at["id"]}/refunds",
            unit.All("refund", it => (string?)it["charge"] == (string?)at["id"]).Select(unit.Render)),
        _ => throw StripeFault.Parameter("expand", $"This property cannot be expanded ({path})."),
    };
}
