using System.Text.Json.Nodes;

namespace CaveComm.Tests.Sandbox.Stripe;

/// <summary>Plans and members, as the memberships have them.</summary>
internal static class StripePlans
{
    public const int Day = 86400;

    public static async Task<string> Plan(this StripeSandbox stripe, int amount = 900, string interval = "month")
    {
        var product = await stripe.Post("/v1/products", ("name", "Basic"));
        var price = await stripe.Post(
            "/v1/prices",
            ("currency", "eur"),
            ("product", (string)product["id"]!),
            ("unit_amount", amount.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            ("recurring[interval]", interval));
        return (string)price["id"]!;
    }

    public static async Task<string> Member(this StripeSandbox stripe, string card = "pm_card_visa")
    {
        var customer = (string)(await stripe.Customer())["id"]!;
        await stripe.Post($"/v1/customers/{customer}", ("invoice_settings[default_payment_method]", card));
        return customer;
    }

    public static Task<JsonObject> Subscribe(this StripeSandbox stripe, string customer, string price, params (string, string)[] more) =>
        stripe.Post("/v1/subscriptions", [("customer", customer), ("items[0][price]", price), .. more]);

    /// <summary>An open session over 45.00 EUR.</summary>
    public static Task<JsonObject> Checkout(this StripeSandbox stripe) => stripe.Post(
        "/v1/checkout/sessions",
        ("mode", "payment"),
        ("line_items[0][quantity]", "1"),
        ("line_items[0][price_data][currency]", "eur"),
        ("line_items[0][price_data][unit_amount]", "4500"),
        ("line_items[0][price_data][product_data][name]", "Portrait, full colour"),
        ("success_url", "http://127.0.0.1/paid?session_id={CHECKOUT_SESSION_ID}"));

    public static Task Pass(this StripeSandbox stripe, int days, int hours = 0) => stripe.Control(new { advanceSeconds = (days * Day) + (hours * 3600) });

    public static async Task<string> Status(this StripeSandbox stripe, JsonObject subscription) =>
        (string)(await stripe.Get($"/v1/subscriptions/{subscription["id"]}"))["status"]!;

    public static async Task<JsonArray> InvoicesOf(this StripeSandbox stripe, JsonObject subscription) =>
        (await stripe.Get($"/v1/invoices?subscription={subscription["id"]}&limit=100"))["data"]!.AsArray();
}
