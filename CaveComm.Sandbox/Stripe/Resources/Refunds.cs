using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>The calls about refunds; how one ends is in <see cref="RefundStates"/>.</summary>
internal static class Refunds
{
    private const string Kind = "refund";

    public static void Map(StripeRoutes routes)
    {
        routes.Post(
            "/v1/refunds", "charge payment_intent amount reason metadata* reverse_transfer refund_application_fee instructions_email", Create);
        routes.Post("/v1/refunds/{id}", "metadata*", Update);
        routes.Post("/v1/refunds/{id}/cancel", "", Cancel);
        routes.Get("/v1/refunds/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id, Kind)));
        routes.List("/v1/refunds", "created{gt gte lt lte} charge payment_intent", call =>
        {
            var (charge, intent) = (Lists.Equal(call.Parameters, "charge"), Lists.Equal(call.Parameters, "payment_intent"));
            return Lists.Answer(call, "/v1/refunds", Kind, it => charge(it) && intent(it));
        });
    }

    /// <summary>Gives back a part of a charge, or all that is left of it.</summary>
    /// <param name="amount">Null: all that is left.</param>
    public static JsonObject Make(StripeUnit unit, JsonObject charge, long? amount, string? reason, JsonObject metadata)
    {
        var currency = (string)charge["currency"]!;
        var left = (long)charge["amount"]! - (long)charge["amount_refunded"]!;
        if (left == 0)
        {
            throw StripeFault.State("charge_already_refunded", $"Charge {charge["id"]} has already been refunded.");
        }

        if (Disputes.HoldsMoneyOf(unit, charge))
        {
            throw StripeFault.State("charge_disputed", $"Charge {charge["id"]} has been charged back; cannot issue a refund.");
        }

        if (amount < 1)
        {
            throw StripeFault.Parameter("amount", "This value must be greater than or equal to 1.");
        }

        if (amount > left)
        {
            throw StripeFault.State(
                null,
                $"Refund amount ({Currency.Show(amount.Value, currency)}) is greater than unrefunded amount on charge ({Currency.Show(left, currency)})",
                "amount");
        }

        var refund = New(unit, charge, amount ?? left, reason, metadata);
        RefundStates.Begin(unit, refund, charge);
        return refund;
    }

    private static JsonObject Create(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        if (given.Has("charge") && given.Has("payment_intent"))
        {
            throw StripeFault.Early("parameters_exclusive", "You may only give one of these parameters: charge, payment_intent.", "payment_intent");
        }

        if (given.Flag("reverse_transfer") is true || given.Flag("refund_application_fee") is true)
        {
            throw StripeFault.State(
                null, "This is only for destination charges; reverse a separate transfer by itself.", given.Has("reverse_transfer") ? "reverse_transfer" : "refund_application_fee");
        }

        var reason = given.Choice("reason", "duplicate", "fraudulent", "requested_by_customer");
        var refund = Make(unit, Charge(unit, given), given.Integer("amount"), reason, given.Metadata());
        return call.Render(unit.Find(Kind, (string)refund["id"]!)!);
    }

    private static JsonObject Charge(StripeUnit unit, StripeParameters given)
    {
        if (given.Text("payment_intent") is { } id)
        {
            var intent = unit.Refer("payment_intent", id, "payment_intent");
            return (string?)intent["status"] == "succeeded" && (string?)intent["latest_charge"] is { } latest
                ? unit.Find("charge", latest)!
                : throw StripeFault.State(null, $"This PaymentIntent ({id}) does not have a successful charge to refund.", "payment_intent");
        }

        var charge = unit.Refer("charge", given.Required("charge"), "charge");
        return (string?)charge["status"] == "succeeded"
            ? charge
            : throw StripeFault.State(null, $"Charge {charge["id"]} is {charge["status"]}; only a successful one can be refunded.", "charge");
    }

    private static JsonObject New(StripeUnit unit, JsonObject charge, long amount, string? reason, JsonObject metadata)
    {
        var refund = unit.New(Kind, "re");
        refund.Remove("livemode");
        foreach (var (field, value) in new (string, JsonNode?)[]
        {
            ("amount", amount),
            ("balance_transaction", null),
            ("charge", (string)charge["id"]!),
            ("currency", (string)charge["currency"]!),
            ("customer", (string?)charge["customer"]),
            ("customer_account", null),
            ("destination_details", new JsonObject
            {
                ["card"] = new JsonObject { ["reference_status"] = "pending", ["reference_type"] = "acquirer_reference_number", ["type"] = "refund" },
                ["type"] = "card",
            }),
            ("metadata", metadata),
            ("payment_intent", (string?)charge["payment_intent"]),
            ("payment_method", (string?)charge["payment_method"]),
            ("reason", reason),
            ("receipt_number", null),
            ("source_transfer_reversal", null),
            ("status", "pending"),
            ("transfer_reversal", null),
        })
        {
            refund[field] = value;
        }

        return refund;
    }

    private static JsonObject Update(StripeCall call)
    {
        var refund = call.Unit.Get(Kind, call.Id, Kind);
        var previous = StripeUnit.Change(refund, ("metadata", call.Parameters.Metadata(refund["metadata"]!.AsObject())));
        call.Unit.Put(refund);
        RefundStates.TellUpdated(call.Unit, refund, previous);
        return call.Render(refund);
    }

    private static JsonObject Cancel(StripeCall call)
    {
        var refund = call.Unit.Get(Kind, call.Id, Kind);
        if ((string?)refund["status"] != "requires_action")
        {
            throw StripeFault.State(null, $"Only a refund that requires action can be canceled; this one is {refund["status"]}.");
        }

        RefundStates.Cancel(call.Unit, refund);
        return call.Render(refund);
    }
}
