using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>A transferred share taken back, in whole or in part. It needs the connected account to have the money.</summary>
internal static class TransferReversals
{
    private const string Kind = "transfer_reversal";

    public static void Map(StripeRoutes routes)
    {
        routes.Post("/v1/transfers/{id}/reversals", "amount description metadata* refund_application_fee", Create);
        routes.List("/v1/transfers/{id}/reversals", "", call =>
        {
            var transfer = (string)call.Unit.Get("transfer", call.Id, "transfer")["id"]!;
            return Lists.Answer(call, $"/v1/transfers/{transfer}/reversals", Kind, it => (string?)it["transfer"] == transfer);
        });
        routes.Get("/v1/transfers/{parent}/reversals/{id}", "", call => call.Render(Find(call)));
        routes.Post("/v1/transfers/{parent}/reversals/{id}", "metadata*", Update);
    }

    /// <summary>The list that stands inside a transfer, the newest first.</summary>
    public static JsonObject Of(StripeUnit unit, string transfer) =>
        Lists.Of($"/v1/transfers/{transfer}/reversals", unit.All(Kind, it => (string?)it["transfer"] == transfer).Select(unit.Render));

    private static JsonObject Create(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var transfer = unit.Get("transfer", call.Id, "transfer");
        var (id, currency) = ((string)transfer["id"]!, (string)transfer["currency"]!);
        var left = (long)transfer["amount"]! - (long)transfer["amount_reversed"]!;
        var amount = given.Integer("amount") ?? left;
        if (amount < 1 && left > 0)
        {
            throw StripeFault.Parameter("amount", "This value must be greater than or equal to 1.");
        }

        if (amount > left || left == 0)
        {
            throw StripeFault.State(
                null, $"Of transfer {id} {Currency.Show(left, currency)} are left; {Currency.Show(amount, currency)} can't be reversed.", "amount");
        }

        var there = unit.For((string)transfer["destination"]!);
        var available = Balances.Available(there, currency);
        if (amount > available)
        {
            throw StripeFault.State(
                "balance_insufficient",
                $"The connected account's available balance of {Currency.Show(available, currency)} does not cover {Currency.Show(amount, currency)}.");
        }

        var reversal = unit.New(Kind, "trr");
        reversal.Remove("livemode");
        reversal["amount"] = amount;
        reversal["balance_transaction"] = Balances.Record(unit, "transfer_refund", (string)reversal["id"]!, amount, currency, description: given.Text("description"));
        reversal["currency"] = currency;
        reversal["destination_payment_refund"] = TakeBack(there, transfer, amount, currency);
        reversal["metadata"] = given.Metadata();
        reversal["source_refund"] = null;
        reversal["transfer"] = id;
        unit.Put(reversal);

        transfer["amount_reversed"] = (long)transfer["amount_reversed"]! + amount;
        transfer["reversed"] = amount == left;
        transfer["reversals"] = Of(unit, id);
        unit.Put(transfer);
        unit.Tell("transfer.reversed", transfer);
        return call.Render(reversal);
    }

    /// <summary>The far end: the payment that the transfer was there is refunded.</summary>
    private static string TakeBack(StripeUnit there, JsonObject transfer, long amount, string currency)
    {
        var payment = there.Find("charge", (string)transfer["destination_payment"]!)!;
        var refund = there.New("refund", "pyr");
        var id = (string)refund["id"]!;
        refund.Remove("livemode");
        foreach (var (field, value) in new (string, JsonNode?)[]
        {
            ("amount", amount),
            ("balance_transaction", Balances.Record(there, "payment_refund", id, -amount, currency)),
            ("charge", (string)payment["id"]!),
            ("currency", currency),
            ("customer", null),
            ("customer_account", null),
            ("metadata", new JsonObject()),
            ("payment_intent", null),
            ("payment_method", null),
            ("reason", null),
            ("receipt_number", null),
            ("source_transfer_reversal", null),
            ("status", "succeeded"),
            ("transfer_reversal", null),
        })
        {
            refund[field] = value;
        }

        there.Put(refund);
        var refunded = (long)payment["amount_refunded"]! + amount;
        StripeUnit.Change(payment, ("amount_refunded", refunded), ("refunded", refunded == (long)payment["amount"]!));
        there.Put(payment);
        return id;
    }

    private static JsonObject Find(StripeCall call) =>
        call.Unit.Get(Kind, call.Id) is var reversal && (string?)reversal["transfer"] == call.Parent
            ? reversal
            : throw StripeFault.NoSuch("transfer reversal", call.Id, "id", inUrl: true);

    private static JsonObject Update(StripeCall call)
    {
        var reversal = Find(call);
        reversal["metadata"] = call.Parameters.Metadata(reversal["metadata"]!.AsObject());
        call.Unit.Put(reversal);
        var transfer = call.Unit.Find("transfer", call.Parent!)!;
        transfer["reversals"] = Of(call.Unit, call.Parent!);
        call.Unit.Put(transfer);
        return call.Render(reversal);
    }
}
