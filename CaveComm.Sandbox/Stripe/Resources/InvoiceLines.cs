using System.Globalization;
using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>Lines of invoices: what an item or a period of a subscription comes to.</summary>
internal static class InvoiceLines
{
    /// <summary>The line of an item that is bound to an invoice.</summary>
    public static JsonObject Of(JsonObject item)
    {
        var line = Make(
            (long)item["amount"]!,
            (string)item["currency"]!,
            (string?)item["description"],
            (long)item["quantity"]!,
            item["period"]!.DeepClone().AsObject(),
            item["parent"]?["subscription_details"] is JsonObject of
                ? OfSubscriptionItem((string)of["subscription"]!, (string)of["subscription_item"]!, (string)item["id"]!)
                : OfInvoiceItem((string)item["id"]!),
            item["pricing"]!.DeepClone().AsObject());
        line["discountable"] = (bool)item["discountable"]!;
        line["invoice"] = (string)item["invoice"]!;
        line["metadata"] = item["metadata"]!.DeepClone();
        return line;
    }

    public static JsonObject Make(
        long amount, string currency, string? description, long quantity, JsonObject period, JsonObject parent, JsonObject pricing) => new()
        {
            ["id"] = StripeUnit.NewId("il"),
            ["object"] = "line_item",
            ["amount"] = amount,
            ["currency"] = currency,
            ["description"] = description,
            ["discount_amounts"] = new JsonArray(),
            ["discountable"] = true,
            ["discounts"] = new JsonArray(),
            ["invoice"] = null,
            ["livemode"] = false,
            ["metadata"] = new JsonObject(),
            ["parent"] = parent,
            ["period"] = period,
            ["pretax_credit_amounts"] = new JsonArray(),
            ["pricing"] = pricing,
            ["quantity"] = quantity,
            ["quantity_decimal"] = quantity.ToString(CultureInfo.InvariantCulture),
            ["subscription"] = (string?)parent["subscription_item_details"]?["subscription"],
            ["subtotal"] = amount,
            ["taxes"] = new JsonArray(),
        };

    public static JsonObject Pricing(string price, string product, string unitAmount) => new()
    {
        ["price_details"] = new JsonObject { ["price"] = price, ["product"] = product },
        ["type"] = "price_details",
        ["unit_amount_decimal"] = unitAmount,
    };

    /// <param name="proration">The invoice item of a proration; null for a whole period.</param>
    public static JsonObject OfSubscriptionItem(string subscription, string item, string? proration) => new()
    {
        ["invoice_item_details"] = null,
        ["subscription_item_details"] = new JsonObject
        {
            ["invoice_item"] = proration,
            ["proration"] = proration is not null,
            ["proration_details"] = proration is null ? null : new JsonObject { ["credited_items"] = null },
            ["subscription"] = subscription,
            ["subscription_item"] = item,
        },
        ["type"] = "subscription_item_details",
    };

    private static JsonObject OfInvoiceItem(string item) => new()
    {
        ["invoice_item_details"] = new JsonObject
        {
            ["invoice_item"] = item,
            ["proration"] = false,
            ["proration_details"] = null,
            ["subscription"] = null,
        },
        ["subscription_item_details"] = null,
        ["type"] = "invoice_item_details",
    };
}
