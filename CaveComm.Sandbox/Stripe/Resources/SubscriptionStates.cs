using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>What time and money make of a subscription: begun, renewed, behind with its payments, ended.</summary>
internal static class SubscriptionStates
{
    /// <summary>The timers: the end of a period, of the wait for a first payment, of the wait for an update's payment.</summary>
    public const string Renew = "subscription.period";

    public const string Expire = "subscription.expire";
    public const string DropUpdate = "subscription.update";

    private const string Kind = "subscription";
    private static readonly TimeSpan FirstPaymentWaits = TimeSpan.FromHours(23);

    /// <summary>One of its invoices is paid.</summary>
    public static void InvoicePaid(StripeUnit unit, JsonObject invoice)
    {
        if (Of(unit, invoice) is not { } subscription)
        {
            return;
        }

        var before = unit.Render(subscription);
        var id = (string)invoice["id"]!;
        if ((string?)subscription["_pending_invoice"] == id)
        {
            SubscriptionChanges.Commit(subscription);
        }

        if ((string?)subscription["status"] is "incomplete" or "past_due" or "unpaid" && (string?)subscription["latest_invoice"] == id)
        {
            subscription["status"] = "active";
        }

        if ((string?)subscription["payment_settings"]!["save_default_payment_method"] == "on_subscription" && CardOf(unit, id) is { } card)
        {
            subscription["default_payment_method"] = card;
        }

        unit.Put(subscription);
        TellUpdated(unit, (string)subscription["id"]!, before);
    }

    /// <summary>A payment of one of its invoices has failed; the first may be tried again, a later one puts it behind.</summary>
    public static void PaymentFailed(StripeUnit unit, JsonObject invoice)
    {
        if (Of(unit, invoice) is { } subscription
            && (string?)subscription["status"] is "active" or "trialing"
            && (string?)subscription["_pending_invoice"] != (string?)invoice["id"])
        {
            Move(unit, subscription, ("status", "past_due"));
        }
    }

    /// <summary>One of its invoices will never be paid.</summary>
    public static void InvoiceGivenUp(StripeUnit unit, JsonObject invoice)
    {
        if (Of(unit, invoice) is not { } subscription)
        {
            return;
        }

        if ((string?)subscription["status"] == "incomplete")
        {
            Move(unit, subscription, ("status", "incomplete_expired"), ("ended_at", unit.Now));
        }
        else if ((string?)subscription["_pending_invoice"] == (string?)invoice["id"])
        {
            var before = unit.Render(subscription);
            SubscriptionChanges.Forget(subscription);
            unit.Put(subscription);
            TellUpdated(unit, (string)subscription["id"]!, before);
        }
    }

    /// <summary>The periods that have ended are renewed, or it ends with one of them.</summary>
    public static void RenewAll(StripeUnit unit, string id)
    {
        if (unit.Find(Kind, id) is not { } subscription || (string?)subscription["status"] is not ("active" or "trialing" or "past_due" or "unpaid"))
        {
            return;
        }

        while (true)
        {
            var end = SubscriptionItems.PeriodEnd(subscription);
            if ((long?)subscription["cancel_at"] is { } stop && stop <= Math.Min(end, unit.Now))
            {
                End(unit, subscription, "cancellation_requested", stop);
                return;
            }

            if (end > unit.Now)
            {
                break;
            }

            RenewOnce(unit, subscription, end);
            subscription = unit.Find(Kind, id)!;
            if ((string?)subscription["status"] is "paused" or "canceled")
            {
                return;
            }
        }

        SetPeriodTimer(unit, subscription);
    }

    /// <summary>The first payment did not come in time.</summary>
    public static void ExpireFirst(StripeUnit unit, string id)
    {
        if (unit.Find(Kind, id) is { } subscription && (string?)subscription["status"] == "incomplete")
        {
            VoidLatest(unit, (string?)subscription["latest_invoice"]);
        }
    }

    /// <summary>The payment for an update did not come in time: all stays as it was.</summary>
    public static void ExpireUpdate(StripeUnit unit, string id)
    {
        if (unit.Find(Kind, id) is { } subscription && (long?)subscription["pending_update"]?["expires_at"] <= unit.Now)
        {
            VoidLatest(unit, (string?)subscription["_pending_invoice"]);
        }
    }

    public static void End(StripeUnit unit, JsonObject subscription, string reason, long? at = null)
    {
        subscription["status"] = "canceled";
        subscription["canceled_at"] = (long?)subscription["canceled_at"] ?? unit.Now;
        subscription["ended_at"] = at ?? unit.Now;
        subscription["cancellation_details"]!["reason"] = (string?)subscription["cancellation_details"]!["reason"] ?? reason;
        unit.Put(subscription);
        unit.Tell("customer.subscription.deleted", subscription);
    }

    public static JsonObject Resume(StripeUnit unit, JsonObject subscription)
    {
        Move(unit, subscription, ("status", "active"), ("billing_cycle_anchor", unit.Now));
        unit.Tell("customer.subscription.resumed", subscription);
        RenewOnce(unit, subscription, unit.Now);
        var now = unit.Find(Kind, (string)subscription["id"]!)!;
        SetPeriodTimer(unit, now);
        return now;
    }

    /// <summary>Tells what has changed since, if anything has.</summary>
    /// <returns>It as it is now.</returns>
    public static JsonObject TellUpdated(StripeUnit unit, string id, JsonObject before)
    {
        var now = unit.Find(Kind, id)!;
        if (StripeUnit.Differences(before, unit.Render(now)) is { Count: > 0 } previous)
        {
            unit.Tell("customer.subscription.updated", now, previous);
        }

        return now;
    }

    public static void SetPeriodTimer(StripeUnit unit, JsonObject subscription)
    {
        var next = Math.Min(SubscriptionItems.PeriodEnd(subscription), (long?)subscription["cancel_at"] ?? long.MaxValue);
        SetTimer(unit, (string)subscription["id"]!, Renew, TimeSpan.FromSeconds(Math.Max(0, next - unit.Now)));
    }

    public static void SetExpiryTimer(StripeUnit unit, string id) => SetTimer(unit, id, Expire, FirstPaymentWaits);

    public static void SetUpdateTimer(StripeUnit unit, string id, TimeSpan after) => SetTimer(unit, id, DropUpdate, after);

    private static JsonObject? Of(StripeUnit unit, JsonObject invoice) => Invoices.Subscription(invoice) is { } id ? unit.Find(Kind, id) : null;

    private static void SetTimer(StripeUnit unit, string id, string what, TimeSpan after) => unit.World.SetTimer(unit.Work, id, unit.Account, what, after);

    private static void Move(StripeUnit unit, JsonObject subscription, params (string Field, JsonNode? Value)[] changes)
    {
        var previous = StripeUnit.Change(subscription, changes);
        unit.Put(subscription);
        unit.Tell("customer.subscription.updated", subscription, previous);
    }

    private static void RenewOnce(StripeUnit unit, JsonObject subscription, long start)
    {
        var id = (string)subscription["id"]!;
        var before = unit.Render(subscription);
        if ((string?)subscription["status"] == "trialing" && !CanPay(unit, subscription))
        {
            if ((string?)subscription["trial_settings"]!["end_behavior"]!["missing_payment_method"] == "cancel")
            {
                End(unit, subscription, "payment_failed", start);
                return;
            }

            Move(unit, subscription, ("status", "paused"));
            unit.Tell("customer.subscription.paused", subscription);
            return;
        }

        var recurring = SubscriptionItems.Of(subscription)[0]!["price"]!["recurring"]!.AsObject();
        var end = SubscriptionPeriods.Next((long)subscription["billing_cycle_anchor"]!, start, recurring);
        var items = SubscriptionItems.Of(subscription).Select(it => it!.DeepClone().AsObject()).ToList();
        SubscriptionItems.Place(subscription, items, start, end);
        if ((string?)subscription["status"] == "trialing")
        {
            subscription["status"] = "active";
        }

        unit.Put(subscription);
        var invoice = SubscriptionInvoices.Make(
            unit, subscription, "subscription_cycle", items.Select(item => SubscriptionInvoices.Line(subscription, item)), start);
        SubscriptionInvoices.FinalizeLater(unit, invoice, start);
        TellUpdated(unit, id, before);
    }

    /// <summary>A trial without a card ends as the subscription says: with an invoice all the same, paused, or cancelled.</summary>
    private static bool CanPay(StripeUnit unit, JsonObject subscription) =>
        (string?)subscription["collection_method"] == "send_invoice"
        || SubscriptionInvoices.CardOf(unit, subscription) is not null
        || (string?)subscription["trial_settings"]!["end_behavior"]!["missing_payment_method"] == "create_invoice";

    private static void VoidLatest(StripeUnit unit, string? invoice)
    {
        if (invoice is not null && unit.Find("invoice", invoice) is { } open && InvoiceStates.IsPayable(open))
        {
            InvoiceStates.Void(unit, open);
        }
    }

    private static string? CardOf(StripeUnit unit, string invoice) =>
        InvoicePayments.All(unit, invoice).FirstOrDefault(it => (string?)it["status"] == "paid") is { } payment
        && (string?)payment["payment"]!["payment_intent"] is { } intent
            ? (string?)unit.Find("payment_intent", intent)?["payment_method"]
            : null;
}
