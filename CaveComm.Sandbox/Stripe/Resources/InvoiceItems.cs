using System.Globalization;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>What a customer is asked to pay for: bound to a draft, or waiting for the customer's next invoice.</summary>
internal static class InvoiceItems
{
    private const string Kind = "invoiceitem";
    private const int MostPerInvoice = 250;

    private const string Pricing = "amount description quantity unit_amount_decimal metadata* discountable period{start end}";

    public static void Map(StripeRoutes routes)
    {
        routes.Post(
            "/v1/invoiceitems",
            Pricing + " customer invoice currency pricing{price} price_data{currency product unit_amount unit_amount_decimal tax_behavior}",
            Create);
        routes.Post("/v1/invoiceitems/{id}", Pricing, Update);
        routes.Get("/v1/invoiceitems/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id)));
        routes.Delete("/v1/invoiceitems/{id}", Delete);
        routes.List("/v1/invoiceitems", "created{gt gte lt lte} customer invoice pending", call =>
        {
            var (customer, invoice) = (Lists.Equal(call.Parameters, "customer"), Lists.Equal(call.Parameters, "invoice"));
            var pending = call.Parameters.Flag("pending");
            return Lists.Answer(call, "/v1/invoiceitems", Kind, it =>
                customer(it) && invoice(it) && (pending is null || it["invoice"] is null == pending));
        });
    }

    /// <summary>Items that wait for the customer's next invoice in this currency, the oldest first.</summary>
    public static IEnumerable<JsonObject> Pending(StripeUnit unit, string customer, string currency) => unit
        .All(Kind, it => it["invoice"] is null && (string?)it["customer"] == customer && (string?)it["currency"] == currency)
        .Reverse();

    public static IReadOnlyList<JsonObject> Of(StripeUnit unit, string invoice) => unit.All(Kind, it => (string?)it["invoice"] == invoice);

    public static void Bind(StripeUnit unit, JsonObject item, JsonObject invoice)
    {
        item["invoice"] = (string)invoice["id"]!;
        unit.Put(item);
        var lines = Invoices.Lines(invoice);
        if (lines.Count >= MostPerInvoice)
        {
            throw StripeFault.State(null, $"An invoice can have up to {MostPerInvoice} items.", "invoice");
        }

        lines.Add(InvoiceLines.Of(item));
        Invoices.AddUp(invoice);
        unit.Put(invoice);
    }

    /// <summary>What a change of a subscription costs or credits for the rest of its period; it waits for the next invoice.</summary>
    public static void Prorate(StripeUnit unit, JsonObject subscription, JsonObject of, long amount, string description, long start, long end)
    {
        var price = of["price"]!;
        var item = New(unit, (string)subscription["customer"]!, (string)subscription["currency"]!, amount, (long)of["quantity"]!);
        item["description"] = description;
        item["parent"] = new JsonObject
        {
            ["subscription_details"] = new JsonObject
            {
                ["subscription"] = (string)subscription["id"]!,
                ["subscription_item"] = (string)of["id"]!,
            },
            ["type"] = "subscription_details",
        };
        item["period"] = new JsonObject { ["start"] = start, ["end"] = end };
        item["pricing"] = InvoiceLines.Pricing((string)price["id"]!, (string)price["product"]!, (string)price["unit_amount_decimal"]!);
        item["proration"] = true;
        item["proration_details"] = new JsonObject { ["credited_items"] = null, ["discount_amounts"] = new JsonArray() };
        unit.Put(item);
        unit.Tell("invoiceitem.created", item);
    }

    private static JsonObject Create(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var customer = Customers.Refer(unit, given.Required("customer"));
        var invoice = given.Text("invoice") is { } id ? unit.Refer("invoice", id, "invoice") : null;
        if (invoice is not null)
        {
            RequireDraft(invoice);
            if ((string?)invoice["customer"] != (string?)customer["id"])
            {
                throw StripeFault.State(null, "The invoice belongs to another customer.", "invoice");
            }
        }

        var (currency, unitAmount, quantity, amount, price, product) = Price(unit, given, invoice);
        if (invoice is not null && currency != (string?)invoice["currency"])
        {
            throw StripeFault.State(null, $"The item is in {currency}, and the invoice is in {invoice["currency"]}.", "currency");
        }

        var item = New(unit, (string)customer["id"]!, currency, amount, quantity);
        item["description"] = given.Text("description");
        item["discountable"] = given.Flag("discountable") ?? amount >= 0;
        item["metadata"] = given.Metadata();
        item["period"] = new JsonObject
        {
            ["start"] = given.Below("period").Integer("start") ?? unit.Now,
            ["end"] = given.Below("period").Integer("end") ?? unit.Now,
        };
        item["pricing"] = InvoiceLines.Pricing(price, product, unitAmount);
        unit.Put(item);
        if (invoice is not null)
        {
            Bind(unit, item, invoice);
        }

        unit.Tell("invoiceitem.created", item);
        return call.Render(item);
    }

    private static JsonObject New(StripeUnit unit, string customer, string currency, long amount, long quantity)
    {
        var item = unit.New(Kind, "ii");
        item.Remove("created");
        foreach (var (field, value) in new (string, JsonNode?)[]
        {
            ("amount", amount),
            ("currency", currency),
            ("customer", customer),
            ("customer_account", null),
            ("date", unit.Now),
            ("description", null),
            ("discountable", amount >= 0),
            ("discounts", new JsonArray()),
            ("invoice", null),
            ("metadata", new JsonObject()),
            ("net_amount", amount),
            ("parent", null),
            ("period", null),
            ("pricing", null),
            ("proration", false),
            ("quantity", quantity),
            ("quantity_decimal", quantity.ToString(CultureInfo.InvariantCulture)),
            ("tax_rates", new JsonArray()),
            ("test_clock", null),
        })
        {
            item[field] = value;
        }

        return item;
    }

    private static (string Currency, string UnitAmount, long Quantity, long Amount, string Price, string Product) Price(
        StripeUnit unit, StripeParameters given, JsonObject? invoice)
    {
        var quantity = given.Integer("quantity") ?? 1;
        var price = StripeUnit.NewId("price");
        var product = StripeUnit.NewId("prod");
        string currency;
        if (given.Integer("amount") is { } amount)
        {
            if (given.Has("quantity"))
            {
                throw StripeFault.Early("parameters_exclusive", "You may only give one of these parameters: amount, quantity.", "quantity");
            }

            currency = Currency.Read(given, "currency") ?? throw StripeFault.Missing("currency");
            return (currency, amount.ToString(CultureInfo.InvariantCulture), 1, amount, price, product);
        }

        string unitAmount;
        if (given.Below("pricing").Text("price") is { } priceId)
        {
            var known = unit.Refer("price", priceId, "pricing[price]");
            (price, product) = (priceId, (string)known["product"]!);
            currency = (string)known["currency"]!;
            unitAmount = (string?)known["unit_amount_decimal"] ?? "0";
        }
        else if (given.Has("price_data"))
        {
            var data = given.Below("price_data");
            data.Required("currency");
            currency = Currency.Read(data, "currency")!;
            product = (string)unit.Refer("product", data.Required("product"), data.Name("product"))["id"]!;
            unitAmount = data.Text("unit_amount_decimal")
                ?? data.Integer("unit_amount")?.ToString(CultureInfo.InvariantCulture)
                ?? throw StripeFault.Missing(data.Name("unit_amount"));
        }
        else
        {
            unitAmount = given.Text("unit_amount_decimal") ?? throw StripeFault.Missing("amount");
            currency = Currency.Read(given, "currency") ?? (string?)invoice?["currency"] ?? throw StripeFault.Missing("currency");
        }

        return (currency, unitAmount, quantity, Times(unitAmount, quantity, given), price, product);
    }

    private static long Times(string unitAmount, long quantity, StripeParameters given) =>
        decimal.TryParse(unitAmount, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var each)
            ? (long)Math.Round(each * quantity, MidpointRounding.AwayFromZero)
            : throw StripeFault.Parameter(given.Name("unit_amount_decimal"), $"Invalid decimal: {unitAmount}");

    private static JsonObject Update(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var item = unit.Get(Kind, call.Id);
        var invoice = (string?)item["invoice"] is { } id ? unit.Find("invoice", id) : null;
        RequireDraft(invoice);
        if (given.Has("description"))
        {
            item["description"] = given.Text("description");
        }

        var quantity = given.Integer("quantity") ?? (long)item["quantity"]!;
        var unitAmount = given.Text("unit_amount_decimal") ?? (string)item["pricing"]!["unit_amount_decimal"]!;
        if (given.Integer("amount") is { } amount)
        {
            (quantity, unitAmount) = (1, amount.ToString(CultureInfo.InvariantCulture));
        }

        item["quantity"] = quantity;
        item["quantity_decimal"] = quantity.ToString(CultureInfo.InvariantCulture);
        item["pricing"]!["unit_amount_decimal"] = unitAmount;
        item["amount"] = Times(unitAmount, quantity, given);
        item["net_amount"] = (long)item["amount"]!;
        item["metadata"] = given.Metadata(item["metadata"]!.AsObject());
        unit.Put(item);
        if (invoice is not null)
        {
            var lines = Invoices.Lines(invoice);
            var at = IndexOf(lines, call.Id);
            var line = InvoiceLines.Of(item);
            line["id"] = (string)lines[at]!["id"]!;
            lines[at] = line;
            Invoices.AddUp(invoice);
            unit.Put(invoice);
        }

        return call.Render(item);
    }

    private static JsonObject Delete(StripeCall call)
    {
        var item = call.Unit.Get(Kind, call.Id);
        var invoice = (string?)item["invoice"] is { } id ? call.Unit.Find("invoice", id) : null;
        RequireDraft(invoice);
        if (invoice is not null)
        {
            var lines = Invoices.Lines(invoice);
            lines.RemoveAt(IndexOf(lines, call.Id));
            Invoices.AddUp(invoice);
            call.Unit.Put(invoice);
        }

        call.Unit.Remove(item);
        call.Unit.Tell("invoiceitem.deleted", item);
        return new JsonObject { ["id"] = call.Id, ["object"] = Kind, ["deleted"] = true };
    }

    private static int IndexOf(JsonArray lines, string item)
    {
        for (var at = 0; at < lines.Count; at++)
        {
            if ((string?)lines[at]!["parent"]?["invoice_item_details"]?["invoice_item"] == item)
            {
                return at;
            }
        }

        throw new InvalidOperationException($"The invoice has no line of item {item}.");
    }

    private static void RequireDraft(JsonObject? invoice)
    {
        if (invoice is not null && (string?)invoice["status"] != "draft")
        {
            throw StripeFault.State("invoice_not_editable", "The invoice is finalized; its items can no longer be changed.", "invoice");
        }
    }
}
