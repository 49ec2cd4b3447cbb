using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Prices and templates that break a rule, sent by a freelancer who may send them.</summary>
[Collection(nameof(BadInputOffice))]
public sealed class TemplateBadInputTests(Office office)
{
    [Theory]
    [InlineData("""{"amount":120.00,"currency":"EUR"}""", "price.amount")]
    [InlineData("""{"amount":"120","currency":"EUR"}""", "price.amount")]
    [InlineData("""{"amount":"120.0","currency":"EUR"}""", "price.amount")]
    [InlineData("""{"amount":"120.000","currency":"EUR"}""", "price.amount")]
    [InlineData("""{"amount":"120.00","currency":"JPY"}""", "price.amount")]
    [InlineData("""{"amount":"1.20","currency":"KWD"}""", "price.amount")]
    [InlineData("""{"amount":"0.001","currency":"BTC"}""", "price.amount")]
    [InlineData("""{"amount":"0.000000001","currency":"BTC"}""", "price.amount")]
    [InlineData("""{"amount":"0.00","currency":"EUR"}""", "price.amount")]
    [InlineData("""{"amount":"-1.00","currency":"EUR"}""", "price.amount")]
    [InlineData("""{"amount":"1,00","currency":"EUR"}""", "price.amount")]
    [InlineData("""{"amount":" 1.00","currency":"EUR"}""", "price.amount")]
    [InlineData("""{"amount":"+1.00","currency":"EUR"}""", "price.amount")]
    [InlineData("""{"amount":"1e2","currency":"JPY"}""", "price.amount")]
    [InlineData("""{"amount":"99999999999999999999999.00","currency":"EUR"}""", "price.amount")]
    [InlineData("""{"amount":"92233720368547758.07","currency":"EUR"}""", "price.amount")]
    [InlineData("""{"amount":"10000000000.01","currency":"EUR"}""", "price.amount")]
    [InlineData("""{"amount":"120.00","currency":"XXX"}""", "price.currency")]
    [InlineData("""{"amount":"120.00","currency":"eur"}""", "price.currency")]
    [InlineData("""{"amount":"120.00","currency":978}""", "price.currency")]
    [InlineData("""{"amount":"120.00"}""", "price.currency")]
    [InlineData("""{"currency":"EUR"}""", "price.amount")]
    [InlineData("""{}""", "price.amount,price.currency")]
    [InlineData("""{"amount":12,"currency":"XXX","tip":"1"}""", "price.amount,price.currency,price.tip")]
    [InlineData("\"120.00 EUR\"", "price")]
    [InlineData("120", "price")]
    [InlineData("null", "price")]
    public async Task A_price_of_the_wrong_shape_is_refused(string price, string fields)
    {
        var body = Template();
        body["price"] = JsonNode.Parse(price);
        await IsRefused(body, fields.Split(','));

        var invoice = new JsonObject
        {
            ["customer"] = new JsonObject { ["name"] = "Grace", ["email"] = "grace@example.com" },
            ["description"] = "A raven",
            ["amount"] = JsonNode.Parse(price),
            ["paymentTerms"] = "upFront",
            ["provider"] = "btcpay",
        };
        await office.IsRefused(
            null,
            () => office.Freelancer.PostAsJsonAsync("freelancer/mira/createInvoice", invoice),
            HttpStatusCode.UnprocessableEntity,
            "invalid",
            [.. fields.Split(',').Select(field => $"amount{field["price".Length..]}")]);
    }

    [Theory]
    [InlineData("JPY", "12000")]
    [InlineData("EUR", "0.50")]
    [InlineData("KWD", "1.250")]
    [InlineData("BTC", "0.00120000")]
    public async Task A_price_with_its_currencys_digits_is_taken(string currency, string amount)
    {
        var story = await new Story(office).Publish("upFront", "btcpay", amount: amount, currency: currency);

        var shown = await office.Anonymous.GetFromJsonAsync<JsonObject>($"customer/mira/template/{story.Template}");

        ((string)shown!["price"]!["amount"]!).ShouldBe(amount);
    }

    [Fact]
    public async Task Every_fault_of_a_template_is_told_at_once()
    {
        var body = Template();
        body["title"] = " ";
        body["providers"] = new JsonArray("paypal");
        body["slots"] = 0;
        body["dueDays"] = 1000;
        body["price"] = new JsonObject { ["amount"] = "0.00", ["currency"] = "EUR" };
        body["questions"] = new JsonArray(
            new JsonObject { ["id"] = "a b", ["label"] = "", ["kind"] = "text", ["required"] = true },
            new JsonObject { ["id"] = "c", ["label"] = "Which?", ["kind"] = "choice", ["required"] = false });

        await IsRefused(body, "title", "providers", "slots", "dueDays", "price.amount", "questions[0].id", "questions[0].label", "questions[1].options");
    }

    [Fact]
    public async Task A_wrong_shape_hides_no_other_fault()
    {
        var body = Template();
        body["title"] = "";
        body["surprise"] = true;
        body["price"] = new JsonObject { ["amount"] = 12, ["currency"] = "EUR" };

        await IsRefused(body, "title", "surprise", "price.amount");
    }

    [Theory]
    [InlineData("Upper-Case")]
    [InlineData("under_score")]
    [InlineData("a%20b")]
    [InlineData("%C3%A4")]
    public async Task A_templates_name_has_small_letters_digits_and_hyphens(string name) => await office.IsRefused(
        null,
        () => office.Freelancer.PutAsJsonAsync($"freelancer/mira/templates/{name}", Template()),
        HttpStatusCode.UnprocessableEntity,
        "invalid",
        "templateName");

    [Fact]
    public async Task Stripe_is_not_offered_for_bitcoin()
    {
        var body = Template();
        body["price"] = new JsonObject { ["amount"] = "0.00120000", ["currency"] = "BTC" };
        await IsRefused(body, "providers");
    }

    [Fact]
    public async Task A_payout_destination_is_checked()
    {
        await office.IsRefused(
            null,
            () => office.Freelancer.PutAsJsonAsync("freelancer/mira/payoutDestinations/stripe", new { destination = "mira@wallet.example" }),
            HttpStatusCode.UnprocessableEntity,
            "invalid",
            "destination");
        await office.IsRefused(
            null,
            () => office.Freelancer.PutAsJsonAsync("freelancer/mira/payoutDestinations/paypal", new { destination = "mira" }),
            HttpStatusCode.NotFound,
            "no-such-provider");
    }

    private Task<JsonObject> IsRefused(JsonObject body, params string[] fields) => office.IsRefused(
        null,
        () => office.Freelancer.PutAsync(
            $"freelancer/mira/templates/refused-{Guid.NewGuid():N}", new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json")),
        HttpStatusCode.UnprocessableEntity,
        "invalid",
        fields);

    private static JsonObject Template() => new()
    {
        ["title"] = "Portrait",
        ["description"] = "One figure.",
        ["price"] = new JsonObject { ["amount"] = "120.00", ["currency"] = "EUR" },
        ["paymentTerms"] = "upFront",
        ["providers"] = new JsonArray("stripe"),
    };
}
