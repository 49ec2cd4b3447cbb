using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>Money from the platform's balance to a connected account's.</summary>
internal static class Transfers
{
    private const string Kind = "transfer";

    public static void Map(StripeRoutes routes)
    {
        routes.Post("/v1/transfers", "amount currency destination source_transaction source_type transfer_group description metadata*", Create);
        routes.Post("/v1/transfers/{id}", "description metadata*", Update);
        routes.Get("/v1/transfers/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id, Kind)));
        routes.List("/v1/transfers", "created{gt gte lt lte} destination transfer_group", call =>
        {
            var (destination, group) = (Lists.Equal(call.Parameters, "destination"), Lists.Equal(call.Parameters, "transfer_group"));
            return Lists.Answer(call, "/v1/transfers", Kind, it => destination(it) && group(it));
        });
    }

    private static JsonObject Create(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        given.Required("currency");
        var currency = Currency.Read(given, "currency")!;
        var destination = Accounts.Destination(unit, given.Required("destination"));
        var charge = given.Text("source_transaction") is { } source ? unit.Refer("charge", source, "source_transaction") : null;
        var amount = given.Integer("amount") ?? (long?)charge?["amount"] ?? throw StripeFault.Missing("amount");
        if (amount < 1)
        {
            throw StripeFault.Parameter("amount", "This value must be greater than or equal to 1.");
        }

        if ((string?)destination["capabilities"]!["transfers"] != "active")
        {
            throw StripeFault.State(
                "insufficient_capabilities_for_transfer", "The destination account needs the capability transfers.", "destination");
        }

        var availableOn = charge is null ? FromBalance(unit, amount, currency) : FromCharge(unit, charge, amount, currency);
        var group = TransferGroup(unit, charge, given.Text("transfer_group"));
        var transfer = unit.New(Kind, "tr");
        var id = (string)transfer["id"]!;
        transfer["amount"] = amount;
        transfer["amount_reversed"] = 0L;
        transfer["balance_transaction"] = Balances.Record(unit, "transfer", id, -amount, currency, description: given.Text("description"));
        transfer["currency"] = currency;
        transfer["description"] = given.Text("description");
        transfer["destination"] = (string)destination["id"]!;
        transfer["destination_payment"] =
            (string)Charges.Arrived(unit.For((string)destination["id"]!), id, amount, currency, availableOn)["id"]!;
        transfer["metadata"] = given.Metadata();
        transfer["reversals"] = Lists.Of($"/v1/transfers/{id}/reversals", []);
        transfer["reversed"] = false;
        transfer["source_transaction"] = (string?)charge?["id"];
        transfer["source_type"] = "card";
        transfer["transfer_group"] = group;
        unit.Put(transfer);
        unit.Tell("transfer.created", transfer);
        return call.Render(transfer);
    }

    private static long FromBalance(StripeUnit unit, long amount, string currency)
    {
        var available = Balances.Available(unit, currency);
        return amount <= available
            ? unit.Now
            : throw StripeFault.State(
                "balance_insufficient",
                $"The available balance of {Currency.Show(available, currency)} does not cover {Currency.Show(amount, currency)}.");
    }

    /// <summary>Tied to a charge, a transfer is taken before the charge's money is available, and up to the charge's amount.</summary>
    private static long FromCharge(StripeUnit unit, JsonObject charge, long amount, string currency)
    {
        if ((string?)charge["status"] != "succeeded" || (string?)charge["currency"] != currency)
        {
            throw StripeFault.State(
                null, $"The charge {charge["id"]} is {charge["status"]} and in {charge["currency"]}; a transfer of it must match.", "source_transaction");
        }

        var taken = unit.Sum(
            Kind, it => (string?)it["source_transaction"] == (string?)charge["id"], it => (long)it["amount"]! - (long)it["amount_reversed"]!);
        if (taken + amount > (long)charge["amount"]!)
        {
            throw StripeFault.State(
                "balance_insufficient",
                $"Of this charge {Currency.Show((long)charge["amount"]! - taken, currency)} are left to transfer.",
                "amount");
        }

        return (long)unit.Find("balance_transaction", (string)charge["balance_transaction"]!)!["available_on"]!;
    }

    /// <summary>A charge and its transfers share a group; whichever is named first decides.</summary>
    private static string? TransferGroup(StripeUnit unit, JsonObject? charge, string? given)
    {
        if (charge is null)
        {
            return given;
        }

        var present = (string?)charge["transfer_group"];
        if (given is not null && present is not null && given != present)
        {
            throw StripeFault.State(null, $"The charge is in the transfer group {present}.", "transfer_group");
        }

        var group = given ?? present ?? $"group_{charge["payment_intent"] ?? charge["id"]}";
        if (present is null)
        {
            charge["transfer_group"] = group;
            unit.Put(charge);
        }

        return group;
    }

    private static JsonObject Update(StripeCall call)
    {
        var transfer = call.Unit.Get(Kind, call.Id, Kind);
        if (call.Parameters.Has("description"))
        {
            transfer["description"] = call.Parameters.Text("description");
        }

        transfer["metadata"] = call.Parameters.Metadata(transfer["metadata"]!.AsObject());
        call.Unit.Put(transfer);
        call.Unit.Tell("transfer.updated", transfer, []);
        return call.Render(transfer);
    }
}
