using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>The calls about checkout sessions; what the payer makes of one is in <see cref="CheckoutStates"/>.</summary>
internal static class CheckoutSessions
{
    public const string Kind = "checkout.session";

    private const long Shortest = 30 * 60;
    private const long Longest = 24 * 3600;

    private const string Parameters =
        "mode line_items[]{price quantity metadata* price_data{currency product product_data{name description metadata* images[]} unit_amount "
        + "unit_amount_decimal tax_behavior recurring{interval interval_count}}} customer customer_email customer_creation client_reference_id "
        + "metadata* payment_intent_data{description metadata* receipt_email statement_descriptor_suffix transfer_group} "
        + "subscription_data{description metadata* billing_mode{type} trial_period_days trial_end} setup_intent_data{description metadata*} success_url "
        + "cancel_url expires_at payment_method_collection payment_method_types[] currency locale submit_type ui_mode";

    public static void Map(StripeRoutes routes)
    {
        routes.Post("/v1/checkout/sessions", Parameters, Create);
        routes.Post("/v1/checkout/sessions/{id}/expire", "", Expire);
        routes.Get("/v1/checkout/sessions/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id, "session")));
        routes.List("/v1/checkout/sessions/{id}/line_items", "", call =>
        {
            var lines = LineItems(call.Unit, call.Unit.Get(Kind, call.Id, "session")).ToDictionary(it => (string)it["id"]!, it => it);
            return Lists.Page(call, $"/v1/checkout/sessions/{call.Id}/line_items", [.. lines.Keys], id => lines[id]);
        });
        routes.List("/v1/checkout/sessions", "created{gt gte lt lte} customer payment_intent subscription status", call =>
        {
            var (customer, intent, subscription, status) = (
                Lists.Equal(call.Parameters, "customer"),
                Lists.Equal(call.Parameters, "payment_intent"),
                Lists.Equal(call.Parameters, "subscription"),
                Lists.Equal(call.Parameters, "status"));
            return Lists.Answer(call, "/v1/checkout/sessions", Kind, it => customer(it) && intent(it) && subscription(it) && status(it));
        });
    }

    /// <summary>What is bought, as the list that <c>expand[]=line_items</c> shows.</summary>
    public static IEnumerable<JsonObject> LineItems(StripeUnit unit, JsonObject session) => session["_lines"]!.AsArray().Select(line =>
    {
        var price = unit.Find("price", (string)line!["price"]!)!;
        var amount = Prices.Times(price, (long)line["quantity"]!);
        return new JsonObject
        {
            ["id"] = (string)line["id"]!,
            ["object"] = "item",
            ["amount_discount"] = 0L,
            ["amount_subtotal"] = amount,
            ["amount_tax"] = 0L,
            ["amount_total"] = amount,
            ["currency"] = (string)price["currency"]!,
            ["description"] = (string?)unit.Find("product", (string)price["product"]!)?["name"],
            ["metadata"] = new JsonObject(),
            ["price"] = unit.Render(price),
            ["quantity"] = (long)line["quantity"]!,
        };
    });

    private static JsonObject Create(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        given.Required("mode");
        var mode = given.Choice("mode", "payment", "setup", "subscription")!;
        given.Choice("ui_mode", "hosted_page");
        if (given.Has("customer") && given.Has("customer_email"))
        {
            throw StripeFault.Early("parameters_exclusive", "You may only specify one of these parameters: customer, customer_email.", "customer_email");
        }

        if (given.Text("customer") is { } customer)
        {
            Customers.Refer(unit, customer);
        }

        var success = given.Required("success_url");
        var expires = given.Integer("expires_at") ?? unit.Now + Longest;
        if (expires < unit.Now + Shortest || expires > unit.Now + Longest)
        {
            throw StripeFault.Parameter("expires_at", "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from Checkout Session creation.");
        }

        var session = CheckoutDraft.Make(unit, mode, expires);
        session["success_url"] = success;
        given.Copy(session, "cancel_url", "client_reference_id", "customer", "customer_email", "locale", "submit_type");
        session["customer_creation"] = mode == "payment" ? given.Choice("customer_creation", "always", "if_required") ?? "if_required" : null;
        session["payment_method_collection"] = mode == "subscription" ? given.Choice("payment_method_collection", "always", "if_required") ?? "always" : null;
        session["metadata"] = given.Metadata();
        session["_intent_data"] = Kept(given.Below("payment_intent_data"));
        session["_setup_data"] = Kept(given.Below("setup_intent_data"));
        session["_subscription_data"] = Kept(given.Below("subscription_data"));
        if (given.Texts("payment_method_types") is { Count: > 0 } types)
        {
            session["payment_method_types"] = new JsonArray([.. types.Select(type => JsonValue.Create(type))]);
        }

        AddLines(unit, given, session, mode);
        unit.Put(session);
        unit.World.SetTimer(
            unit.Work, (string)session["id"]!, unit.Account, CheckoutStates.Expiry, TimeSpan.FromSeconds(expires - unit.Now));
        return call.Render(session);
    }

    /// <summary>What is meant for the payment, the subscription or the saved card, kept until there is one.</summary>
    private static JsonObject Kept(StripeParameters given)
    {
        var kept = new JsonObject { ["metadata"] = given.Metadata() };
        foreach (var (path, value) in given.Entries.Where(it => it.Path is [not "metadata"]))
        {
            kept[path[0]] = value;
        }

        return kept;
    }

    private static void AddLines(StripeUnit unit, StripeParameters given, JsonObject session, string mode)
    {
        var lines = new JsonArray();
        session["_lines"] = lines;
        var asked = given.Members("line_items");
        if (mode == "setup")
        {
            session["currency"] = Currency.Read(given, "currency");
            return;
        }

        if (asked.Count == 0)
        {
            throw StripeFault.Missing("line_items");
        }

        var prices = asked.Select(line => (Line: line, Price: Prices.Refer(unit, line), Quantity: line.Integer("quantity") ?? throw StripeFault.Missing(line.Name("quantity")))).ToList();
        var recurring = prices.Where(it => it.Price["recurring"] is not null).ToList();
        if (mode == "payment" && recurring.Count > 0)
        {
            throw StripeFault.Parameter("line_items", "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.");
        }

        if (mode == "subscription" && recurring.Count != prices.Count)
        {
            throw StripeFault.Parameter("line_items", "You must provide recurring prices in `subscription` mode.");
        }

        if (prices.Select(it => (string)it.Price["currency"]!).Distinct().Count() > 1)
        {
            throw StripeFault.Parameter("line_items", "All prices of a Checkout Session must have the same currency.");
        }

        foreach (var (_, price, quantity) in prices)
        {
            lines.Add(new JsonObject { ["id"] = StripeUnit.NewId("li"), ["price"] = (string)price["id"]!, ["quantity"] = quantity });
        }

        var total = prices.Sum(it => Prices.Times(it.Price, it.Quantity));
        session["amount_subtotal"] = total;
        session["amount_total"] = total;
        session["currency"] = (string)prices[0].Price["currency"]!;
        session["total_details"] = new JsonObject { ["amount_discount"] = 0L, ["amount_shipping"] = 0L, ["amount_tax"] = 0L };
    }

    private static JsonObject Expire(StripeCall call)
    {
        var session = call.Unit.Get(Kind, call.Id, "session");
        if ((string?)session["status"] != "open")
        {
            throw StripeFault.State(
                null, $"Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of {session["status"]}.");
        }

        CheckoutStates.Expire(call.Unit, session);
        return call.Render(session);
    }
}
