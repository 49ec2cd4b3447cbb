using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Sandbox.Stripe;

/// <summary>Refunds, disputes, plans and checkouts against Stripe's published document, where a copy of that lies beside the project.</summary>
public sealed class StripePlanSchemaTests
{
    [Fact]
    public async Task Every_answer_about_plans_and_money_given_back_fits_the_published_schema()
    {
        var schemas = OpenApiSchemas.OfStripe();
        await using var stripe = await StripeSandbox.Start();
        stripe.SeedAccount("acct_1Artist42");
        var faults = new List<string>();

        async Task<JsonObject> Post(string path, string template, params (string, string)[] fields)
        {
            var answer = await stripe.Post(path, fields);
            faults.AddRange(schemas.Check("post", template, answer).Select(fault => $"POST {template}: {fault}"));
            return answer;
        }

        async Task Get(string path, string template)
        {
            var answer = await stripe.Get(path);
            faults.AddRange(schemas.Check("get", template, answer).Select(fault => $"GET {template}: {fault}"));
            answer["data"]?.AsArray().ShouldNotBeEmpty(path);
        }

        await stripe.Press(await stripe.OpenInvoice(), "pay");
        var charge = (string)(await stripe.Get("/v1/charges"))["data"]![0]!["id"]!;
        var refund = await Post("/v1/refunds", "/v1/refunds", ("charge", charge), ("amount", "500"), ("reason", "requested_by_customer"));
        await Get($"/v1/refunds/{refund["id"]}", "/v1/refunds/{id}");
        await Get("/v1/refunds", "/v1/refunds");
        var transfer = await stripe.Post(
            "/v1/transfers", ("amount", "900"), ("currency", "eur"), ("destination", "acct_1Artist42"), ("source_transaction", charge));
        await Post($"/v1/transfers/{transfer["id"]}/reversals", "/v1/transfers/{id}/reversals", ("amount", "300"));
        await Get($"/v1/transfers/{transfer["id"]}/reversals", "/v1/transfers/{id}/reversals");
        await Get($"/v1/transfers/{transfer["id"]}", "/v1/transfers/{id}");
        await stripe.Control(new { openDispute = charge });
        await Get("/v1/disputes", "/v1/disputes");

        var product = await Post("/v1/products", "/v1/products", ("name", "Basic"), ("id", "plan_basic"));
        var price = await Post(
            "/v1/prices", "/v1/prices", ("currency", "eur"), ("product", (string)product["id"]!), ("unit_amount", "900"), ("recurring[interval]", "month"));
        var member = await stripe.Member();
        var subscription = await Post("/v1/subscriptions", "/v1/subscriptions", ("customer", member), ("items[0][price]", (string)price["id"]!));
        await Get("/v1/subscriptions", "/v1/subscriptions");
        await Get($"/v1/subscription_items?subscription={subscription["id"]}", "/v1/subscription_items");
        var item = (string)subscription["items"]!["data"]![0]!["id"]!;
        await Post($"/v1/subscription_items/{item}", "/v1/subscription_items/{id}", ("quantity", "3"));
        await Get($"/v1/subscription_items/{item}", "/v1/subscription_items/{id}");
        await Get("/v1/invoiceitems", "/v1/invoiceitems");
        await Post($"/v1/subscriptions/{subscription["id"]}", "/v1/subscriptions/{id}", ("cancel_at_period_end", "true"));

        foreach (var (mode, line) in new[] { ("payment", "line_items[0][price_data][product]"), ("subscription", "line_items[0][price]") })
        {
            (string, string)[] bought = mode == "payment"
                ? [(line, (string)product["id"]!), ("line_items[0][price_data][currency]", "eur"), ("line_items[0][price_data][unit_amount]", "4500")]
                : [(line, (string)price["id"]!)];
            var session = await Post(
                "/v1/checkout/sessions", "/v1/checkout/sessions", [("mode", mode), ("success_url", "http://127.0.0.1/ok"), ("line_items[0][quantity]", "1"), .. bought]);
            await stripe.PressAt(new Uri((string)session["url"]!).AbsolutePath, "pay");
        }

        var setup = await stripe.Post("/v1/checkout/sessions", ("mode", "setup"), ("customer", member), ("success_url", "http://127.0.0.1/ok"));
        var saved = await stripe.PressAt(new Uri((string)setup["url"]!).AbsolutePath, "pay");
        await Get($"/v1/setup_intents/{saved["setup_intent"]}", "/v1/setup_intents/{id}");
        await Get("/v1/checkout/sessions", "/v1/checkout/sessions");
        await Get("/v1/products", "/v1/products");
        await Get("/v1/prices", "/v1/prices");
        await Post("/v1/billing_portal/configurations", "/v1/billing_portal/configurations", ("features[invoice_history][enabled]", "true"));
        await Get("/v1/billing_portal/configurations", "/v1/billing_portal/configurations");
        await Post(
            "/v1/billing_portal/sessions",
            "/v1/billing_portal/sessions",
            ("customer", member),
            ("flow_data[type]", "subscription_cancel"),
            ("flow_data[subscription_cancel][subscription]", (string)subscription["id"]!));
        await Get("/v1/invoices", "/v1/invoices");
        await Get("/v1/balance_transactions?limit=100", "/v1/balance_transactions");
        foreach (var told in (await stripe.Get("/v1/events?limit=100"))["data"]!.AsArray())
        {
            var thing = told!["data"]!["object"]!.AsObject();
            if (schemas.NameOf((string)thing["object"]!) is { } name)
            {
                faults.AddRange(schemas.CheckSchema(name, thing).Select(it => $"{told["type"]}: {it}"));
            }
        }

        faults.Distinct().ShouldBeEmpty();
    }
}
