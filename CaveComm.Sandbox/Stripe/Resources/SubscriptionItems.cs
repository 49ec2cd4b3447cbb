using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>What a subscription is made of: prices and quantities, kept in the subscription itself.</summary>
internal static class SubscriptionItems
{
    public const string Fields =
        "price quantity metadata* price_data{currency product unit_amount unit_amount_decimal tax_behavior recurring{interval interval_count}}";

    private const string Kind = "subscription_item";
    private const string Change = " proration_behavior proration_date payment_behavior";

    public static void Map(StripeRoutes routes)
    {
        routes.Post("/v1/subscription_items", "subscription " + Fields + Change, Create);
        routes.Post("/v1/subscription_items/{id}", Fields + Change + " off_session", Update);
        routes.Delete("/v1/subscription_items/{id}", Delete, "proration_behavior proration_date clear_usage");
        routes.Get("/v1/subscription_items/{id}", "", call => call.Render(Find(call).Item));
        routes.List("/v1/subscription_items", "subscription", call =>
        {
            var items = Of(call.Unit.Refer("subscription", call.Parameters.Required("subscription"), "subscription"))
                .ToDictionary(it => (string)it!["id"]!, it => it!.AsObject());
            return Lists.Page(call, "/v1/subscription_items", [.. items.Keys], id => items[id]);
        });
    }

    public static JsonArray Of(JsonObject subscription) => subscription["items"]!["data"]!.AsArray();

    public static long PeriodEnd(JsonObject subscription) => Of(subscription).Max(it => (long)it!["current_period_end"]!);

    /// <summary>The items that a new subscription is asked for.</summary>
    public static IReadOnlyList<JsonObject> Read(StripeUnit unit, StripeParameters given, string name = "items")
    {
        var items = given.Members(name).Select(it => New(unit, it)).ToList();
        if (items.Count == 0)
        {
            throw StripeFault.Missing(name);
        }

        RequireAlike(items);
        return items;
    }

    /// <summary>Puts items into a subscription, in the period that it is in.</summary>
    public static void Place(JsonObject subscription, IEnumerable<JsonObject> items, long start, long end)
    {
        var data = new JsonArray();
        foreach (var item in items)
        {
            item["subscription"] = (string)subscription["id"]!;
            item["current_period_start"] = start;
            item["current_period_end"] = end;
            data.Add(item.DeepClone());
        }

        subscription["items"]!["data"] = data;
    }

    /// <summary>The present items with what an update asks of them: one with an id is changed, one without is added.</summary>
    public static IReadOnlyList<JsonObject> Merge(StripeUnit unit, JsonObject subscription, StripeParameters given)
    {
        var items = Of(subscription).Select(it => it!.DeepClone().AsObject()).ToList();
        foreach (var asked in given.Members("items"))
        {
            if (asked.Text("id") is not { } id)
            {
                items.Add(New(unit, asked));
                continue;
            }

            var at = items.FindIndex(it => (string?)it["id"] == id);
            if (at < 0)
            {
                throw StripeFault.NoSuch("subscription_item", id, asked.Name("id"), inUrl: false);
            }

            if (asked.Flag("deleted") is true)
            {
                items.RemoveAt(at);
            }
            else
            {
                Fill(unit, asked, items[at]);
            }
        }

        if (items.Count == 0)
        {
            throw StripeFault.State(null, "A subscription must have at least one active plan.", "items");
        }

        RequireAlike(items);
        return items;
    }

    private static JsonObject New(StripeUnit unit, StripeParameters given)
    {
        var item = unit.New(Kind, "si");
        item.Remove("livemode");
        item.Remove("_n");
        item.Remove("_account");
        foreach (var (field, value) in new (string, JsonNode?)[]
        {
            ("billing_thresholds", null),
            ("current_period_end", unit.Now),
            ("current_period_start", unit.Now),
            ("discounts", new JsonArray()),
            ("metadata", new JsonObject()),
            ("quantity", 1L),
            ("subscription", ""),
            ("tax_rates", new JsonArray()),
        })
        {
            item[field] = value;
        }

        if (!given.Has("price") && !given.Has("price_data"))
        {
            throw StripeFault.Missing(given.Name("price"));
        }

        Fill(unit, given, item);
        return item;
    }

    private static void Fill(StripeUnit unit, StripeParameters given, JsonObject item)
    {
        if (given.Has("price") || given.Has("price_data"))
        {
            var price = Prices.Refer(unit, given);
            if (price["recurring"] is null)
            {
                throw StripeFault.Parameter(given.Name("price"), "The price specified is set to type=one_time but this field only accepts prices with type=recurring.");
            }

            item["price"] = unit.Render(price);
            item["plan"] = Plan(price);
        }

        item["quantity"] = given.Integer("quantity") ?? (long)item["quantity"]!;
        item["metadata"] = given.Metadata(item["metadata"]!.AsObject());
    }

    /// <summary>The price in the words of before 2019, which items carry still.</summary>
    private static JsonObject Plan(JsonObject price) => new()
    {
        ["id"] = (string)price["id"]!,
        ["object"] = "plan",
        ["active"] = (bool)price["active"]!,
        ["amount"] = (long?)price["unit_amount"],
        ["amount_decimal"] = (string?)price["unit_amount_decimal"],
        ["billing_scheme"] = "per_unit",
        ["created"] = (long)price["created"]!,
        ["currency"] = (string)price["currency"]!,
        ["interval"] = (string)price["recurring"]!["interval"]!,
        ["interval_count"] = (long)price["recurring"]!["interval_count"]!,
        ["livemode"] = false,
        ["metadata"] = price["metadata"]!.DeepClone(),
        ["meter"] = null,
        ["nickname"] = (string?)price["nickname"],
        ["product"] = (string)price["product"]!,
        ["tiers_mode"] = null,
        ["transform_usage"] = null,
        ["trial_period_days"] = null,
        ["usage_type"] = "licensed",
    };

    private static void RequireAlike(IReadOnlyList<JsonObject> items)
    {
        static string Rhythm(JsonObject item) => $"{item["price"]!["currency"]} per {item["price"]!["recurring"]!["interval_count"]} {item["price"]!["recurring"]!["interval"]}";
        if (items.Select(Rhythm).Distinct().Count() > 1)
        {
            throw StripeFault.State(null, "All prices on a subscription must have the same currency and interval.", "items");
        }
    }

    private static (JsonObject Subscription, JsonObject Item) Find(StripeCall call) =>
        call.Unit.Newest("subscription", it => Of(it).Any(item => (string?)item!["id"] == call.Id)) is { } subscription
            ? (subscription, Of(subscription).First(item => (string?)item!["id"] == call.Id)!.AsObject())
            : throw StripeFault.NoSuch("subscription_item", call.Id, "item", inUrl: true);

    private static JsonObject Create(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var subscription = unit.Refer("subscription", given.Required("subscription"), "subscription");
        var added = New(unit, given);
        return Changed(call, subscription, [.. Of(subscription).Select(it => it!.DeepClone().AsObject()), added], (string)added["id"]!);
    }

    private static JsonObject Update(StripeCall call)
    {
        var (subscription, _) = Find(call);
        var items = Of(subscription).Select(it => it!.DeepClone().AsObject()).ToList();
        Fill(call.Unit, call.Parameters, items.Find(it => (string?)it["id"] == call.Id)!);
        return Changed(call, subscription, items, call.Id);
    }

    private static JsonObject Delete(StripeCall call)
    {
        var (subscription, _) = Find(call);
        var items = Of(subscription).Where(it => (string?)it!["id"] != call.Id).Select(it => it!.DeepClone().AsObject()).ToList();
        if (items.Count == 0)
        {
            throw StripeFault.State(null, "A subscription must have at least one active plan. To end it, cancel the subscription.", "item");
        }

        Changed(call, subscription, items, null);
        return new JsonObject { ["id"] = call.Id, ["object"] = Kind, ["deleted"] = true };
    }

    private static JsonObject Changed(StripeCall call, JsonObject subscription, IReadOnlyList<JsonObject> items, string? shown)
    {
        Subscriptions.RequireLiving(subscription);
        RequireAlike(items);
        var before = call.Unit.Render(subscription);
        SubscriptionChanges.Apply(call.Unit, subscription, items, call.Parameters, call.Parameters.Text("payment_behavior"));
        var after = SubscriptionStates.TellUpdated(call.Unit, (string)subscription["id"]!, before);
        return shown is not null && Of(after).FirstOrDefault(it => (string?)it!["id"] == shown) is { } item
            ? call.Render(item.AsObject())
            : call.Render(items.First(it => shown is null || (string?)it["id"] == shown));
    }
}
