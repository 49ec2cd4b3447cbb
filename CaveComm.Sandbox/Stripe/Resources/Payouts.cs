using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>Money from a balance to a bank: pending, then in transit, then paid (or failed) by itself.</summary>
internal static class Payouts
{
    /// <summary>The timer of a payout on its way.</summary>
    public const string Move = "payout.move";

    private const string Kind = "payout";

    public static void Map(StripeRoutes routes)
    {
        routes.Post("/v1/payouts", "amount currency method description destination statement_descriptor source_type metadata*", Create);
        routes.Post("/v1/payouts/{id}", "metadata*", Update);
        routes.Post("/v1/payouts/{id}/cancel", "", Cancel);
        routes.Get("/v1/payouts/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id, Kind)));
        routes.List("/v1/payouts", "created{gt gte lt lte} arrival_date{gt gte lt lte} destination status", call =>
        {
            var (destination, status, arrival) = (
                Lists.Equal(call.Parameters, "destination"),
                Lists.Equal(call.Parameters, "status"),
                Lists.Within(call.Parameters, "arrival_date"));
            return Lists.Answer(call, "/v1/payouts", Kind, it => destination(it) && status(it) && arrival(it));
        });
    }

    /// <summary>The next step of a payout; one that was cancelled has none.</summary>
    public static void MoveOn(StripeUnit unit, string id)
    {
        if (unit.Find(Kind, id) is not { } payout)
        {
            return;
        }

        switch ((string?)payout["status"])
        {
            case "pending":
                payout["status"] = "in_transit";
                unit.Put(payout);
                unit.Tell("payout.updated", payout, new JsonObject { ["status"] = "pending" });
                SetTimer(unit, id);
                break;

            case "in_transit" when (bool)payout["_fails"]!:
                Fail(unit, payout);
                break;

            case "in_transit":
                payout["status"] = "paid";
                payout["trace_id"] = new JsonObject { ["status"] = "supported", ["value"] = StripeUnit.NewSecret(12) };
                unit.Put(payout);
                unit.Tell("payout.paid", payout);
                break;
        }
    }

    /// <summary>A bank sends back what had arrived, as it can within days.</summary>
    /// <returns>False when there is no such payout, or it has not arrived.</returns>
    public static bool Return(StripeUnit unit, string id)
    {
        if (unit.Find(Kind, id) is not { } payout || (string?)payout["status"] != "paid")
        {
            return false;
        }

        Fail(unit, payout);
        return true;
    }

    private static JsonObject Create(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var amount = given.RequiredInteger("amount");
        given.Required("currency");
        var currency = Currency.Read(given, "currency")!;
        if (amount < 1)
        {
            throw StripeFault.Parameter("amount", "This value must be greater than or equal to 1.");
        }

        var account = unit.Account is { } connected ? unit.For(null).Find("account", connected) : null;
        if (account is not null && !(bool)account["payouts_enabled"]!)
        {
            throw StripeFault.State("payouts_not_allowed", "Payouts are not enabled for this account; its onboarding is not finished.");
        }

        var available = Balances.Available(unit, currency);
        if (amount > available)
        {
            throw StripeFault.State(
                "balance_insufficient",
                $"The available balance of {Currency.Show(available, currency)} does not cover {Currency.Show(amount, currency)}.");
        }

        var payout = unit.New(Kind, "po");
        var id = (string)payout["id"]!;
        foreach (var field in new[]
        {
            "application_fee", "application_fee_amount", "failure_balance_transaction", "failure_code", "failure_message", "original_payout",
            "payout_method", "reversed_by",
        })
        {
            payout[field] = null;
        }

        payout["amount"] = amount;
        payout["arrival_date"] = unit.Now + (long)Math.Ceiling(unit.World.Options.PayoutTakes.TotalSeconds);
        payout["automatic"] = false;
        payout["balance_transaction"] = Balances.Record(unit, "payout", id, -amount, currency, description: given.Text("description"));
        payout["currency"] = currency;
        payout["description"] = given.Text("description");
        payout["destination"] = given.Text("destination") ?? (string?)account?["_bank"] ?? "ba_1Platform";
        payout["metadata"] = given.Metadata();
        payout["method"] = given.Choice("method", "instant", "standard") ?? "standard";
        payout["reconciliation_status"] = "not_applicable";
        payout["source_type"] = "card";
        payout["statement_descriptor"] = given.Text("statement_descriptor");
        payout["status"] = "pending";
        payout["trace_id"] = new JsonObject { ["status"] = "pending", ["value"] = null };
        payout["type"] = "bank_account";
        payout["_fails"] = unit.World.Controls().FailPayouts;
        unit.Put(payout);
        unit.Tell("payout.created", payout);
        SetTimer(unit, id);
        return call.Render(payout);
    }

    private static void Fail(StripeUnit unit, JsonObject payout)
    {
        payout["status"] = "failed";
        payout["failure_code"] = "account_closed";
        payout["failure_message"] = "The bank account has been closed.";
        GiveBack(unit, payout);
        unit.Put(payout);
        unit.Tell("payout.failed", payout);
    }

    private static JsonObject Cancel(StripeCall call)
    {
        var payout = call.Unit.Get(Kind, call.Id, Kind);
        if ((string?)payout["status"] != "pending")
        {
            throw StripeFault.State(null, $"Only pending payouts can be cancelled; this one is {payout["status"]}.");
        }

        payout["status"] = "canceled";
        GiveBack(call.Unit, payout);
        call.Unit.Put(payout);
        call.Unit.Tell("payout.canceled", payout);
        return call.Render(payout);
    }

    private static void GiveBack(StripeUnit unit, JsonObject payout) => payout["failure_balance_transaction"] = Balances.Record(
        unit, "payout_failure", (string)payout["id"]!, (long)payout["amount"]!, (string)payout["currency"]!);

    private static JsonObject Update(StripeCall call)
    {
        var payout = call.Unit.Get(Kind, call.Id, Kind);
        payout["metadata"] = call.Parameters.Metadata(payout["metadata"]!.AsObject());
        call.Unit.Put(payout);
        return call.Render(payout);
    }

    private static void SetTimer(StripeUnit unit, string id) =>
        unit.World.SetTimer(unit.Work, id, unit.Account, Move, unit.World.Options.PayoutTakes / 2);
}
