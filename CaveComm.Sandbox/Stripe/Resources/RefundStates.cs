using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>From asked for to succeeded, failed or cancelled. The money leaves the balance at the beginning, and comes back when it fails.</summary>
internal static class RefundStates
{
    /// <summary>The timer of a refund that is not at its end.</summary>
    public const string Move = "refund.move";

    private const string Kind = "refund";

    public static void Begin(StripeUnit unit, JsonObject refund, JsonObject charge)
    {
        var outcome = Outcome(unit, refund);
        refund["_outcome"] = outcome;
        refund["status"] = outcome switch
        {
            RefundOutcomes.Pending or RefundOutcomes.Short => "pending",
            RefundOutcomes.Action => "requires_action",
            _ => "succeeded",
        };
        if (outcome is RefundOutcomes.Pending or RefundOutcomes.Short)
        {
            refund["pending_reason"] = outcome == RefundOutcomes.Short ? "insufficient_funds" : "processing";
        }

        var transaction = outcome == RefundOutcomes.Short ? null : Withdraw(unit, refund);
        refund["balance_transaction"] = transaction;
        unit.Put(refund);
        if (outcome is RefundOutcomes.Pending or RefundOutcomes.Short or RefundOutcomes.Fail)
        {
            SetTimer(unit, refund);
        }

        unit.Tell("refund.created", refund);
        var previous = TakeFrom(unit, charge, (long)refund["amount"]!);
        unit.Tell("charge.refunded", charge, previous);
    }

    /// <summary>The next step of a refund; one that is at its end has none.</summary>
    public static void MoveOn(StripeUnit unit, string id)
    {
        if (unit.Find(Kind, id) is not { } refund)
        {
            return;
        }

        switch (((string?)refund["_outcome"], (string?)refund["status"]))
        {
            case (RefundOutcomes.Fail, "succeeded"):
                Fail(unit, refund, "expired_or_canceled_card");
                break;

            case (RefundOutcomes.Short, "pending") when Balances.Available(unit, (string)refund["currency"]!) < (long)refund["amount"]!:
                SetTimer(unit, refund);
                break;

            case (RefundOutcomes.Short, "pending"):
                refund["balance_transaction"] = Withdraw(unit, refund);
                Succeed(unit, refund);
                break;

            case (RefundOutcomes.Pending, "pending"):
                Succeed(unit, refund);
                break;
        }
    }

    public static void Cancel(StripeUnit unit, JsonObject refund)
    {
        var previous = StripeUnit.Change(refund, ("status", "canceled"));
        GiveBack(unit, refund);
        unit.Put(refund);
        TellUpdated(unit, refund, previous);
    }

    /// <summary>Two events tell of every change: the refund's own, and the older one that is named after the charge.</summary>
    public static void TellUpdated(StripeUnit unit, JsonObject refund, JsonObject previous)
    {
        unit.Tell("refund.updated", refund, previous.DeepClone().AsObject());
        unit.Tell("charge.refund.updated", refund, previous);
    }

    /// <summary>What a refund comes to: by the card, where that is one of the test cards for it, else by the control.</summary>
    private static string Outcome(StripeUnit unit, JsonObject refund)
    {
        var behaviour = (string?)refund["payment_method"] is { } method ? (string?)unit.Find("payment_method", method)?["_behaviour"] : null;
        return behaviour switch
        {
            PaymentMethods.RefundFails => RefundOutcomes.Fail,
            PaymentMethods.RefundIsPending => RefundOutcomes.Pending,
            _ => RefundOutcomes.Read(unit),
        };
    }

    private static void Succeed(StripeUnit unit, JsonObject refund)
    {
        var previous = StripeUnit.Change(refund, ("status", "succeeded"));
        refund.Remove("pending_reason");
        unit.Put(refund);
        TellUpdated(unit, refund, previous);
    }

    private static void Fail(StripeUnit unit, JsonObject refund, string reason)
    {
        var previous = StripeUnit.Change(refund, ("status", "failed"));
        refund["failure_reason"] = reason;
        GiveBack(unit, refund);
        unit.Put(refund);
        unit.Tell("refund.failed", refund);
        TellUpdated(unit, refund, previous);
    }

    private static string Withdraw(StripeUnit unit, JsonObject refund) => Balances.Record(
        unit, "refund", (string)refund["id"]!, -(long)refund["amount"]!, (string)refund["currency"]!, description: $"REFUND FOR CHARGE {refund["charge"]}");

    private static void GiveBack(StripeUnit unit, JsonObject refund)
    {
        if (refund["balance_transaction"] is not null)
        {
            refund["failure_balance_transaction"] = Balances.Record(
                unit, "refund_failure", (string)refund["id"]!, (long)refund["amount"]!, (string)refund["currency"]!);
        }

        var charge = unit.Find("charge", (string)refund["charge"]!)!;
        var previous = TakeFrom(unit, charge, -(long)refund["amount"]!);
        unit.Tell("charge.updated", charge, previous);
    }

    private static JsonObject TakeFrom(StripeUnit unit, JsonObject charge, long amount)
    {
        var refunded = (long)charge["amount_refunded"]! + amount;
        var previous = StripeUnit.Change(charge, ("amount_refunded", refunded), ("refunded", refunded == (long)charge["amount"]!));
        unit.Put(charge);
        return previous;
    }

    private static void SetTimer(StripeUnit unit, JsonObject refund) =>
        unit.World.SetTimer(unit.Work, (string)refund["id"]!, unit.Account, Move, unit.World.Options.RefundTakes);
}
