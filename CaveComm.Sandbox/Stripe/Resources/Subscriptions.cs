using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>The calls about subscriptions; what time and money make of one is in <see cref="SubscriptionStates"/>.</summary>
internal static class Subscriptions
{
    private const string Kind = "subscription";

    private const string Settings =
        "cancel_at cancel_at_period_end collection_method days_until_due default_payment_method description metadata* off_session payment_behavior "
        + "payment_settings{payment_method_options* payment_method_types[] save_default_payment_method} proration_behavior "
        + "trial_settings{end_behavior{missing_payment_method}} ";

    public static void Map(StripeRoutes routes)
    {
        routes.Post(
            "/v1/subscriptions",
            Settings + $"customer currency items[]{{{SubscriptionItems.Fields}}} billing_mode{{type}} trial_period_days trial_end",
            Create);
        routes.Post(
            "/v1/subscriptions/{id}",
            Settings + $"items[]{{id deleted clear_usage {SubscriptionItems.Fields}}} cancellation_details{{comment feedback}} "
            + "proration_date trial_end",
            Update);
        routes.Get("/v1/subscriptions/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id)));
        routes.Delete("/v1/subscriptions/{id}", Cancel, "invoice_now prorate cancellation_details{comment feedback}");
        routes.Post("/v1/subscriptions/{id}/resume", "proration_behavior", Resume);
        routes.List("/v1/subscriptions", "created{gt gte lt lte} customer price status collection_method", List);
    }

    /// <summary>Makes a subscription and asks for its first payment.</summary>
    /// <param name="items">As <see cref="SubscriptionItems.Read"/> gives them.</param>
    /// <returns>It as it is after that: active, or incomplete.</returns>
    public static JsonObject Begin(StripeUnit unit, JsonObject subscription, IReadOnlyList<JsonObject> items, string behavior)
    {
        var id = (string)subscription["id"]!;
        var trialEnd = (long?)subscription["trial_end"];
        subscription["status"] = trialEnd is not null ? "trialing"
            : (string?)subscription["collection_method"] == "send_invoice" ? "active" : "incomplete";
        var end = trialEnd ?? SubscriptionPeriods.Next(unit.Now, unit.Now, items[0]["price"]!["recurring"]!.AsObject());
        SubscriptionItems.Place(subscription, items, unit.Now, end);
        if ((bool)subscription["cancel_at_period_end"]!)
        {
            subscription["cancel_at"] = end; // Before this it had no period to end with.
        }

        unit.Put(subscription);
        var invoice = SubscriptionInvoices.Make(
            unit, subscription, "subscription_create", items.Select(item => SubscriptionInvoices.Line(subscription, item, free: trialEnd is not null)));
        unit.Tell("customer.subscription.created", subscription);
        SubscriptionStates.SetPeriodTimer(unit, subscription);
        if ((string?)subscription["status"] == "incomplete")
        {
            SubscriptionStates.SetExpiryTimer(unit, id);
        }

        SubscriptionInvoices.Begin(unit, (string)invoice["id"]!, behavior);
        return unit.Find(Kind, id)!;
    }

    private static JsonObject Create(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var customer = Customers.Refer(unit, given.Required("customer"));
        var items = SubscriptionItems.Read(unit, given);
        var behavior = Behavior(given) ?? "allow_incomplete";
        var subscription = SubscriptionDraft.Make(unit, customer, (string)items[0]["price"]!["currency"]!);
        Fill(unit, given, subscription, customer);
        SubscriptionDraft.SetTrial(unit, given, subscription);
        subscription["billing_mode"]!["type"] = given.Below("billing_mode").Choice("type", "classic", "flexible") ?? "flexible";
        return call.Render(Begin(unit, subscription, items, behavior));
    }

    private static string? Behavior(StripeParameters given) => given.Choice(
        "payment_behavior", "allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete");

    private static void Fill(StripeUnit unit, StripeParameters given, JsonObject subscription, JsonObject customer)
    {
        if (given.Choice("collection_method", "charge_automatically", "send_invoice") is { } method)
        {
            subscription["collection_method"] = method;
        }

        var sends = (string?)subscription["collection_method"] == "send_invoice";
        subscription["days_until_due"] = sends
            ? given.Integer("days_until_due") ?? (long?)subscription["days_until_due"] ?? throw StripeFault.Missing("days_until_due")
            : null;
        if (sends && customer["email"] is null)
        {
            throw StripeFault.State(null, "Invoices can only be sent to a customer who has an email address.", "customer");
        }

        if (given.Has("default_payment_method"))
        {
            subscription["default_payment_method"] = given.Text("default_payment_method") is { } card
                ? (string)PaymentMethods.Refer(unit, card, (string)customer["id"]!, "default_payment_method")["id"]!
                : null;
        }

        given.Copy(subscription, "description");
        var payment = given.Below("payment_settings");
        if (payment.Choice("save_default_payment_method", "off", "on_subscription") is { } saves)
        {
            subscription["payment_settings"]!["save_default_payment_method"] = saves;
        }

        if (payment.Texts("payment_method_types") is { Count: > 0 } types)
        {
            subscription["payment_settings"]!["payment_method_types"] = new JsonArray([.. types.Select(type => JsonValue.Create(type))]);
        }

        if (given.Below("trial_settings").Below("end_behavior").Choice("missing_payment_method", "cancel", "create_invoice", "pause") is { } without)
        {
            subscription["trial_settings"]!["end_behavior"]!["missing_payment_method"] = without;
        }

        SubscriptionDraft.SetEnd(unit, given, subscription);
        subscription["metadata"] = given.Metadata(subscription["metadata"]!.AsObject());
    }

    private static JsonObject Update(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var subscription = unit.Get(Kind, call.Id);
        RequireLiving(subscription);
        var before = unit.Render(subscription);
        Fill(unit, given, subscription, unit.Find("customer", (string)subscription["customer"]!)!);
        SubscriptionDraft.EndTrial(unit, given, subscription);
        unit.Put(subscription);
        SubscriptionStates.SetPeriodTimer(unit, subscription);
        if (given.Has("items"))
        {
            SubscriptionChanges.Apply(unit, subscription, SubscriptionItems.Merge(unit, subscription, given), given, Behavior(given));
        }

        return call.Render(SubscriptionStates.TellUpdated(unit, call.Id, before));
    }

    public static void RequireLiving(JsonObject subscription)
    {
        if ((string?)subscription["status"] is "canceled" or "incomplete_expired")
        {
            throw StripeFault.State(null, $"A {subscription["status"]} subscription can only update its cancellation_details and metadata.");
        }
    }

    private static JsonObject Cancel(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var subscription = unit.Find(Kind, call.Id) is { } found && (string?)found["status"] is not ("canceled" or "incomplete_expired")
            ? found
            : throw StripeFault.NoSuch(Kind, call.Id, "id", inUrl: true);
        SubscriptionDraft.Explain(given, subscription);
        if (given.Flag("prorate") is true)
        {
            SubscriptionChanges.Credit(unit, subscription);
        }

        SubscriptionStates.End(unit, subscription, "cancellation_requested");
        if (given.Flag("invoice_now") is true)
        {
            var last = SubscriptionInvoices.Make(unit, subscription, "subscription_update", []);
            SubscriptionInvoices.Begin(unit, (string)last["id"]!, "allow_incomplete");
        }

        return call.Render(unit.Find(Kind, call.Id)!);
    }

    private static JsonObject Resume(StripeCall call)
    {
        var subscription = call.Unit.Get(Kind, call.Id);
        return (string?)subscription["status"] == "paused"
            ? call.Render(SubscriptionStates.Resume(call.Unit, subscription))
            : throw StripeFault.State(null, $"Only a paused subscription can be resumed; this one is {subscription["status"]}.");
    }

    private static JsonObject List(StripeCall call)
    {
        var given = call.Parameters;
        var status = given.Choice(
            "status", "active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid");
        var (customer, method) = (Lists.Equal(given, "customer"), Lists.Equal(given, "collection_method"));
        var price = given.Text("price");
        return Lists.Answer(call, "/v1/subscriptions", Kind, it =>
            customer(it) && method(it)
            && (price is null || SubscriptionItems.Of(it).Any(item => (string?)item!["price"]!["id"] == price))
            && status switch
            {
                "all" => true,
                "ended" => (string?)it["status"] is "canceled" or "incomplete_expired",
                null => (string?)it["status"] is not ("canceled" or "incomplete_expired"),
                _ => (string?)it["status"] == status,
            });
    }
}
