using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>An attempt to take money for a payment intent, one that succeeded or failed.</summary>
internal static class Charges
{
    private const string Kind = "charge";

    public static void Map(StripeRoutes routes)
    {
        routes.Get("/v1/charges/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id)));
        routes.List("/v1/charges", "created{gt gte lt lte} customer payment_intent transfer_group", call =>
        {
            var (customer, intent, group) = (
                Lists.Equal(call.Parameters, "customer"),
                Lists.Equal(call.Parameters, "payment_intent"),
                Lists.Equal(call.Parameters, "transfer_group"));
            return Lists.Answer(call, "/v1/charges", Kind, it => customer(it) && intent(it) && group(it));
        });
    }

    public static JsonObject Succeeded(StripeUnit unit, JsonObject intent, JsonObject method, long amount)
    {
        var charge = New(unit, intent, method, amount);
        charge["amount_captured"] = amount;
        charge["captured"] = true;
        charge["paid"] = true;
        charge["status"] = "succeeded";
        charge["receipt_url"] = new Uri(unit.World.BaseUrl, $"/receipts/{charge["id"]}").AbsoluteUri;
        charge["outcome"] = Outcome("approved_by_network", null, "Payment complete.", "authorized");
        charge["balance_transaction"] = Balances.Record(
            unit,
            "charge",
            (string)charge["id"]!,
            amount,
            (string)charge["currency"]!,
            Fee(amount, (string)charge["currency"]!),
            (string?)charge["description"],
            unit.Now + (long)unit.World.Options.FundsAvailableAfter.TotalSeconds);
        unit.Put(charge);
        return charge;
    }

    public static JsonObject Failed(StripeUnit unit, JsonObject intent, JsonObject method, string declineCode)
    {
        var charge = New(unit, intent, method, (long)intent["amount"]!);
        charge["failure_code"] = "card_declined";
        charge["failure_message"] = "The card was declined.";
        charge["outcome"] = Outcome("declined_by_network", declineCode, "The bank did not say more than that it declined.", "issuer_declined");
        charge["status"] = "failed";
        unit.Put(charge);
        return charge;
    }

    /// <summary>The far end of a transfer: what a connected account gets shows there as a payment.</summary>
    public static JsonObject Arrived(StripeUnit there, string transfer, long amount, string currency, long availableOn)
    {
        var payment = New(there, null, null, amount, "py");
        payment["currency"] = currency;
        payment["amount_captured"] = amount;
        payment["captured"] = true;
        payment["paid"] = true;
        payment["status"] = "succeeded";
        payment["source_transfer"] = transfer;
        payment["balance_transaction"] =
            Balances.Record(there, "payment", (string)payment["id"]!, amount, currency, availableOn: availableOn);
        there.Put(payment);
        return payment;
    }

    public static JsonObject BillingDetails(StripeUnit unit, string? customer)
    {
        var known = customer is null ? null : unit.Find("customer", customer);
        return new JsonObject
        {
            ["address"] = new JsonObject
            {
                ["city"] = null,
                ["country"] = null,
                ["line1"] = null,
                ["line2"] = null,
                ["postal_code"] = null,
                ["state"] = null,
            },
            ["email"] = (string?)known?["email"],
            ["name"] = (string?)known?["name"],
            ["phone"] = null,
            ["tax_id"] = null,
        };
    }

    /// <summary>1.5 % and a quarter of a euro (or about as much), as a card of the European Economic Area costs.</summary>
    private static long Fee(long amount, string currency) =>
        (amount * 15 / 1000) + Currency.Decimals(currency) switch { 0 => 40, 3 => 80, _ => 25 };

    private static JsonObject Outcome(string network, string? reason, string message, string type) => new()
    {
        ["advice_code"] = null,
        ["network_advice_code"] = null,
        ["network_decline_code"] = null,
        ["network_status"] = network,
        ["reason"] = reason,
        ["risk_level"] = "normal",
        ["risk_score"] = 20,
        ["seller_message"] = message,
        ["type"] = type,
    };

    private static JsonObject New(StripeUnit unit, JsonObject? intent, JsonObject? method, long amount, string prefix = "ch")
    {
        var charge = unit.New(Kind, prefix);
        foreach (var field in new[]
        {
            "application", "application_fee", "application_fee_amount", "balance_transaction", "calculated_statement_descriptor",
            "failure_balance_transaction", "failure_code", "failure_message", "on_behalf_of", "outcome", "receipt_number", "receipt_url",
            "review", "shipping", "source", "source_transfer", "statement_descriptor", "transfer_data",
        })
        {
            charge[field] = null;
        }

        charge["amount"] = amount;
        charge["amount_captured"] = 0L;
        charge["amount_refunded"] = 0L;
        charge["billing_details"] = BillingDetails(unit, (string?)intent?["customer"]);
        charge["captured"] = false;
        charge["currency"] = (string?)intent?["currency"];
        charge["customer"] = (string?)intent?["customer"];
        charge["description"] = (string?)intent?["description"];
        charge["disputed"] = false;
        charge["fraud_details"] = new JsonObject();
        charge["metadata"] = intent?["metadata"]?.DeepClone() ?? new JsonObject();
        charge["paid"] = false;
        charge["payment_intent"] = (string?)intent?["id"];
        charge["payment_method"] = (string?)method?["id"];
        charge["payment_method_details"] = method is null ? null : CardDetails(method);
        charge["receipt_email"] = (string?)intent?["receipt_email"];
        charge["refunded"] = false;
        charge["statement_descriptor_suffix"] = (string?)intent?["statement_descriptor_suffix"];
        charge["status"] = "pending";
        charge["transfer_group"] = (string?)intent?["transfer_group"];
        return charge;
    }

    private static JsonObject CardDetails(JsonObject method) => new()
    {
        ["card"] = new JsonObject
        {
            ["brand"] = (string?)method["card"]!["brand"],
            ["checks"] = method["card"]!["checks"]!.DeepClone(),
            ["country"] = (string?)method["card"]!["country"],
            ["exp_month"] = (int)method["card"]!["exp_month"]!,
            ["exp_year"] = (int)method["card"]!["exp_year"]!,
            ["funding"] = (string?)method["card"]!["funding"],
            ["last4"] = (string?)method["card"]!["last4"],
            ["network"] = (string?)method["card"]!["brand"],
            ["three_d_secure"] = null,
            ["wallet"] = null,
        },
        ["type"] = "card",
    };
}
