using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>The balance of an account is the sum of its transactions; nothing else holds money.</summary>
internal static class Balances
{
    private const string Kind = "balance_transaction";

    public static void Map(StripeRoutes routes)
    {
        routes.Get("/v1/balance", "", Show);
        routes.Get("/v1/balance_transactions/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id)));
        routes.List("/v1/balance_transactions", "created{gt gte lt lte} currency payout source type", call =>
        {
            // Payouts are made by hand here, so a payout has no list of what it pays out: only its own transaction.
            var payout = call.Parameters.Text("payout");
            var (currency, source, type) =
                (Lists.Equal(call.Parameters, "currency"), Lists.Equal(call.Parameters, "source"), Lists.Equal(call.Parameters, "type"));
            return Lists.Answer(call, "/v1/balance_transactions", Kind, it =>
                currency(it) && source(it) && type(it) && (payout is null || (string?)it["source"] == payout));
        });
    }

    /// <summary>What can be paid out or transferred now.</summary>
    public static long Available(StripeUnit unit, string currency) => unit.Sum(
        Kind, it => (string?)it["currency"] == currency && (long)it["available_on"]! <= unit.Now, it => (long)it["net"]!);

    /// <summary>Moves money in (positive) or out (negative).</summary>
    /// <param name="category">For reports, where the type has more than one.</param>
    /// <returns>The id of the transaction.</returns>
    public static string Record(
        StripeUnit unit, string type, string source, long amount, string currency, long fee = 0, string? description = null, long? availableOn = null,
        string? category = null)
    {
        var transaction = unit.New(Kind, "txn");
        transaction["amount"] = amount;
        transaction["available_on"] = availableOn ?? unit.Now;
        transaction["balance_type"] = "payments";
        transaction["currency"] = currency;
        transaction["description"] = description;
        transaction["exchange_rate"] = null;
        transaction["fee"] = fee;
        transaction["fee_details"] = fee == 0 ? [] : new JsonArray(new JsonObject
        {
            ["amount"] = fee,
            ["application"] = null,
            ["currency"] = currency,
            ["description"] = "Stripe processing fees",
            ["type"] = "stripe_fee",
        });
        transaction["net"] = amount - fee;
        transaction["reporting_category"] = category ?? type switch
        {
            "payment" => "charge",
            "payout_failure" => "payout_reversal",
            "adjustment" => "dispute",
            "payment_refund" => "refund",
            "transfer_refund" => "transfer_reversal",
            _ => type,
        };
        transaction["source"] = source;
        transaction["status"] = "available"; // Shown by the time it is asked.
        transaction["type"] = type;
        transaction.Remove("livemode");
        unit.Put(transaction);
        return (string)transaction["id"]!;
    }

    private static JsonObject Show(StripeCall call)
    {
        var byCurrency = call.Unit.All(Kind, _ => true).GroupBy(it => (string)it["currency"]!).ToDictionary(it => it.Key, it => it.ToArray());
        if (byCurrency.Count == 0)
        {
            byCurrency["eur"] = [];
        }

        JsonArray Amounts(Func<JsonObject, bool> counts) =>
        [
            .. byCurrency.OrderBy(it => it.Key, StringComparer.Ordinal).Select(it =>
            {
                var amount = it.Value.Where(counts).Sum(transaction => (long)transaction["net"]!);
                return new JsonObject
                {
                    ["amount"] = amount,
                    ["currency"] = it.Key,
                    ["source_types"] = new JsonObject { ["card"] = amount },
                };
            }),
        ];

        return new JsonObject
        {
            ["object"] = "balance",
            ["available"] = Amounts(it => (long)it["available_on"]! <= call.Unit.Now),
            ["livemode"] = false,
            ["pending"] = Amounts(it => (long)it["available_on"]! > call.Unit.Now),
        };
    }
}
