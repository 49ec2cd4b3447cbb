using System.Globalization;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>What a product costs. The amount never changes: a new price is made, takes over the lookup key, and the old one is put to rest.</summary>
internal static class Prices
{
    private const string Kind = "price";
    private const string Fields = "active lookup_key transfer_lookup_key metadata* nickname tax_behavior";

    public static void Map(StripeRoutes routes)
    {
        routes.Post(
            "/v1/prices",
            Fields + " currency unit_amount unit_amount_decimal product product_data{name id active metadata* statement_descriptor unit_label} "
            + "billing_scheme recurring{interval interval_count usage_type trial_period_days}",
            Create);
        routes.Post("/v1/prices/{id}", Fields, Update);
        routes.Get("/v1/prices/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id)));
        routes.List("/v1/prices", "created{gt gte lt lte} active currency lookup_keys[] product type recurring{interval usage_type}", List);
    }

    /// <summary>The price that a parameter names, or one made on the spot from <c>price_data</c>.</summary>
    public static JsonObject Refer(StripeUnit unit, StripeParameters given)
    {
        if (given.Text("price") is { } id)
        {
            return unit.Refer(Kind, id, given.Name("price"));
        }

        if (!given.Has("price_data"))
        {
            throw StripeFault.Missing(given.Name("price"));
        }

        var data = given.Below("price_data");
        var product = data.Has("product_data")
            ? Products.Make(unit, data.Below("product_data"))
            : unit.Refer("product", data.Required("product"), data.Name("product"));
        return Make(unit, data, (string)product["id"]!);
    }

    /// <summary>What so many of it cost.</summary>
    public static long Times(JsonObject price, long quantity) =>
        (long)Math.Round(decimal.Parse((string)price["unit_amount_decimal"]!, CultureInfo.InvariantCulture) * quantity, MidpointRounding.AwayFromZero);

    public static JsonObject Make(StripeUnit unit, StripeParameters given, string product)
    {
        given.Required("currency");
        var currency = Currency.Read(given, "currency")!;
        var amount = given.Integer("unit_amount");
        var each = amount?.ToString(CultureInfo.InvariantCulture) ?? given.Text("unit_amount_decimal") ?? throw StripeFault.Missing(given.Name("unit_amount"));
        if (!decimal.TryParse(each, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
        {
            throw StripeFault.Parameter(given.Name(amount is null ? "unit_amount_decimal" : "unit_amount"), $"Invalid non-negative decimal: {each}");
        }

        var price = unit.New(Kind, "price");
        foreach (var (field, content) in new (string, JsonNode?)[]
        {
            ("active", given.Flag("active") ?? true),
            ("billing_scheme", given.Choice("billing_scheme", "per_unit") ?? "per_unit"),
            ("currency", currency),
            ("custom_unit_amount", null),
            ("lookup_key", null),
            ("metadata", given.Metadata()),
            ("nickname", given.Text("nickname")),
            ("product", product),
            ("recurring", Recurring(given)),
            ("tax_behavior", given.Choice("tax_behavior", "exclusive", "inclusive", "unspecified") ?? "unspecified"),
            ("tiers_mode", null),
            ("transform_quantity", null),
            ("type", given.Has("recurring") ? "recurring" : "one_time"),
            ("unit_amount", value == decimal.Truncate(value) ? (long)value : null),
            ("unit_amount_decimal", each),
        })
        {
            price[field] = content;
        }

        TakeLookupKey(unit, given, price);
        unit.Put(price);
        unit.Tell("price.created", price);
        return price;
    }

    private static JsonObject Create(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        if (given.Has("product_data") && given.Has("product"))
        {
            throw StripeFault.Early("parameters_exclusive", "You may only give one of these parameters: product, product_data.", "product_data");
        }

        var product = given.Has("product_data")
            ? Products.Make(unit, given.Below("product_data"), given.Below("product_data").Text("id"))
            : unit.Refer("product", given.Required("product"), "product");
        return call.Render(Make(unit, given, (string)product["id"]!));
    }

    private static JsonObject Update(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var price = unit.Get(Kind, call.Id);
        var before = price.DeepClone().AsObject();
        price["active"] = given.Flag("active") ?? (bool)price["active"]!;
        given.Copy(price, "nickname");
        price["tax_behavior"] = given.Choice("tax_behavior", "exclusive", "inclusive", "unspecified") ?? (string)price["tax_behavior"]!;
        price["metadata"] = given.Metadata(price["metadata"]!.AsObject());
        TakeLookupKey(unit, given, price);
        unit.Put(price);
        unit.Tell("price.updated", price, StripeUnit.Differences(before, price));
        return call.Render(price);
    }

    /// <summary>A lookup key names one price; with <c>transfer_lookup_key</c> it moves from the one that has it.</summary>
    private static void TakeLookupKey(StripeUnit unit, StripeParameters given, JsonObject price)
    {
        if (!given.Has("lookup_key"))
        {
            return;
        }

        var key = given.Text("lookup_key");
        if (key is not null && unit.Newest(Kind, it => (string?)it["lookup_key"] == key && (string?)it["id"] != (string?)price["id"]) is { } holder)
        {
            if (given.Flag("transfer_lookup_key") is not true)
            {
                throw StripeFault.State(null, $"A price ({holder["id"]}) already uses that lookup key.", "lookup_key");
            }

            var previous = StripeUnit.Change(holder, ("lookup_key", null));
            unit.Put(holder);
            unit.Tell("price.updated", holder, previous);
        }

        price["lookup_key"] = key;
    }

    private static JsonObject? Recurring(StripeParameters given)
    {
        if (!given.Has("recurring"))
        {
            return null;
        }

        var recurring = given.Below("recurring");
        recurring.Required("interval");
        var count = recurring.Integer("interval_count") ?? 1;
        if (count < 1)
        {
            throw StripeFault.Parameter(recurring.Name("interval_count"), "This value must be greater than or equal to 1.");
        }

        return new JsonObject
        {
            ["interval"] = recurring.Choice("interval", "day", "month", "week", "year"),
            ["interval_count"] = count,
            ["meter"] = null,
            ["trial_period_days"] = recurring.Integer("trial_period_days"),
            ["usage_type"] = recurring.Choice("usage_type", "licensed") ?? "licensed",
        };
    }

    private static JsonObject List(StripeCall call)
    {
        var given = call.Parameters;
        var (product, type, currency) = (Lists.Equal(given, "product"), Lists.Equal(given, "type"), Lists.Equal(given, "currency"));
        var (active, keys) = (given.Flag("active"), given.Texts("lookup_keys"));
        var interval = given.Below("recurring").Text("interval");
        return Lists.Answer(call, "/v1/prices", Kind, it =>
            product(it) && type(it) && currency(it)
            && (active is null || (bool)it["active"]! == active)
            && (keys.Count == 0 || keys.Contains((string?)it["lookup_key"]))
            && (interval is null || (string?)it["recurring"]?["interval"] == interval));
    }
}
