using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>What the cardholder's bank decides. Losing leaves the money where it is, with the cardholder; winning brings it back.</summary>
internal static class DisputeStates
{
    /// <summary>The timer of a bank that makes up its mind.</summary>
    public const string Decide = "dispute.decide";

    /// <summary>As with the real one's test disputes, these words in the evidence tell how it ends.</summary>
    private const string Winning = "winning_evidence";

    private const string Losing = "losing_evidence";

    private const string Kind = "dispute";

    public static bool IsOpen(JsonObject dispute) => (string?)dispute["status"] is "needs_response" or "under_review";

    /// <summary>The evidence goes to the bank.</summary>
    public static void Submit(StripeUnit unit, JsonObject dispute)
    {
        dispute["status"] = "under_review";
        dispute["evidence_details"]!["submission_count"] = (long)dispute["evidence_details"]!["submission_count"]! + 1;
        var words = (string?)dispute["evidence"]!["uncategorized_text"] ?? "";
        dispute["_verdict"] = words.Contains(Winning, StringComparison.Ordinal) ? "won" : words.Contains(Losing, StringComparison.Ordinal) ? "lost" : null;
        if (dispute["_verdict"] is not null)
        {
            unit.World.SetTimer(unit.Work, (string)dispute["id"]!, unit.Account, Decide, unit.World.Options.DisputeTakes);
        }
    }

    public static void Ring(StripeUnit unit, string id)
    {
        if (unit.Find(Kind, id) is { } dispute && IsOpen(dispute) && (string?)dispute["_verdict"] is { } verdict)
        {
            Close(unit, dispute, verdict == "won");
        }
    }

    public static void Close(StripeUnit unit, JsonObject dispute, bool won)
    {
        var charge = unit.Find("charge", (string)dispute["charge"]!)!;
        dispute["status"] = won ? "won" : "lost";
        if (won)
        {
            var transaction = Balances.Record(
                unit,
                "adjustment",
                (string)dispute["id"]!,
                (long)dispute["amount"]!,
                (string)dispute["currency"]!,
                description: $"Chargeback reversal for {charge["id"]}",
                category: "dispute_reversal");
            dispute["balance_transactions"]!.AsArray().Add(unit.Render(unit.Find("balance_transaction", transaction)!));
        }

        unit.Put(dispute);
        unit.Tell("charge.dispute.closed", dispute);
        if (won)
        {
            unit.Tell("charge.dispute.funds_reinstated", dispute);
        }
    }
}
