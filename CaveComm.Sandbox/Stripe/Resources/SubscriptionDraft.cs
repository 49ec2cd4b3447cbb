using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

internal static class SubscriptionDraft
{
    /// <summary>A subscription with all the fields of one and nothing in it yet.</summary>
    public static JsonObject Make(StripeUnit unit, JsonObject customer, string currency)
    {
        var subscription = unit.New("subscription", "sub");
        foreach (var field in new[]
        {
            "application", "application_fee_percent", "billing_cycle_anchor_config", "billing_thresholds", "cancel_at", "canceled_at",
            "customer_account", "days_until_due", "default_payment_method", "default_source", "description", "ended_at", "latest_invoice",
            "managed_payments", "next_pending_invoice_item_invoice", "on_behalf_of", "pause_collection", "pending_invoice_item_interval",
            "pending_setup_intent", "pending_update", "schedule", "test_clock", "transfer_data", "trial_end", "trial_start",
        })
        {
            subscription[field] = null;
        }

        subscription["automatic_tax"] = new JsonObject { ["disabled_reason"] = null, ["enabled"] = false, ["liability"] = null };
        subscription["billing_cycle_anchor"] = unit.Now;
        subscription["billing_mode"] = new JsonObject { ["flexible"] = new JsonObject(), ["type"] = "flexible" };
        subscription["billing_schedules"] = new JsonArray();
        subscription["cancel_at_period_end"] = false;
        subscription["cancellation_details"] = new JsonObject { ["comment"] = null, ["feedback"] = null, ["reason"] = null };
        subscription["collection_method"] = "charge_automatically";
        subscription["currency"] = currency;
        subscription["customer"] = (string)customer["id"]!;
        subscription["default_tax_rates"] = new JsonArray();
        subscription["discounts"] = new JsonArray();
        subscription["invoice_settings"] = new JsonObject
        {
            ["account_tax_ids"] = null,
            ["custom_fields"] = null,
            ["description"] = null,
            ["footer"] = null,
            ["issuer"] = new JsonObject { ["type"] = "self" },
        };
        subscription["items"] = Lists.Of($"/v1/subscription_items?subscription={subscription["id"]}", []);
        subscription["metadata"] = new JsonObject();
        subscription["payment_settings"] = new JsonObject
        {
            ["payment_method_options"] = new JsonObject(),
            ["payment_method_types"] = null,
            ["save_default_payment_method"] = "off",
        };
        subscription["start_date"] = unit.Now;
        subscription["status"] = "incomplete";
        subscription["trial_settings"] = new JsonObject { ["end_behavior"] = new JsonObject { ["missing_payment_method"] = "create_invoice" } };
        return subscription;
    }

    public static void SetTrial(StripeUnit unit, StripeParameters given, JsonObject subscription)
    {
        var end = given.Integer("trial_end") ?? (given.Integer("trial_period_days") is { } days and > 0 ? unit.Now + (days * 86400) : null);
        if (end <= unit.Now)
        {
            throw StripeFault.Parameter("trial_end", "The trial must end in the future.");
        }

        if (end is not null)
        {
            subscription["trial_start"] = unit.Now;
            subscription["trial_end"] = end;
            subscription["billing_cycle_anchor"] = end;
        }
    }

    /// <summary>A trial is ended (<c>now</c>) or moved; the period ends with it.</summary>
    public static void EndTrial(StripeUnit unit, StripeParameters given, JsonObject subscription)
    {
        if (given.Text("trial_end") is not { } text || (string?)subscription["status"] != "trialing")
        {
            return;
        }

        var end = text == "now" ? unit.Now : Math.Max(unit.Now, given.Integer("trial_end")!.Value);
        subscription["trial_end"] = end;
        subscription["billing_cycle_anchor"] = end;
        foreach (var item in SubscriptionItems.Of(subscription))
        {
            item!["current_period_end"] = end;
        }
    }

    /// <summary>When it is to end: at the end of the period, at a time, or (the default) never.</summary>
    public static void SetEnd(StripeUnit unit, StripeParameters given, JsonObject subscription)
    {
        Explain(given, subscription);
        if (given.Has("cancel_at_period_end") && given.Has("cancel_at"))
        {
            throw StripeFault.Early("parameters_exclusive", "You may only give one of these parameters: cancel_at, cancel_at_period_end.", "cancel_at");
        }

        if (given.Flag("cancel_at_period_end") is { } atEnd)
        {
            subscription["cancel_at_period_end"] = atEnd;
            Plan(unit, subscription, atEnd ? (SubscriptionItems.Of(subscription).Count > 0 ? SubscriptionItems.PeriodEnd(subscription) : unit.Now) : null);
        }
        else if (given.Has("cancel_at"))
        {
            subscription["cancel_at_period_end"] = false;
            Plan(unit, subscription, given.Unsets("cancel_at") ? null : given.Integer("cancel_at"));
        }
    }

    public static void Explain(StripeParameters given, JsonObject subscription)
    {
        var why = given.Below("cancellation_details");
        foreach (var field in new[] { "comment", "feedback" }.Where(why.Has))
        {
            subscription["cancellation_details"]![field] = why.Text(field);
        }
    }

    private static void Plan(StripeUnit unit, JsonObject subscription, long? at)
    {
        subscription["cancel_at"] = at;
        subscription["canceled_at"] = at is null ? null : unit.Now;
        subscription["cancellation_details"]!["reason"] = at is null ? null : "cancellation_requested";
    }
}
