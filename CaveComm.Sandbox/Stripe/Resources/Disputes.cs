using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

internal static class Disputes
{
    private const string Kind = "dispute";
    private const long Fee = 2000;

    private static readonly string[] EvidenceFields =
    [
        "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure", "cancellation_rebuttal",
        "customer_communication", "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
        "duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt",
        "refund_policy", "refund_policy_disclosure", "refund_refusal_explanation", "service_date", "service_documentation",
        "shipping_address", "shipping_carrier", "shipping_date", "shipping_documentation", "shipping_tracking_number",
        "uncategorized_file", "uncategorized_text",
    ];

    public static void Map(StripeRoutes routes)
    {
        routes.Get("/v1/disputes/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id, Kind)));
        routes.Post("/v1/disputes/{id}", $"evidence{{{string.Join(' ', EvidenceFields)}}} metadata* submit", Update);
        routes.Post("/v1/disputes/{id}/close", "", Close);
        routes.List("/v1/disputes", "created{gt gte lt lte} charge payment_intent", call =>
        {
            var (charge, intent) = (Lists.Equal(call.Parameters, "charge"), Lists.Equal(call.Parameters, "payment_intent"));
            return Lists.Answer(call, "/v1/disputes", Kind, it => charge(it) && intent(it));
        });
    }

    /// <summary>Whether the cardholder's bank holds the charge's money, or has kept it.</summary>
    public static bool HoldsMoneyOf(StripeUnit unit, JsonObject charge) =>
        unit.Newest(Kind, it => (string?)it["charge"] == (string?)charge["id"]) is { } dispute && (string?)dispute["status"] != "won";

    /// <summary>The cardholder disputes a charge: the money is taken back at once, and a fee with it.</summary>
    public static void Open(StripeUnit unit, JsonObject charge)
    {
        if ((bool)charge["disputed"]! || (string?)charge["status"] != "succeeded")
        {
            return;
        }

        var amount = (long)charge["amount"]! - (long)charge["amount_refunded"]!;
        var dispute = unit.New(Kind, "du");
        var transaction = Balances.Record(
            unit, "adjustment", (string)dispute["id"]!, -amount, (string)charge["currency"]!, Fee, $"Chargeback withdrawal for {charge["id"]}");
        dispute["amount"] = amount;
        dispute["balance_transactions"] = new JsonArray(unit.Render(unit.Find("balance_transaction", transaction)!));
        dispute["charge"] = (string)charge["id"]!;
        dispute["currency"] = (string)charge["currency"]!;
        dispute["enhanced_eligibility_types"] = new JsonArray();
        dispute["evidence"] = Evidence();
        dispute["evidence_details"] = new JsonObject
        {
            ["due_by"] = unit.Now + (9 * 86400),
            ["enhanced_eligibility"] = new JsonObject(),
            ["has_evidence"] = false,
            ["past_due"] = false,
            ["submission_count"] = 0L,
        };
        dispute["is_charge_refundable"] = false;
        dispute["metadata"] = new JsonObject();
        dispute["payment_intent"] = (string?)charge["payment_intent"];
        dispute["reason"] = "product_not_received";
        dispute["status"] = "needs_response";
        unit.Put(dispute);
        charge["disputed"] = true;
        unit.Put(charge);
        unit.Tell("charge.dispute.created", dispute);
        unit.Tell("charge.dispute.funds_withdrawn", dispute);
    }

    private static JsonObject Evidence()
    {
        var evidence = new JsonObject { ["enhanced_evidence"] = new JsonObject() };
        foreach (var field in EvidenceFields)
        {
            evidence[field] = null;
        }

        return evidence;
    }

    private static JsonObject Update(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var dispute = unit.Get(Kind, call.Id, Kind);
        var before = unit.Render(dispute);
        var evidence = given.Below("evidence");
        var submits = given.Flag("submit") ?? given.Has("evidence");
        if ((given.Has("evidence") || submits) && (string?)dispute["status"] != "needs_response")
        {
            throw StripeFault.State(null, $"Evidence is taken while the dispute needs a response; this one is {dispute["status"]}.", "evidence");
        }

        foreach (var field in EvidenceFields.Where(evidence.Has))
        {
            dispute["evidence"]![field] = evidence.Text(field);
        }

        dispute["evidence_details"]!["has_evidence"] = EvidenceFields.Any(field => dispute["evidence"]![field] is not null);
        dispute["metadata"] = given.Metadata(dispute["metadata"]!.AsObject());
        if (submits)
        {
            DisputeStates.Submit(unit, dispute);
        }

        unit.Put(dispute);
        unit.Tell("charge.dispute.updated", dispute, StripeUnit.Differences(before, dispute));
        return call.Render(dispute);
    }

    /// <summary>Accepting a dispute is losing it.</summary>
    private static JsonObject Close(StripeCall call)
    {
        var dispute = call.Unit.Get(Kind, call.Id, Kind);
        if (!DisputeStates.IsOpen(dispute))
        {
            throw StripeFault.State(null, $"This dispute is already closed: {dispute["status"]}.");
        }

        DisputeStates.Close(call.Unit, dispute, won: false);
        return call.Render(dispute);
    }
}
