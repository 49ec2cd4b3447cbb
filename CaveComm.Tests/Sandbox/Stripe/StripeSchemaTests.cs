using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Sandbox.Stripe;

/// <summary>The look-alike's answers against Stripe's published document, where a copy of that lies beside the project.</summary>
public sealed class StripeSchemaTests
{
    [Fact]
    public async Task Every_answer_fits_the_published_schema()
    {
        var schemas = OpenApiSchemas.OfStripe();
        await using var stripe = await StripeSandbox.Start();
        stripe.SeedAccount("acct_1Artist42");
        var faults = new List<string>();

        async Task<JsonObject> Get(string path, string template, string? account = null)
        {
            var answer = await stripe.Get(path, account);
            faults.AddRange(schemas.Check("get", template, answer).Select(fault => $"GET {template}: {fault}"));
            return answer;
        }

        var draft = await stripe.DraftInvoice();
        await Get($"/v1/invoices/{draft["id"]}", "/v1/invoices/{id}");
        var paid = await stripe.Post($"/v1/invoices/{draft["id"]}/send");
        await stripe.Press(paid, "decline");
        await Get("/v1/payment_intents", "/v1/payment_intents");
        await stripe.Press(paid, "pay");
        await stripe.Press(paid, "dispute");
        await stripe.Press(await stripe.OpenInvoice(), "pay-half");
        await stripe.Press(await stripe.OpenInvoice(), "expire");
        var elsewhere = await stripe.OpenInvoice();
        await stripe.Post($"/v1/invoices/{elsewhere["id"]}/pay", ("paid_out_of_band", "true"));
        var charge = (await Get("/v1/charges?limit=100", "/v1/charges"))["data"]!.AsArray().Last(it => (string?)it!["status"] == "succeeded")!;
        await stripe.Post(
            "/v1/transfers", ("amount", "3600"), ("currency", "eur"), ("destination", "acct_1Artist42"), ("source_transaction", (string)charge["id"]!));
        await stripe.PostAs("acct_1Artist42", "/v1/payouts", ("amount", "100"), ("currency", "eur"));
        await stripe.Post("/v1/webhook_endpoints", ("url", "http://127.0.0.1:9/hook"), ("enabled_events[]", "*"));

        foreach (var list in new[]
        {
            "balance_transactions", "customers", "disputes", "events", "invoice_payments", "invoiceitems", "invoices", "payment_intents",
            "transfers", "webhook_endpoints",
        })
        {
            var answer = await Get($"/v1/{list}?limit=100", $"/v1/{list}");
            answer["data"]!.AsArray().ShouldNotBeEmpty(list);
        }

        await Get("/v1/payouts", "/v1/payouts", "acct_1Artist42");
        await Get("/v1/balance_transactions", "/v1/balance_transactions", "acct_1Artist42");
        await Get("/v1/charges", "/v1/charges", "acct_1Artist42");
        await Get("/v1/accounts/acct_1Artist42", "/v1/accounts/{id}");
        await Get("/v1/account", "/v1/account");
        await Get("/v1/balance", "/v1/balance");
        await Get($"/v1/invoices/{draft["id"]}/lines", "/v1/invoices/{id}/lines");
        await Get($"/v1/invoices/{draft["id"]}?expand[]=payments&expand[]=confirmation_secret", "/v1/invoices/{id}");
        await Get($"/v1/payment_methods/{charge["payment_method"]}", "/v1/payment_methods/{id}");
        faults.Distinct().ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_error_and_event_fits_the_published_schema()
    {
        var schemas = OpenApiSchemas.OfStripe();
        await using var stripe = await StripeSandbox.Start();
        var invoice = await stripe.OpenInvoice();
        await stripe.Press(invoice, "decline");
        await stripe.Press(invoice, "pay");
        var faults = new List<string>();
        foreach (var (path, fields) in new (string, (string, string)[])[]
        {
            ("/v1/customers", [("colour", "red")]),
            ("/v1/invoices", []),
            ("/v1/invoices/in_none/pay", []),
            ($"/v1/invoices/{invoice["id"]}/void", []),
            ("/v1/payment_intents", [("amount", "900"), ("currency", "eur"), ("confirm", "true"), ("payment_method", "pm_card_chargeDeclined")]),
        })
        {
            var (_, error) = await stripe.Refused(path, fields);
            faults.AddRange(schemas.CheckSchema("ErrorEnvelope", new JsonObject { ["error"] = error.DeepClone() }).Select(it => $"{path}: {it}"));
        }

        foreach (var told in (await stripe.Get("/v1/events?limit=100"))["data"]!.AsArray())
        {
            var thing = told!["data"]!["object"]!.AsObject();
            var name = schemas.NameOf((string)thing["object"]!)!;
            faults.AddRange(schemas.CheckSchema(name, thing).Select(it => $"{told["type"]}: {it}"));
        }

        faults.Distinct().ShouldBeEmpty();
    }
}
