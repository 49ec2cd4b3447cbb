using System.Net;
using CaveComm.Api.Http;
using CaveComm.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Shouldly;

namespace CaveComm.Tests.Http;

public sealed class RequestRuleSite : IAsyncLifetime
{
    internal TestSite Site { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Site = await TestSite.Start(app =>
    {
        app.MapPost("/versioned", (HttpContext http) => http.IfMatch().Allows(7) ? TypedResults.NoContent() : (IResult)http.VersionMismatch(7));
        app.MapGet("/versioned", (HttpContext http) =>
        {
            http.SetETag(7);
            return http.HasVersion(7) ? Results.StatusCode(304) : Results.Text("seven");
        });
        app.MapGet("/list", (HttpContext http) =>
        {
            var faults = new Faults();
            var page = http.ReadPage(faults, standard: 3);
            var from = page.After is [var last] ? int.Parse(last, System.Globalization.CultureInfo.InvariantCulture) : 0;
            return faults.IsEmpty
                ? TypedResults.Json(page.Cut([.. Enumerable.Range(from + 1, 10 - from).Take(page.Rows)], it => [$"{it}"]), Json.Options)
                : (IResult)faults.ToProblem();
        });
        app.MapPost("/written", (HttpContext http) =>
        {
            http.AnswerPosition(42);
            return http.Done("/seen", TypedResults.NoContent());
        });
        app.MapGet("/seen", (HttpContext http) =>
        {
            if (http.AskedPosition() is > 100)
            {
                http.AnswerStale();
            }

            return $"{http.AskedPosition()}";
        });
    });

    public ValueTask DisposeAsync() => Site.DisposeAsync();
}

public sealed class RequestRuleTests(RequestRuleSite fixture) : IClassFixture<RequestRuleSite>
{
    private TestSite Site => fixture.Site;

    [Theory]
    [InlineData(null, 204)]
    [InlineData("\"7\"", 204)]
    [InlineData("*", 204)]
    [InlineData("\"6\", \"7\"", 204)]
    [InlineData("\"6\"", 412)]
    [InlineData("W/\"7\"", 412)]
    [InlineData("nonsense", 412)]
    public async Task If_match_lets_only_its_version_through(string? tag, int status)
    {
        var response = await Site.Send(HttpMethod.Post, "/versioned", headers: tag is null ? [] : [("If-Match", tag)]);
        ((int)response.StatusCode).ShouldBe(status);
        if (status == 412)
        {
            await response.Problem(412, "version-mismatch");
            response.Headers.ETag!.Tag.ShouldBe("\"7\"");
        }
    }

    [Fact]
    public async Task Who_has_the_version_gets_304()
    {
        (await Site.Send(HttpMethod.Get, "/versioned", headers: ("If-None-Match", "\"7\""))).StatusCode.ShouldBe(HttpStatusCode.NotModified);
        (await Site.Send(HttpMethod.Get, "/versioned", headers: ("If-None-Match", "\"6\""))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(10)]
    [InlineData(200)]
    public async Task Following_the_cursor_shows_each_item_once(int limit)
    {
        var seen = new List<int>();
        for (var after = ""; after is not null;)
        {
            var page = await (await Site.Send(HttpMethod.Get, $"/list?limit={limit}&after={after}")).Json();
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(it => it.GetInt32()));
            after = page.GetProperty("next").GetString();
        }

        seen.ShouldBe(Enumerable.Range(1, 10));
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("limit=-1", "limit")]
    [InlineData("limit=ten", "limit")]
    [InlineData("after=!!", "after")]
    [InlineData("after=bm9uc2Vuc2U", "after")]
    [InlineData("after=WyJhIiwiYiJd", "after")]
    public async Task A_page_that_cannot_be_is_refused(string query, string field) =>
        (await (await Site.Send(HttpMethod.Get, $"/list?{query}")).Problem(422, "invalid")).Errors(field).ShouldHaveSingleItem();

    [Fact]
    public async Task A_write_tells_its_position_and_a_read_sends_it_back()
    {
        var written = await Site.Send(HttpMethod.Post, "/written");
        written.Headers.GetValues("CaveComm-Position").ShouldBe(["42"]);
        written.Headers.Contains("Set-Cookie").ShouldBeFalse();
        (await (await Site.Send(HttpMethod.Get, "/seen", headers: ("CaveComm-Position", "42"))).Text()).ShouldBe("42");
        (await (await Site.Send(HttpMethod.Get, "/seen", headers: ("CaveComm-Position", "soon"))).Text()).ShouldBe("");
        (await Site.Send(HttpMethod.Get, "/seen", headers: ("CaveComm-Position", "101"))).Headers.GetValues("CaveComm-Stale").ShouldBe(["true"]);
    }

    [Fact]
    public async Task A_page_remembers_the_position_by_itself()
    {
        using var browser = Site.NewClient(new CookieContainer());
        browser.DefaultRequestHeaders.Add("Accept", "text/html,*/*;q=0.8");
        var written = await browser.PostAsync(new Uri("/written", UriKind.Relative), TestSite.FormBody(("a", "b")), TestContext.Current.CancellationToken);
        written.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await browser.GetStringAsync(new Uri("/seen", UriKind.Relative), TestContext.Current.CancellationToken)).ShouldBe("42");
    }
}
