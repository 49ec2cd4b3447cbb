using System.Net;
using CaveComm.Api.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Shouldly;

namespace CaveComm.Tests.Http;

public sealed class NegotiationTests : IAsyncLifetime
{
    private TestSite _site = null!;

    public async ValueTask InitializeAsync() => _site = await TestSite.Start(app =>
    {
        app.MapGet("/card", (HttpContext http) => http.Negotiate(new { name = "Mara" }, page: it => TypedResults.Content($"<p>{it.name}", "text/html")));
        app.MapGet("/csv", (HttpContext http) => http.BestOf("application/json", "text/html", "text/csv"));
        app.MapPost("/done", (HttpContext http) => http.Done("/card", TypedResults.NoContent()));
    });

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    [Theory]
    [InlineData(null, "application/json")]
    [InlineData("*/*", "application/json")]
    [InlineData("application/json", "application/json")]
    [InlineData("text/html", "text/html")]
    [InlineData("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html")]
    [InlineData("text/html;q=0.5, application/json", "application/json")]
    [InlineData("application/json;q=0.5, text/html;q=0.6", "text/html")]
    [InlineData("text/html;q=0, */*", "application/json")]
    [InlineData("text/*", "text/html")]
    [InlineData("application/problem+json, text/html;q=0.9", "application/json")]
    [InlineData("application/*;q=0.4, text/html;q=0.3", "application/json")]
    [InlineData("application/json, text/html", "application/json")]
    [InlineData("text/html, application/json", "text/html")]
    [InlineData("*/*, text/html;q=0.1", "application/json")]
    [InlineData("image/png", "application/json")]
    [InlineData("utter nonsense", "application/json")]
    [InlineData("application/json;q=0, text/html;q=0", "application/json")]
    public async Task Accept_is_ranked_by_quality(string? accept, string expected)
    {
        var response = await _site.Send(HttpMethod.Get, "/card", accept: accept);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.MediaType()!.MediaType.ShouldBe(expected);
        response.Headers.Vary.ShouldBe(["Accept"]);
    }

    [Fact]
    public async Task A_third_form_can_be_offered() =>
        (await (await _site.Send(HttpMethod.Get, "/csv", accept: "text/csv, application/json;q=0.5")).Text()).ShouldBe("text/csv");

    [Fact]
    public async Task A_form_goes_on_to_a_page()
    {
        var response = await _site.Send(HttpMethod.Post, "/done", TestSite.FormBody(("a", "b")), accept: "text/html,*/*;q=0.8");
        response.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        response.Headers.Location!.OriginalString.ShouldBe("/card");
    }

    [Fact]
    public async Task A_program_gets_the_result()
    {
        (await _site.Send(HttpMethod.Post, "/done", TestSite.JsonBody("{}"))).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await _site.Send(HttpMethod.Post, "/done", TestSite.FormBody(("a", "b")), accept: "application/json")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        using var upload = new MultipartFormDataContent { { new StringContent("b"), "a" } };
        (await _site.Send(HttpMethod.Post, "/done", upload)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }
}
