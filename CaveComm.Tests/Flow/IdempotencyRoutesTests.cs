using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Every POST says what becomes of its answer: a new one that does not fails here.</summary>
[Collection(nameof(IdempotencyOffice))]
public sealed class IdempotencyRoutesTests(Office office)
{
    /// <summary>Here a key is not looked at; the reason stands at the route.</summary>
    private static readonly string[] WithoutAnswer =
    [
        "/account/keys", "/account/keys/{number:int}/revoke", "/account/password", "/account/password-reset/new", "/account/second-factor", "/account/second-factor/off",
        "/account/second-factor/recovery-codes", "/account/sessions/end-all", "/account/sessions/{id:guid}/end", "/admin/oauth/clients", "/admin/oauth/clients/{clientID}/remove",
        "/admin/oauth/keys/rotate", "/freelancer/login", "/freelancer/logout", "/freelancer/{freelancer}/payoutAccounts/{provider}", "/invitations/{id:guid}/withdraw", "/oauth2/authorize", "/oauth2/introspect", "/oauth2/revoke", "/oauth2/token",
        "/webhooks/btcpay", "/webhooks/stripe",
    ];

    /// <summary>What only a page's form uses is not in the description.</summary>
    private static readonly string[] FormsAlone = ["/account/keys/{number:int}/revoke", "/account/sessions/{id:guid}/end", "/invitations/{id:guid}/withdraw"];

    [Fact]
    public void Every_post_says_whether_its_answer_is_kept()
    {
        Posts().Where(it => it.Rule is null).Select(it => it.Route).ShouldBeEmpty();
        Posts().Where(it => it.Rule is AnswerRule.NotKept).Select(it => it.Route).ShouldBe(WithoutAnswer);
        Posts().Select(it => it.Rule).OfType<AnswerRule.NotKept>().ShouldAllBe(it => it.Reason.Length > 20);
        Posts().Count(it => it.Rule is AnswerRule.Kept).ShouldBeGreaterThan(20);
    }

    [Fact]
    public async Task The_description_tells_the_header_where_it_counts_and_the_bodies()
    {
        var document = JsonNode.Parse(await office.Anonymous.GetStringAsync("openapi/v1.json", TestContext.Current.CancellationToken))!;
        var described = document["paths"]!.AsObject().Where(it => it.Value!["post"] is not null)
            .ToDictionary(it => it.Key, it => it.Value!["post"]!["parameters"]?.AsArray().Any(parameter => (string?)parameter!["name"] == IdempotencyKey.Header) == true);

        described.Where(it => !it.Value).Select(it => it.Key).ShouldBe(WithoutAnswer.Except(FormsAlone), ignoreOrder: true);
        described.Count.ShouldBeGreaterThan(20);

        var request = document["paths"]!["/customer/{freelancer}/template/{templateName}/request"]!["post"]!["requestBody"]!["content"]!.AsObject();
        request.Select(it => it.Key).ShouldBe(["application/json", "application/x-www-form-urlencoded", "multipart/form-data"], ignoreOrder: true);
        var schema = request["application/json"]!["schema"]!;
        var name = ((string)schema["$ref"]!).Split('/')[^1];
        document["components"]!["schemas"]![name]!["properties"]!.AsObject().Select(it => it.Key).ShouldBe(["customer", "answers", "provider", "acceptedTerms"], ignoreOrder: true);

        // Whatever an endpoint reads is described.
        foreach (var endpoint in Endpoints().Where(it => it.Metadata.GetMetadata<DescribedBody>() is not null && it.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is null))
        {
            var path = Regex.Replace(endpoint.RoutePattern.RawText!, ":[a-z]+}", "}").TrimEnd('/');
            var method = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods[0].ToLowerInvariant();
            document["paths"]![path]?[method]?["requestBody"]?["content"]?["application/json"]?["schema"].ShouldNotBeNull($"{method} {path}");
        }
    }

    private IEnumerable<RouteEndpoint> Endpoints() => office.Services.GetServices<EndpointDataSource>().SelectMany(it => it.Endpoints).OfType<RouteEndpoint>();

    private IEnumerable<(string Route, AnswerRule? Rule)> Posts() => Endpoints()
        .Where(it => it.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains("POST") == true)
        .Select(it => (Route: it.RoutePattern.RawText!.TrimEnd('/'), Rule: it.Metadata.GetMetadata<AnswerRule>()))
        .OrderBy(it => it.Route, StringComparer.Ordinal);
}
