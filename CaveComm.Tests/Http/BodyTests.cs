using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using CaveComm.Api.Http;
using CaveComm.Domain;
using CaveComm.Tests.Support;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Shouldly;

namespace CaveComm.Tests.Http;

public sealed record OrderBody(
    string Title,
    Money Price,
    Person Customer,
    Dictionary<string, JsonElement>? Answers = null,
    IReadOnlyList<string>? Tags = null,
    IReadOnlyList<Line>? Lines = null,
    Colour Colour = Colour.DeepRed,
    int? Slots = null,
    bool AcceptedTerms = false) : IChecked
{
    public void Check(Faults faults) => faults.Require(Title != "forbidden", "title", "must be another.");
}

public sealed record Person(string Name, string Email);

public sealed record Line(string Label, int Count);

public enum Colour
{
    DeepRed,
    Blue,
}

public sealed class BodySite : IAsyncLifetime
{
    internal TestSite Site { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Site = await TestSite.Start(app => app.MapPost("/orders", async (HttpContext http, CancellationToken cancel) =>
    {
        var reading = await http.ReadBody<OrderBody>(cancel);
        return reading.IsValid(out var body, out var problem) ? TypedResults.Json(body, Json.Options) : (IResult)problem;
    }));

    public ValueTask DisposeAsync() => Site.DisposeAsync();
}

public sealed class BodyTests(BodySite fixture) : IClassFixture<BodySite>
{
    private const string Whole = """{"title":"Portrait","price":{"amount":"120.00","currency":"EUR"},"customer":{"name":"Ada","email":"ada@example.com"}}""";

    private Task<HttpResponseMessage> Post(string json) => fixture.Site.Send(HttpMethod.Post, "/orders", TestSite.JsonBody(json));

    private Task<HttpResponseMessage> Post(params (string, string)[] fields) => fixture.Site.Send(HttpMethod.Post, "/orders", TestSite.FormBody(fields), accept: "application/json");

    [Fact]
    public async Task Json_becomes_the_record()
    {
        var response = await Post(Whole);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Text());
        var json = await response.Json();
        json.GetProperty("price").GetProperty("amount").GetString().ShouldBe("120.00");
        json.GetProperty("colour").GetString().ShouldBe("deepRed");
    }

    [Fact]
    public async Task A_form_becomes_the_same_record()
    {
        var response = await Post(
            ("title", "Portrait"), ("price.amount", "120.00"), ("price[currency]", "EUR"), ("customer.name", "Ada"), ("customer[email]", "ada@example.com"),
            ("answers[q1]", "blue"), ("answers.q2", "yes"), ("answers.q2", "no"), ("tags", "a"), ("tags", "b"), ("lines[1].label", "second"), ("lines[1].count", "2"),
            ("lines[0].label", "first"), ("lines[0].count", "1"), ("colour", "blue"), ("slots", ""), ("acceptedTerms", "on"), ("__RequestVerificationToken", "x"));
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Text());
        (await response.Text()).ShouldBe(
            """{"title":"Portrait","price":{"amount":"120.00","currency":"EUR"},"customer":{"name":"Ada","email":"ada@example.com"}"""
            + ""","answers":{"q1":"blue","q2":["yes","no"]},"tags":["a","b"],"lines":[{"label":"first","count":1},{"label":"second","count":2}]"""
            + ""","colour":"blue","slots":null,"acceptedTerms":true}""");
    }

    [Fact]
    public async Task Multipart_fields_are_a_form_too()
    {
        using var form = new MultipartFormDataContent();
        foreach (var (name, value) in new[] { ("title", "Ünïcode"), ("price.amount", "5"), ("price.currency", "JPY"), ("customer.name", "A"), ("customer.email", "e") })
        {
            form.Add(new StringContent(value), name);
        }

        var response = await fixture.Site.Send(HttpMethod.Post, "/orders", form);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Text());
        (await response.Json()).GetProperty("title").GetString().ShouldBe("Ünïcode");
    }

    [Fact]
    public async Task Every_fault_is_named_at_once()
    {
        var problem = await (await Post(
            """{"title":7,"price":{"amount":120,"currency":"EURO"},"customer":{"email":null,"fax":"1"},"tags":"one","lines":[{"label":"a"},{"label":"b","count":"2"}],"colour":"green","slots":1.5,"extra":true}"""))
            .Problem(422, "invalid");
        problem.GetProperty("errors").EnumerateObject().Select(it => it.Name).Order(StringComparer.Ordinal).ShouldBe(
        [
            "colour", "customer.email", "customer.fax", "customer.name", "extra", "lines[0].count", "lines[1].count", "price.amount", "price.currency", "slots", "tags", "title",
        ]);
        problem.Errors("customer.name").ShouldBe(["is required."]);
        problem.Errors("colour").Single().ShouldContain("deepRed, blue");
    }

    [Fact]
    public async Task No_body_is_an_empty_object()
    {
        var problem = await (await fixture.Site.Send(HttpMethod.Post, "/orders")).Problem(422, "invalid");
        problem.GetProperty("errors").EnumerateObject().Select(it => it.Name).Order(StringComparer.Ordinal).ShouldBe(["customer", "price", "title"]);
    }

    [Fact]
    public async Task A_forms_faults_are_named_the_same_way()
    {
        var problem = await (await Post(("title", "x"), ("price.amount", "1.5"), ("price.currency", "EUR"), ("slots", "many"), ("lines[0].count", "x"), ("nonsense", "1"))).Problem(422, "invalid");
        problem.GetProperty("errors").EnumerateObject().Select(it => it.Name).Order(StringComparer.Ordinal)
            .ShouldBe(["customer", "lines[0].count", "lines[0].label", "nonsense", "price.amount", "slots"]);
    }

    [Fact]
    public async Task A_body_checks_its_own_rules() =>
        (await (await Post(Whole.Replace("Portrait", "forbidden", StringComparison.Ordinal))).Problem(422, "invalid")).Errors("title").ShouldBe(["must be another."]);

    [Theory]
    [InlineData("120.00", "EUR", true)]
    [InlineData("120", "JPY", true)]
    [InlineData("1.234", "KWD", true)]
    [InlineData("0.00000001", "BTC", true)]
    [InlineData("120", "EUR", false)]
    [InlineData("120.0", "EUR", false)]
    [InlineData("120.000", "EUR", false)]
    [InlineData("120.00", "JPY", false)]
    [InlineData("-1.00", "EUR", false)]
    [InlineData("1e2", "JPY", false)]
    [InlineData("", "EUR", false)]
    [InlineData("99999999999999999999.00", "EUR", false)]
    [InlineData("1.00", "eur", false)]
    public async Task Money_has_exactly_its_currencys_digits(string amount, string currency, bool isTaken)
    {
        var response = await Post(Whole.Replace("120.00", amount, StringComparison.Ordinal).Replace("EUR", currency, StringComparison.Ordinal));
        response.StatusCode.ShouldBe(isTaken ? HttpStatusCode.OK : HttpStatusCode.UnprocessableEntity, await response.Text());
    }

    [Fact]
    public async Task A_json_number_is_no_money()
    {
        var problem = await (await Post(Whole.Replace("\"120.00\"", "120.00", StringComparison.Ordinal))).Problem(422, "invalid");
        problem.Errors("price.amount").Single().ShouldContain("never a JSON number");
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{'title':1}")]
    [InlineData("""{"title":"a","title":"b"}""")]
    [InlineData("""{"title":"\ud800"}""")]
    [InlineData("""{"title":"a\u0000b"}""")]
    [InlineData("""{"title":"a"} more""")]
    public async Task Broken_json_is_malformed(string json) => await (await Post(json)).Problem(400, "malformed");

    [Fact]
    public async Task The_place_of_the_fault_is_told() =>
        (await (await Post("{\n  \"title\": oops\n}")).Problem(400, "malformed")).GetProperty("detail").GetString()!.ShouldContain("line 2");

    [Fact]
    public async Task What_is_not_utf8_is_malformed()
    {
        var content = new ByteArrayContent([(byte)'"', 0xff, (byte)'"']) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        await (await fixture.Site.Send(HttpMethod.Post, "/orders", content)).Problem(400, "malformed");
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"text\"")]
    public async Task Json_of_another_kind_is_invalid(string json) => await (await Post(json)).Problem(422, "invalid");

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("nonsense")]
    public async Task Other_content_types_are_not_taken(string type)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(Whole));
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        await (await fixture.Site.Send(HttpMethod.Post, "/orders", content)).Problem(415, "unsupported-media-type");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task More_json_than_256_kib_is_too_large(bool isChunked)
    {
        var content = TestSite.JsonBody($"{{\"title\":\"{new string('x', 256 * 1024)}\"}}");
        content.Headers.ContentLength = isChunked ? null : content.Headers.ContentLength;
        var request = new HttpRequestMessage(HttpMethod.Post, "/orders") { Content = content };
        request.Headers.TransferEncodingChunked = isChunked;
        await (await fixture.Site.Client.SendAsync(request, TestContext.Current.CancellationToken)).Problem(413, "too-large");
    }

    [Fact]
    public async Task More_form_than_1_mib_is_too_large() => await (await Post(("title", new string('x', 1024 * 1024)))).Problem(413, "too-large");

    [Fact]
    public async Task A_form_of_half_a_mib_is_taken() => await (await Post(("title", new string('x', 512 * 1024)))).Problem(422, "invalid");

    [Theory]
    [InlineData("a.b.c.d.e.f.g.h.i.j")]
    [InlineData("a..b")]
    [InlineData(".")]
    public async Task A_field_name_that_cannot_be_read_is_malformed(string name) => await (await Post((name, "1"))).Problem(400, "malformed");

    [Fact]
    public async Task A_field_cannot_be_a_group_too() => await (await Post(("price", "1"), ("price.amount", "1.00"))).Problem(400, "malformed");

    [Fact]
    public async Task A_nul_character_in_a_form_is_malformed() => await (await Post(("title", "a\0b"))).Problem(400, "malformed");

    [Fact]
    public async Task A_file_where_none_is_taken_is_named()
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent([1, 2, 3]), "picture", "a.png" } };
        (await (await fixture.Site.Send(HttpMethod.Post, "/orders", form)).Problem(422, "invalid")).Errors("picture").ShouldHaveSingleItem();
    }

    [Fact]
    public void Every_amount_survives_its_json() => Rule.Holds(ArbMap.Default.GeneratorFor<long>(), minor =>
    {
        var money = new Money(Math.Abs(minor % long.MaxValue), "KWD");
        JsonSerializer.Deserialize<Money>(JsonSerializer.Serialize(money, Json.Options), Json.Options).ShouldBe(money);
    });
}
