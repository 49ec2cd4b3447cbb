using System.Globalization;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>What the payer makes of a checkout session. Only then there is a payment or a subscription, and one session makes one.</summary>
internal static class CheckoutStates
{
    /// <summary>The timers: the session's end, and the end of a payment that takes its time.</summary>
    public const string Expiry = "checkout.expire";

    public const string SlowSucceeds = "checkout.slow";
    public const string SlowFails = "checkout.slow-fails";

    private const string Kind = CheckoutSessions.Kind;
    private const string SomePayer = "payer@example.com";

    public static bool IsOpen(JsonObject session) => (string?)session["status"] == "open";

    /// <param name="email">What the payer enters, where the session doesn't know it.</param>
    public static void Pay(StripeUnit unit, JsonObject session, string? email)
    {
        Introduce(unit, session, email);
        var customer = (string?)session["customer"];
        var card = PaymentMethods.New(unit, customer, PaymentMethods.Works);
        switch ((string?)session["mode"])
        {
            case "subscription":
                Subscribe(unit, session, card);
                break;

            case "setup":
                session["setup_intent"] = (string)SetupIntents.Succeeded(unit, session, card)["id"]!;
                break;

            default:
                var intent = Intent(unit, session);
                PaymentIntents.Succeed(unit, intent, card);
                session["payment_status"] = "paid";
                break;
        }

        Complete(unit, session);
    }

    /// <summary>A bank transfer or the like: the session is complete, and the money comes later or not at all.</summary>
    public static void PaySlowly(StripeUnit unit, JsonObject session, string? email, bool fails)
    {
        Introduce(unit, session, email);
        var intent = Intent(unit, session);
        intent["status"] = "processing";
        unit.Put(intent);
        unit.Tell("payment_intent.processing", intent);
        Complete(unit, session);
        unit.World.SetTimer(
            unit.Work, (string)session["id"]!, unit.Account, fails ? SlowFails : SlowSucceeds, unit.World.Options.SlowPaymentTakes);
    }

    public static void EndSlowly(StripeUnit unit, string id, bool fails)
    {
        if (unit.Find(Kind, id) is not { } session || (string?)session["payment_status"] != "unpaid")
        {
            return;
        }

        var intent = unit.Find("payment_intent", (string)session["payment_intent"]!)!;
        var account = PaymentMethods.New(unit, (string?)session["customer"], fails ? PaymentMethods.Declines : PaymentMethods.Works);
        if (fails)
        {
            PaymentIntents.Fail(unit, intent, account);
            unit.Tell("checkout.session.async_payment_failed", session);
            return;
        }

        PaymentIntents.Succeed(unit, intent, account);
        session["payment_status"] = "paid";
        unit.Put(session);
        unit.Tell("checkout.session.async_payment_succeeded", session);
    }

    /// <summary>The card is declined. The payer may try again; of a subscription nothing is left.</summary>
    public static void Decline(StripeUnit unit, JsonObject session)
    {
        if ((string?)session["mode"] == "payment")
        {
            PaymentIntents.Fail(unit, Intent(unit, session), PaymentMethods.New(unit, (string?)session["customer"], PaymentMethods.Declines, last4: "0002"));
            unit.Put(session);
        }
    }

    public static void Expire(StripeUnit unit, JsonObject session)
    {
        session["status"] = "expired";
        session["url"] = null;
        if ((string?)session["payment_intent"] is { } id && unit.Find("payment_intent", id) is { } intent && (string?)intent["status"] != "succeeded")
        {
            PaymentIntents.Cancel(unit, intent, "automatic");
        }

        unit.Put(session);
        unit.Tell("checkout.session.expired", session);
    }

    public static void Ring(StripeUnit unit, string id)
    {
        if (unit.Find(Kind, id) is { } session && IsOpen(session) && (long)session["expires_at"]! <= unit.Now)
        {
            Expire(unit, session);
        }
    }

    private static void Complete(StripeUnit unit, JsonObject session)
    {
        session["status"] = "complete";
        session["url"] = null;
        unit.Put(session);
        unit.Tell("checkout.session.completed", session);
    }

    private static void Introduce(StripeUnit unit, JsonObject session, string? email)
    {
        var needsCustomer = (string?)session["mode"] != "payment" || (string?)session["customer_creation"] == "always";
        var address = (string?)session["customer_email"] ?? email ?? SomePayer;
        if (session["customer"] is null && needsCustomer)
        {
            session["customer"] = (string)Customers.Make(unit, address)["id"]!;
        }

        var customer = (string?)session["customer"] is { } id ? unit.Find("customer", id) : null;
        session["customer_details"] = new JsonObject
        {
            ["address"] = null,
            ["business_name"] = null,
            ["email"] = (string?)customer?["email"] ?? address,
            ["individual_name"] = null,
            ["name"] = (string?)customer?["name"],
            ["phone"] = null,
            ["tax_exempt"] = "none",
            ["tax_ids"] = new JsonArray(),
        };
    }

    /// <summary>The session's payment intent: there from the first attempt on, the same for all.</summary>
    private static JsonObject Intent(StripeUnit unit, JsonObject session)
    {
        if ((string?)session["payment_intent"] is { } id)
        {
            return unit.Find("payment_intent", id)!;
        }

        var data = session["_intent_data"]!;
        var intent = PaymentIntents.Make(
            unit, (long)session["amount_total"]!, (string)session["currency"]!, (string?)session["customer"], (string?)data["description"], ["card"]);
        intent["metadata"] = data["metadata"]!.DeepClone();
        intent["receipt_email"] = (string?)data["receipt_email"];
        intent["statement_descriptor_suffix"] = (string?)data["statement_descriptor_suffix"];
        intent["transfer_group"] = (string?)data["transfer_group"];
        unit.Put(intent);
        unit.Tell("payment_intent.created", intent);
        session["payment_intent"] = (string)intent["id"]!;
        return intent;
    }

    private static void Subscribe(StripeUnit unit, JsonObject session, JsonObject card)
    {
        var data = session["_subscription_data"]!;
        var subscription = SubscriptionDraft.Make(unit, unit.Find("customer", (string)session["customer"]!)!, (string)session["currency"]!);
        subscription["default_payment_method"] = (string)card["id"]!;
        subscription["description"] = (string?)data["description"];
        subscription["metadata"] = data["metadata"]!.DeepClone();
        var given = StripeParameters.Parse(
        [
            .. data.AsObject().Where(it => it.Key.StartsWith("trial_", StringComparison.Ordinal)).Select(it => KeyValuePair.Create(it.Key, (string)it.Value!)),
            .. session["_lines"]!.AsArray().SelectMany((line, at) => new[]
            {
                KeyValuePair.Create($"items[{at}][price]", (string)line!["price"]!),
                KeyValuePair.Create($"items[{at}][quantity]", ((long)line["quantity"]!).ToString(CultureInfo.InvariantCulture)),
            }),
        ]);
        SubscriptionDraft.SetTrial(unit, given, subscription);
        var begun = Subscriptions.Begin(unit, subscription, SubscriptionItems.Read(unit, given), "allow_incomplete");
        session["subscription"] = (string)begun["id"]!;
        session["invoice"] = (string?)begun["latest_invoice"];
        var paid = (long)unit.Find("invoice", (string)begun["latest_invoice"]!)!["amount_paid"]!;
        session["payment_status"] = paid > 0 ? "paid" : "no_payment_required";
    }
}
