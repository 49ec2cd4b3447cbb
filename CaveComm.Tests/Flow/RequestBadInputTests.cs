using System.Net;
using System.Net.Http.Json;
using System.Text;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Requests for work that cannot be taken as they are.</summary>
[Collection(nameof(BadInputOffice))]
public sealed class RequestBadInputTests(Office office)
{
    [Fact]
    public async Task An_unknown_freelancer_or_template_is_not_found()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        var body = story.RequestBody("stripe");

        await office.IsRefused(null, () => office.Ask(story, body, "nobody"), HttpStatusCode.NotFound, "not-found");
        await office.IsRefused(null, () => office.Ask(story, body, Office.Jonas.Handle), HttpStatusCode.NotFound, "not-found");
        await office.IsRefused(null, () => office.Ask(new Story(office), body), HttpStatusCode.NotFound, "not-found");
        using var page = await office.Anonymous.GetAsync("customer/mira/template/no-such");
        await page.IsProblem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task A_retired_template_takes_no_request()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        using var retired = await office.Freelancer.DeleteAsync($"freelancer/mira/templates/{story.Template}");
        retired.StatusCode.ShouldBe(HttpStatusCode.NoContent);

        await office.IsRefused(null, () => story.PostRequest("stripe"), HttpStatusCode.NotFound, "not-found");
        await office.IsRefused(null, () => office.Freelancer.DeleteAsync($"freelancer/mira/templates/{story.Template}"), HttpStatusCode.NotFound, "no-such-template");
    }

    [Fact]
    public async Task A_closed_freelancer_takes_no_request_until_open_again()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        using var closed = await office.Freelancer.PostAsJsonAsync("freelancer/mira/close", new { });
        closed.StatusCode.ShouldBe(HttpStatusCode.OK);
        try
        {
            await office.IsRefused(null, () => story.PostRequest("stripe"), HttpStatusCode.Conflict, "commissions-closed");
        }
        finally
        {
            using var opened = await office.Freelancer.PostAsJsonAsync("freelancer/mira/open", new { });
        }

        await story.Request("stripe");
    }

    public static TheoryData<string, string, string> Faulty => new()
    {
        { "a required answer is missing", """{"customer":{"name":"Ada","email":"ada@example.com"},"answers":{}}""", "answers.subject" },
        { "a required answer is blank", """{"customer":{"name":"Ada","email":"ada@example.com"},"answers":{"subject":"   "}}""", "answers.subject" },
        { "no answers at all", """{"customer":{"name":"Ada","email":"ada@example.com"}}""", "answers.subject" },
        { "a choice that is not offered", """{"customer":{"name":"Ada","email":"ada@example.com"},"answers":{"subject":"x","size":"huge"}}""", "answers.size" },
        { "no number", """{"customer":{"name":"Ada","email":"ada@example.com"},"answers":{"subject":"x","figures":"two"}}""", "answers.figures" },
        { "a list for an answer", """{"customer":{"name":"Ada","email":"ada@example.com"},"answers":{"subject":["x"]}}""", "answers.subject" },
        { "an unknown question", """{"customer":{"name":"Ada","email":"ada@example.com"},"answers":{"subject":"x","colour":"red"}}""", "answers.colour" },
        { "a provider that is not offered", """{"customer":{"name":"Ada","email":"ada@example.com"},"answers":{"subject":"x"},"provider":"btcpay"}""", "provider" },
        { "an unknown provider", """{"customer":{"name":"Ada","email":"ada@example.com"},"answers":{"subject":"x"},"provider":"manual"}""", "provider" },
        { "an unknown member", """{"customer":{"name":"Ada","email":"ada@example.com"},"answers":{"subject":"x"},"price":"1.00"}""", "price" },
        { "an unknown member further in", """{"customer":{"name":"Ada","email":"ada@example.com","id":"7"},"answers":{"subject":"x"}}""", "customer.id" },
        { "a number for a name", """{"customer":{"name":7,"email":"ada@example.com"},"answers":{"subject":"x"}}""", "customer.name" },
        { "a blank name", """{"customer":{"name":" ","email":"ada@example.com"},"answers":{"subject":"x"}}""", "customer.name" },
        { "no customer", """{"answers":{"subject":"x"}}""", "customer.email,customer.name" },
        { "everything at once", """{"customer":{"name":"","email":"ada"},"answers":{"size":"huge","colour":"red"},"provider":"btcpay"}""", "customer.name,customer.email,answers.subject,answers.size,answers.colour,provider" },
        { "not an object", """[]""", "body" },
        { "null", "null", "body" },
    };

    [Theory]
    [MemberData(nameof(Faulty))]
    public async Task A_faulty_request_is_told_every_fault(string what, string body, string fields)
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        await office.IsRefused(null, () => Post(story, Json(body)), HttpStatusCode.UnprocessableEntity, "invalid", fields.Split(','));
        what.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("ada")]
    [InlineData("ada@")]
    [InlineData("@example.com")]
    [InlineData("ada@example.com, eve@example.com")]
    [InlineData("Ada <ada@example.com>")]
    [InlineData("ada@example.com\r\nBcc: eve@example.com")]
    [InlineData("ada lovelace@example.com")]
    public async Task What_is_no_address_is_refused(string email)
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        var body = new { customer = new { name = "Ada", email }, answers = new { subject = "x" } };

        await office.IsRefused(null, () => office.Ask(story, body), HttpStatusCode.UnprocessableEntity, "invalid", "customer.email");
    }

    [Theory]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("{\"customer\":}")]
    [InlineData("{} {}")]
    [InlineData("{\"provider\":\"stripe\",\"provider\":\"btcpay\"}")]
    [InlineData("{\"provider\":\"\\u0000\"}")]
    [InlineData("{\"provider\":\"\\ud800\"}")]
    public async Task Broken_json_is_told_to_be_broken(string body)
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        if (body.Length == 0)
        {
            // No body stands for {}: its fields are missing, its syntax is not at fault.
            await office.IsRefused(null, () => Post(story, Json(body)), HttpStatusCode.UnprocessableEntity, "invalid", "customer.name", "customer.email", "answers.subject");
            return;
        }

        await office.IsRefused(null, () => Post(story, Json(body)), HttpStatusCode.BadRequest, "malformed");
    }

    [Fact]
    public async Task Json_that_is_no_utf8_or_nests_without_end_is_malformed()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        var latin = new ByteArrayContent([.. "{\"provider\":\""u8, 0xE9, .. "\"}"u8]);
        latin.Headers.ContentType = new("application/json");

        await office.IsRefused(null, () => Post(story, latin), HttpStatusCode.BadRequest, "malformed");
        await office.IsRefused(null, () => Post(story, Json(new string('[', 5_000))), HttpStatusCode.BadRequest, "malformed");
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/json; charset=iso-8859-1")]
    public async Task Another_content_type_is_not_taken(string type)
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        await office.IsRefused(
            null, () => Post(story, Typed("{}", type)), HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task More_json_or_form_than_is_taken_is_too_large(bool chunked)
    {
        var story = await new Story(office).Publish("upFront", "stripe");

        await office.IsRefused(
            null, () => Post(story, Json($$"""{"provider":"{{new string('x', 256 * 1024)}}"}"""), chunked), HttpStatusCode.RequestEntityTooLarge, "too-large");
        await office.IsRefused(
            null, () => Post(story, Typed($"provider={new string('x', 1024 * 1024)}", "application/x-www-form-urlencoded"), chunked), HttpStatusCode.RequestEntityTooLarge, "too-large");
    }

    [Fact]
    public async Task A_form_with_faults_comes_back_as_a_page_that_names_them()
    {
        var story = await new Story(office).Publish("upFront", "stripe");
        using var browser = office.Client(null, "text/html");
        var before = await office.HighestSequence();

        using var answer = await browser.PostAsync(
            $"customer/mira/template/{story.Template}/request", new FormUrlEncodedContent(new Dictionary<string, string> { ["customer.email"] = "ada\"><script>" }));

        answer.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        var page = await answer.Content.ReadAsStringAsync();
        page.ShouldContain("An e-mail address, such as");
        page.ShouldNotContain("<script");
        (await office.RecordedSince(before, null)).ShouldBe("");
    }

    private Task<HttpResponseMessage> Post(Story story, HttpContent content, bool chunked = false)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"customer/mira/template/{story.Template}/request") { Content = content };
        request.Headers.TransferEncodingChunked = chunked ? true : null;
        return office.Anonymous.SendAsync(request);
    }

    private static ByteArrayContent Json(string text) => Typed(text, "application/json");

    private static ByteArrayContent Typed(string text, string type)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return content;
    }
}
