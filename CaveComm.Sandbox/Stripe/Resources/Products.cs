using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>What is sold. The caller may choose the id, which makes seeding safe to repeat.</summary>
internal static class Products
{
    private const string Kind = "product";

    private const string Fields =
        "active name description images[] marketing_features[]{name} metadata* shippable statement_descriptor tax_code unit_label url";

    public static void Map(StripeRoutes routes)
    {
        routes.Post(
            "/v1/products", Fields + " id type default_price_data{currency unit_amount unit_amount_decimal recurring{interval interval_count}}", Create);
        routes.Post("/v1/products/{id}", Fields + " default_price", Update);
        routes.Get("/v1/products/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id)));
        routes.Delete("/v1/products/{id}", Delete);
        routes.List("/v1/products", "created{gt gte lt lte} active ids[] shippable url", call =>
        {
            var (active, url) = (call.Parameters.Flag("active"), Lists.Equal(call.Parameters, "url"));
            var ids = call.Parameters.Texts("ids");
            return Lists.Answer(call, "/v1/products", Kind, it =>
                url(it) && (active is null || (bool)it["active"]! == active) && (ids.Count == 0 || ids.Contains((string)it["id"]!)));
        });
    }

    /// <summary>A product that comes into being with a price or a line of a checkout.</summary>
    public static JsonObject Make(StripeUnit unit, StripeParameters given, string? id = null)
    {
        var product = unit.New(Kind, "prod", id);
        foreach (var (field, value) in new (string, JsonNode?)[]
        {
            ("active", true),
            ("default_price", null),
            ("description", null),
            ("images", new JsonArray()),
            ("marketing_features", new JsonArray()),
            ("metadata", new JsonObject()),
            ("name", given.Required("name")),
            ("package_dimensions", null),
            ("shippable", null),
            ("statement_descriptor", null),
            ("tax_code", null),
            ("type", "service"),
            ("unit_label", null),
            ("url", null),
        })
        {
            product[field] = value;
        }

        Fill(unit, given, product);
        unit.Put(product);
        unit.Tell("product.created", product);
        return product;
    }

    private static JsonObject Create(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var id = given.Text("id");
        if (id is not null && unit.Find(Kind, id) is not null)
        {
            throw StripeFault.State("resource_already_exists", "Product already exists.", "id");
        }

        var product = Make(unit, given, id);
        if (given.Has("default_price_data"))
        {
            product["default_price"] = (string)Prices.Make(unit, given.Below("default_price_data"), (string)product["id"]!)["id"]!;
            unit.Put(product);
        }

        return call.Render(product);
    }

    private static JsonObject Update(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var product = unit.Get(Kind, call.Id);
        var before = product.DeepClone().AsObject();
        if (given.Has("name"))
        {
            product["name"] = given.Required("name");
        }

        if (given.Text("default_price") is { } price)
        {
            product["default_price"] = (string)unit.Refer("price", price, "default_price")["id"]!;
        }

        Fill(unit, given, product);
        unit.Put(product);
        unit.Tell("product.updated", product, StripeUnit.Differences(before, product));
        return call.Render(product);
    }

    private static void Fill(StripeUnit unit, StripeParameters given, JsonObject product)
    {
        given.Copy(product, "description", "statement_descriptor", "tax_code", "unit_label", "url");
        product["active"] = given.Flag("active") ?? (bool)product["active"]!;
        product["shippable"] = given.Has("shippable") ? given.Flag("shippable") : (bool?)product["shippable"];
        if (given.Has("images"))
        {
            product["images"] = new JsonArray([.. given.Texts("images").Select(it => JsonValue.Create(it))]);
        }

        if (given.Has("marketing_features"))
        {
            product["marketing_features"] =
                new JsonArray([.. given.Members("marketing_features").Select(it => new JsonObject { ["name"] = it.Required("name") })]);
        }

        product["metadata"] = given.Metadata(product["metadata"]!.AsObject());
        product["updated"] = unit.Now;
    }

    private static JsonObject Delete(StripeCall call)
    {
        var product = call.Unit.Get(Kind, call.Id);
        if (call.Unit.Newest("price", it => (string?)it["product"] == call.Id) is not null)
        {
            throw StripeFault.State(null, "This product cannot be deleted because it has one or more prices; archive it instead.");
        }

        call.Unit.Remove(product);
        call.Unit.Tell("product.deleted", product);
        return new JsonObject { ["id"] = call.Id, ["object"] = Kind, ["deleted"] = true };
    }
}
