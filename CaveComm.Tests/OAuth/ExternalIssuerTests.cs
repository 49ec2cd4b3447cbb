using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using CaveComm.Tests.Flow;
using CaveComm.Tests.Http;
using Microsoft.AspNetCore.WebUtilities;
using Shouldly;

namespace CaveComm.Tests.OAuth;

/// <summary>A product whose people sign in elsewhere: at the authorization server of another host, which happens to be one of ours too.</summary>
public sealed class ExternalIssuerTests(TwoOffices offices) : IClassFixture<TwoOffices>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Office Product => offices.Product;

    [Fact]
    public async Task The_issuers_person_makes_an_account_without_a_password_and_works_with_it()
    {
        var token = await offices.Token(Office.Mira);
        using var mira = Product.Client(token);
        await (await mira.GetAsync("freelancer/mira-here/inbox", Cancel)).Problem(403, "not-registered");
        (await (await Register(mira, "X")).Problem(422, "invalid")).Errors("handle").ShouldHaveSingleItem();

        (await Register(mira, "mira-here")).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await mira.GetAsync("freelancer/mira-here/inbox", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await Register(mira, "mira-again")).Problem(409, "already-registered");
        var account = await (await mira.GetAsync("account", Cancel)).Json();
        account.GetProperty("roles").EnumerateArray().Select(it => it.GetString()).ShouldBe(["freelancer"]);

        // The same person with another token is the same; another person is another.
        using var again = Product.Client(await offices.Token(Office.Mira));
        (await again.GetAsync("freelancer/mira-here/inbox", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var jonas = Product.Client(await offices.Token(Office.Jonas));
        (await Register(jonas, "jonas-here")).StatusCode.ShouldBe(HttpStatusCode.Created);
        await (await jonas.GetAsync("freelancer/mira-here/inbox", Cancel)).Problem(404, "not-found");

        // Roles are ours, whoever signs people in, and so is what a scope narrows.
        await (await mira.GetAsync("audit", Cancel)).Problem(403, "forbidden");
        using var narrow = Product.Client(await offices.Token(Office.Mira, "billing:read"));
        await (await narrow.GetAsync("freelancer/mira-here/inbox", Cancel)).Problem(403, "insufficient-scope");
        (await narrow.GetAsync("freelancer/mira-here/billing", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var unnamed = Product.Client(await offices.Token(Office.Mira, "openid"));
        await (await unnamed.GetAsync("freelancer/mira-here/inbox", Cancel)).Problem(403, "insufficient-scope");
    }

    [Fact]
    public async Task The_first_administrator_is_named_in_the_configuration_and_gives_roles_to_others()
    {
        using var vera = Product.Client(await offices.Token(Office.Vera));
        (await Register(vera, "vera-here")).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await vera.GetAsync("admin/accounts", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);

        using var otto = Product.Client(await offices.Token(Office.Otto));
        var account = (await (await Register(otto, "otto-here")).Json()).GetProperty("accountId").GetGuid();
        await (await otto.GetAsync("audit", Cancel)).Problem(403, "forbidden");
        (await vera.PutAsJsonAsync($"accounts/{account}/roles/auditor", new { reason = "audits" }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await otto.GetAsync("audit", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await vera.DeleteAsync($"accounts/{account}/roles/auditor?reason=done", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await otto.GetAsync("audit", Cancel)).Problem(403, "forbidden");
    }

    [Fact]
    public async Task A_token_for_somebody_else_or_by_somebody_else_opens_nothing()
    {
        foreach (var token in new[]
        {
            await offices.Issuer.SignIn(Office.Mira), // Meant for the issuer itself.
            await offices.IdToken(Office.Mira),
            (await offices.Token(Office.Mira))[..^4] + "AAAA",
            "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJtaXJhIn0.",
        })
        {
            using var client = Product.Client(token);
            await (await client.GetAsync("account", Cancel)).Problem(401, "sign-in-required");
            await (await Register(client, "stranger")).Problem(401, "sign-in-required");
        }

        await (await Register(Product.Anonymous, "stranger")).Problem(401, "sign-in-required");
    }

    [Theory]
    [InlineData("POST", "freelancer/login")]
    [InlineData("GET", "freelancer/login")]
    [InlineData("GET", "freelancer/register")]
    [InlineData("POST", "oauth2/token")]
    [InlineData("GET", "oauth2/authorize?client_id=app")]
    [InlineData("GET", "oauth2/jwks")]
    [InlineData("GET", ".well-known/openid-configuration")]
    [InlineData("POST", "account/password-reset")]
    [InlineData("POST", "account/password-reset/new")]
    public async Task Nobody_signs_in_here_and_no_token_is_made(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Content = method == "POST" ? JsonContent.Create(new { username = Office.Mira.Handle, password = Office.Mira.Password }) : null;
        var problem = await (await Product.Anonymous.SendAsync(request, Cancel)).Problem(403, "external-sign-in");
        problem.GetProperty("detail").GetString()!.ShouldContain(offices.Issuer.Url.AbsoluteUri);
    }

    [Fact]
    public async Task A_browser_is_told_where_to_sign_in_and_is_not_sent_in_circles()
    {
        using var browser = Product.Client(null, "text/html");
        (await browser.GetAsync("account", Cancel)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var page = await browser.GetAsync("freelancer/login", Cancel);
        page.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await page.Text()).ShouldContain("People do not sign in here");
    }

    private static async Task<HttpResponseMessage> Register(HttpClient client, string handle) =>
        await client.PostAsJsonAsync("freelancer/register", new { handle, displayName = handle, email = $"{handle}@people.example" }, Cancel);
}

/// <summary>An office that signs people in, and one that believes it.</summary>
public sealed class TwoOffices : IAsyncLifetime
{
    private const string Here = "https://commissions.example";
    private const string Callback = "https://portal.example/callback";
    private const string Everything = "account admin audit:read billing:read commissions:read commissions:write openid";
    private int addresses;

    public Office Issuer { get; } = new();

    public Office Product { get; } = new() { HasPeople = false };

    public async ValueTask InitializeAsync()
    {
        foreach (var (name, value) in new Dictionary<string, string?>
        {
            ["OAuth:Resources:0"] = Here,
            ["OAuth:Clients:0:ClientId"] = "portal",
            ["OAuth:Clients:0:Public"] = "true",
            ["OAuth:Clients:0:Trusted"] = "true",
            ["OAuth:Clients:0:RedirectUris:0"] = Callback,
        })
        {
            Issuer.Extra[name] = value;
        }

        await Issuer.InitializeAsync();
        Product.Extra["Oidc:Authority"] = Issuer.Url.GetLeftPart(UriPartial.Authority);
        Product.Extra["Oidc:Audience"] = Here;
        using var vera = Issuer.Client(await Issuer.SignIn(Office.Vera));
        Product.Extra["Oidc:Administrators:0"] = (await (await vera.GetAsync("account")).Json()).GetProperty("accountId").GetString();
        await Product.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Product.DisposeAsync();
        await Issuer.DisposeAsync();
    }

    /// <summary>A token of the issuer for the product.</summary>
    internal async Task<string> Token((string Handle, string Password) person, string scope = Everything) => (await Tokens(person, scope)).GetProperty("access_token").GetString()!;

    internal async Task<string> IdToken((string Handle, string Password) person) => (await Tokens(person, Everything)).GetProperty("id_token").GetString()!;

    private async Task<JsonElement> Tokens((string Handle, string Password) person, string scope)
    {
        var browser = new OfficePerson(Issuer, ++addresses);
        await browser.Open("/freelancer/login");
        await browser.Send("/freelancer/login", ("username", person.Handle), ("password", person.Password));
        await browser.Open("/oauth2/authorize" + OAuthTalk.Query(("client_id", "portal"), ("redirect_uri", Callback), ("scope", scope), ("resource", Here)));
        browser.Status.ShouldBe(HttpStatusCode.SeeOther, browser.Html);
        using var form = TestSite.FormBody(
            ("grant_type", "authorization_code"), ("client_id", "portal"), ("redirect_uri", Callback), ("code_verifier", OAuthTalk.Verifier),
            ("code", QueryHelpers.ParseQuery(browser.Answer.Headers.Location!.Query)["code"].ToString()));
        using var answer = await Issuer.Anonymous.PostAsync("oauth2/token", form);
        return await answer.Json();
    }
}
