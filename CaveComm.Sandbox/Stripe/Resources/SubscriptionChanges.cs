using System.Globalization;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>Other plans, other quantities: what was paid and is not used is credited, and what is used from now on is charged.</summary>
internal static class SubscriptionChanges
{
    private const long UpdateWaits = 23 * 3600;

    public static void Apply(StripeUnit unit, JsonObject subscription, IReadOnlyList<JsonObject> items, StripeParameters given, string? behavior)
    {
        var prorates = given.Choice("proration_behavior", "always_invoice", "create_prorations", "none") ?? "create_prorations";
        var old = SubscriptionItems.Of(subscription).Select(it => it!.DeepClone().AsObject()).ToList();
        var (start, end) = ((long)old[0]["current_period_start"]!, (long)old[0]["current_period_end"]!);
        var newRhythm = Rhythm(items[0]) != Rhythm(old[0]);
        var isFree = (string?)subscription["status"] == "trialing";
        if (prorates != "none" && !isFree)
        {
            Prorate(unit, subscription, old, newRhythm ? [] : items, start, end, given.Integer("proration_date") ?? unit.Now);
        }

        if (newRhythm && !isFree)
        {
            subscription["billing_cycle_anchor"] = unit.Now;
            (start, end) = (unit.Now, SubscriptionPeriods.Next(unit.Now, unit.Now, items[0]["price"]!["recurring"]!.AsObject()));
        }

        var waits = behavior == "pending_if_incomplete" && (newRhythm || prorates == "always_invoice") && !isFree;
        if (waits)
        {
            Keep(unit, subscription, items, start, end);
        }
        else
        {
            SubscriptionItems.Place(subscription, items, start, end);
        }

        unit.Put(subscription);
        SubscriptionStates.SetPeriodTimer(unit, subscription);
        if ((prorates == "always_invoice" || newRhythm) && !isFree)
        {
            var lines = newRhythm ? items.Select(item => SubscriptionInvoices.Line(subscription, At(item, start, end))) : [];
            var invoice = SubscriptionInvoices.Make(unit, subscription, "subscription_update", lines);
            if (waits)
            {
                subscription["_pending_invoice"] = (string)invoice["id"]!;
                unit.Put(subscription);
            }

            SubscriptionInvoices.Begin(unit, (string)invoice["id"]!, behavior ?? "allow_incomplete");
        }
    }

    /// <summary>Credits what is not used of the period, as when it is cancelled in the middle.</summary>
    public static void Credit(StripeUnit unit, JsonObject subscription)
    {
        var items = SubscriptionItems.Of(subscription).Select(it => it!.DeepClone().AsObject()).ToList();
        Prorate(unit, subscription, items, [], (long)items[0]["current_period_start"]!, (long)items[0]["current_period_end"]!, unit.Now);
    }

    /// <summary>The invoice that an update has waited for is paid: it holds now.</summary>
    public static void Commit(JsonObject subscription)
    {
        var kept = subscription["_pending_items"]!.AsArray().Select(it => it!.DeepClone().AsObject()).ToList();
        SubscriptionItems.Place(subscription, kept, (long)kept[0]["current_period_start"]!, (long)kept[0]["current_period_end"]!);
        Forget(subscription);
    }

    public static void Forget(JsonObject subscription)
    {
        subscription["pending_update"] = null;
        subscription.Remove("_pending_items");
        subscription.Remove("_pending_invoice");
    }

    private static void Keep(StripeUnit unit, JsonObject subscription, IReadOnlyList<JsonObject> items, long start, long end)
    {
        var kept = new JsonArray([.. items.Select(item => At(item, start, end))]);
        foreach (var item in kept)
        {
            item!["subscription"] = (string)subscription["id"]!;
        }

        subscription["_pending_items"] = kept;
        subscription["pending_update"] = new JsonObject
        {
            ["billing_cycle_anchor"] = null,
            ["discount"] = null,
            ["discounts"] = null,
            ["expires_at"] = unit.Now + UpdateWaits,
            ["metadata"] = null,
            ["subscription_items"] = kept.DeepClone(),
            ["trial_end"] = null,
            ["trial_from_plan"] = null,
        };
        SubscriptionStates.SetUpdateTimer(unit, (string)subscription["id"]!, TimeSpan.FromSeconds(UpdateWaits));
    }

    private static JsonObject At(JsonObject item, long start, long end)
    {
        var placed = item.DeepClone().AsObject();
        placed["current_period_start"] = start;
        placed["current_period_end"] = end;
        return placed;
    }

    private static string Rhythm(JsonObject item) => $"{item["price"]!["recurring"]!["interval_count"]} {item["price"]!["recurring"]!["interval"]}";

    private static void Prorate(
        StripeUnit unit, JsonObject subscription, IReadOnlyList<JsonObject> old, IReadOnlyList<JsonObject> now, long start, long end, long at)
    {
        at = Math.Clamp(at, start, end);
        foreach (var item in old.Where(it => !now.Any(other => Same(it, other))))
        {
            Pending(unit, subscription, item, -Share(item, at, start, end), "Unused time on", at, end);
        }

        foreach (var item in now.Where(it => !old.Any(other => Same(it, other))))
        {
            Pending(unit, subscription, item, Share(item, at, start, end), "Remaining time on", at, end);
        }
    }

    private static bool Same(JsonObject item, JsonObject other) =>
        (string?)item["id"] == (string?)other["id"]
        && (string?)item["price"]!["id"] == (string?)other["price"]!["id"]
        && (long)item["quantity"]! == (long)other["quantity"]!;

    private static long Share(JsonObject item, long at, long start, long end) => end == start ? 0 : (long)Math.Round(
        Prices.Times(item["price"]!.AsObject(), (long)item["quantity"]!) * (decimal)(end - at) / (end - start), MidpointRounding.AwayFromZero);

    private static void Pending(StripeUnit unit, JsonObject subscription, JsonObject item, long amount, string what, long start, long end)
    {
        if (amount != 0)
        {
            var on = DateTimeOffset.FromUnixTimeSeconds(start).ToString("dd MMM yyyy", CultureInfo.InvariantCulture);
            InvoiceItems.Prorate(unit, subscription, item, amount, $"{what} {item["quantity"]} × {SubscriptionInvoices.NameOf(unit, item)} after {on}", start, end);
        }
    }
}
