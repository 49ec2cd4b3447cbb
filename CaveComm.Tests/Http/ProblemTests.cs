using System.Net;
using CaveComm.Api.Http;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.Http;

public sealed class ProblemTests : IAsyncLifetime
{
    private const string Browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    private TestSite _site = null!;

    public async ValueTask InitializeAsync() => _site = await TestSite.Start(app =>
    {
        app.MapGet("/refused/{kind}", (RefusalKind kind) => new Refusal(kind, "wrong-stage", "It is declined already.",
            kind == RefusalKind.Invalid ? new Dictionary<string, string[]> { ["price.amount"] = ["must be more than zero."] } : null).ToProblem());
        app.MapGet("/throws/{what}", IResult (string what) => throw Exceptions[what]());
        app.MapGet("/only-get", () => "here");
        app.MapGet("/number/{id:int}", (int id, int count) => $"{id} {count}");
    });

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    private static readonly Dictionary<string, Func<Exception>> Exceptions = new()
    {
        ["race"] = () => new EventStoreRace(),
        ["gateway"] = () => new GatewayUnavailableException("stripe", "no answer in 10 s", TimeSpan.FromSeconds(17)),
        ["down"] = () => new NpgsqlException("cannot connect", new System.Net.Sockets.SocketException(111)),
        ["stopping"] = () => new PostgresException("terminating", "FATAL", "FATAL", PostgresErrorCodes.AdminShutdown),
        ["statement"] = () => new PostgresException("relation secret_table does not exist", "ERROR", "ERROR", PostgresErrorCodes.UndefinedTable),
        ["bug"] = () => new InvalidOperationException("the secret inside"),
        ["large"] = () => new BadHttpRequestException("Request body too large.", 413),
        ["collision"] = () => new CaveComm.EventStore.ExistingStreamIdCollisionException("handle:mara"),
    };

    private sealed class EventStoreRace() : CaveComm.EventStore.ConcurrencyException("version 3 expected");

    [Theory]
    [InlineData("Missing", 404)]
    [InlineData("Forbidden", 403)]
    [InlineData("Conflict", 409)]
    [InlineData("Invalid", 422)]
    public async Task A_refusal_becomes_a_problem_document_with_its_code(string kind, int status)
    {
        var problem = await (await _site.Send(HttpMethod.Get, $"/refused/{kind}")).Problem(status, "wrong-stage");
        problem.GetProperty("detail").GetString().ShouldBe("It is declined already.");
        problem.TryGetProperty("errors", out _).ShouldBe(status == 422);
    }

    [Fact]
    public async Task Faults_are_named_by_field()
    {
        var problem = await (await _site.Send(HttpMethod.Get, "/refused/Invalid")).Problem(422, "wrong-stage");
        problem.Errors("price.amount").ShouldBe(["must be more than zero."]);
    }

    [Theory]
    [InlineData("race", 409, "lost-race")]
    [InlineData("collision", 409, "exists-already")]
    [InlineData("gateway", 503, "unavailable")]
    [InlineData("down", 503, "unavailable")]
    [InlineData("stopping", 503, "unavailable")]
    [InlineData("statement", 500, "internal")]
    [InlineData("bug", 500, "internal")]
    [InlineData("large", 413, "too-large")]
    public async Task An_exception_becomes_the_problem_that_it_means(string what, int status, string code)
    {
        var response = await _site.Send(HttpMethod.Get, $"/throws/{what}");
        await response.Problem(status, code);
        (await response.Text()).ShouldNotContain("secret");
        (response.Headers.RetryAfter is not null).ShouldBe(status == 503);
    }

    [Fact]
    public async Task A_gateway_says_how_long_to_wait() =>
        (await _site.Send(HttpMethod.Get, "/throws/gateway")).Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(17));

    [Theory]
    [InlineData("/nowhere", 404, "not-found")]
    [InlineData("/number/three", 404, "not-found")]
    [InlineData("/number/3?count=many", 400, "malformed")]
    [InlineData("/problems/no-such-code", 404, "not-found")]
    public async Task What_the_framework_refuses_is_a_problem_document_too(string path, int status, string code) =>
        await (await _site.Send(HttpMethod.Get, path)).Problem(status, code);

    [Fact]
    public async Task A_wrong_method_is_answered_with_the_right_ones()
    {
        var response = await _site.Send(HttpMethod.Delete, "/only-get");
        await response.Problem(405, "method-not-allowed");
        response.Content.Headers.Allow.ShouldBe(["GET", "HEAD", "OPTIONS"], ignoreOrder: true);
    }

    [Fact]
    public async Task Options_tells_the_methods()
    {
        var response = await _site.Send(HttpMethod.Options, "/only-get");
        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        response.Content.Headers.Allow.ShouldBe(["GET", "HEAD", "OPTIONS"], ignoreOrder: true);
        await (await _site.Send(HttpMethod.Options, "/nowhere")).Problem(404, "not-found");
    }

    [Theory]
    [InlineData("/only-get", 200)]
    [InlineData("/nowhere", 404)]
    [InlineData("/problems/invalid", 200)]
    public async Task Head_is_get_without_the_body(string path, int status)
    {
        var get = await _site.Send(HttpMethod.Get, path);
        var head = await _site.Send(HttpMethod.Head, path);
        ((int)head.StatusCode).ShouldBe(status);
        head.StatusCode.ShouldBe(get.StatusCode);
        head.MediaType()!.MediaType.ShouldBe(get.MediaType()!.MediaType);
        (await head.Bytes()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/nowhere", 404)]
    [InlineData("/refused/Invalid", 422)]
    [InlineData("/throws/bug", 500)]
    public async Task A_browser_sees_the_same_problem_as_a_page(string path, int status)
    {
        var response = await _site.Send(HttpMethod.Get, path, accept: Browser);
        ((int)response.StatusCode).ShouldBe(status);
        response.MediaType()!.MediaType.ShouldBe("text/html");
        var page = await response.Text();
        page.ShouldContain("<!DOCTYPE html>");
        page.ShouldContain("<h1>");
        page.ShouldNotContain("secret");
    }

    [Fact]
    public async Task A_page_shows_the_faults_and_escapes_them()
    {
        var page = await (await _site.Send(HttpMethod.Get, "/refused/Invalid", accept: Browser)).Text();
        page.ShouldContain("price.amount");
        page.ShouldContain("must be more than zero.");
    }

    [Fact]
    public async Task Every_code_has_its_page()
    {
        foreach (var type in ProblemTypes.All)
        {
            var json = await (await _site.Send(HttpMethod.Get, $"/problems/{type.Code}")).Json();
            json.GetProperty("title").GetString().ShouldBe(type.Title);
            var page = await _site.Send(HttpMethod.Get, $"/problems/{type.Code}", accept: Browser);
            page.MediaType()!.MediaType.ShouldBe("text/html");
        }
    }

    [Fact]
    public void The_documentation_lists_every_code_with_its_status_title_and_advice()
    {
        using var reader = new StreamReader(typeof(ProblemTests).Assembly.GetManifestResourceStream("problems.md")!);
        var document = reader.ReadToEnd();
        foreach (var type in ProblemTypes.All)
        {
            document.ShouldContain($"| `{type.Code}` | {type.Status} | {type.Title} | {type.Advice} |");
        }

        document.Split('\n').Count(it => it.StartsWith("| `", StringComparison.Ordinal)).ShouldBe(ProblemTypes.All.Count);
    }

    [Fact]
    public async Task Answers_carry_the_security_headers()
    {
        var response = await _site.Send(HttpMethod.Get, "/only-get");
        response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        response.Headers.GetValues("X-Frame-Options").ShouldBe(["DENY"]);
        response.Headers.GetValues("Referrer-Policy").ShouldBe(["same-origin"]);
        var policy = response.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem();
        policy.ShouldContain("frame-ancestors 'none'");
        policy.ShouldNotContain("unsafe");
        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        response.Headers.Contains("Server").ShouldBeFalse();
    }

    [Fact]
    public async Task The_style_sheet_is_cached_and_revalidated()
    {
        var page = await (await _site.Send(HttpMethod.Get, "/problems", accept: Browser)).Text();
        var address = page.Split("rel=\"stylesheet\" href=\"")[1].Split('"')[0];
        var first = await _site.Send(HttpMethod.Get, address);
        first.StatusCode.ShouldBe(HttpStatusCode.OK);
        first.Headers.CacheControl!.Public.ShouldBeTrue();
        var second = await _site.Send(HttpMethod.Get, address, headers: ("If-None-Match", first.Headers.ETag!.ToString()));
        second.StatusCode.ShouldBe(HttpStatusCode.NotModified);
    }
}
