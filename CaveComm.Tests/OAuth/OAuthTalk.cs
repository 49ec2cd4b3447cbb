using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CaveComm.Tests.Http;
using CaveComm.Tests.Identity;
using Microsoft.AspNetCore.WebUtilities;
using Shouldly;

namespace CaveComm.Tests.OAuth;

/// <summary>What a token endpoint said.</summary>
internal sealed record Said(int Status, JsonElement Body)
{
    public string Text(string name) => Body.GetProperty(name).GetString()!;

    public string AccessToken => Text("access_token");

    public string RefreshToken => Text("refresh_token");

    public Said ShouldBeRefused(string error, int status = 400)
    {
        Status.ShouldBe(status, Body.ToString());
        Text("error").ShouldBe(error, Body.ToString());
        Text("error_description").ShouldNotBeNullOrWhiteSpace();
        Body.EnumerateObject().Count().ShouldBe(2);
        return this;
    }

    public Said ShouldBeGiven()
    {
        Status.ShouldBe(200, Body.ToString());
        return this;
    }
}

/// <summary>Speaks OAuth with the site, as clients and a person's browser do.</summary>
internal sealed class OAuthTalk(IdentitySite fixture)
{
    public const string App = "app";
    public const string Callback = "https://app.example/callback";
    public const string Web = "web";
    public const string WebCallback = "https://web.example/callback?tenant=1";
    public const string WebSecret = "web-secret-web-secret-web-secret-web-secret";
    public const string Files = "https://files.example/";

    /// <summary>43 characters are the fewest there may be.</summary>
    public const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    public static readonly string Challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    /// <summary>The clients of the test's site, for its configuration.</summary>
    public static Dictionary<string, string?> Clients { get; } = new()
    {
        ["OAuth:Clients:0:ClientId"] = App,
        ["OAuth:Clients:0:Name"] = "The <App>",
        ["OAuth:Clients:0:Public"] = "true",
        ["OAuth:Clients:0:RedirectUris:0"] = Callback,
        ["OAuth:Clients:0:RedirectUris:1"] = "http://127.0.0.1/callback",
        ["OAuth:Clients:1:ClientId"] = Web,
        ["OAuth:Clients:1:Secret"] = WebSecret,
        ["OAuth:Clients:1:Trusted"] = "true",
        ["OAuth:Clients:1:RedirectUris:0"] = WebCallback,
        ["OAuth:Clients:1:GrantTypes:0"] = "authorization_code",
        ["OAuth:Clients:1:GrantTypes:1"] = "refresh_token",
        ["OAuth:Clients:1:GrantTypes:2"] = "client_credentials",
        ["OAuth:Clients:1:Roles:0"] = "auditor",
        ["OAuth:Clients:2:ClientId"] = "other",
        ["OAuth:Clients:2:Public"] = "true",
        ["OAuth:Clients:2:Trusted"] = "true",
        ["OAuth:Clients:2:RedirectUris:0"] = "https://other.example/callback",
        ["OAuth:Resources:0"] = Files,
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static Uri At(string path) => new(path, UriKind.Relative);

    /// <summary>What a well-behaved request for authorization says; a pair changes or adds one, null takes it out.</summary>
    public static string Query(params (string Name, string? Value)[] changes)
    {
        var all = new Dictionary<string, string?>
        {
            ["response_type"] = "code",
            ["client_id"] = App,
            ["redirect_uri"] = Callback,
            ["state"] = "s-1",
            ["code_challenge"] = Challenge,
            ["code_challenge_method"] = "S256",
        };
        foreach (var (name, value) in changes)
        {
            all[name] = value;
        }

        return "?" + string.Join('&', all.Where(it => it.Value is not null).Select(it => $"{it.Key}={Uri.EscapeDataString(it.Value!)}"));
    }

    /// <summary>For the trusted client, of whom people are not asked.</summary>
    public static string WebQuery(params (string Name, string? Value)[] changes) => Query([("client_id", Web), ("redirect_uri", WebCallback), .. changes]);

    public static Task<HttpResponseMessage> Authorize(HttpClient browser, string query) => browser.GetAsync(At("/oauth2/authorize" + query), Cancel);

    /// <summary>The person reads the page and presses a button.</summary>
    public static async Task<HttpResponseMessage> Decide(HttpClient browser, string query, string decision)
    {
        var token = await IdentitySite.Token(browser, "/oauth2/authorize" + query);
        return await browser.PostAsync(
            At("/oauth2/authorize"), TestSite.FormBody(("__RequestVerificationToken", token), ("request", query), ("decision", decision)), Cancel);
    }

    /// <summary>What the client learns when the browser comes back.</summary>
    public static Dictionary<string, string> Returned(HttpResponseMessage answer, string to = Callback)
    {
        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        var location = answer.Headers.Location!.OriginalString;
        location.ShouldStartWith(to);
        return QueryHelpers.ParseQuery(new Uri(location).Query).ToDictionary(it => it.Key, it => it.Value.ToString());
    }

    public static async Task<string> Code(HttpClient browser, string query) =>
        Returned(await Decide(browser, query, "allow"))["code"];

    public static async Task<string> WebCode(HttpClient browser, params (string Name, string? Value)[] changes) =>
        Returned(await Authorize(browser, WebQuery(changes)), WebCallback)["code"];

    public async Task<Said> Ask(string endpoint, params (string Name, string Value)[] form)
    {
        using var answer = await fixture.Site.Send(HttpMethod.Post, $"/oauth2/{endpoint}", TestSite.FormBody(form));
        var text = await answer.Text();
        answer.Headers.CacheControl?.NoStore.ShouldBeTrue();
        return new((int)answer.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement.Clone());
    }

    public Task<Said> Redeem(string code, params (string Name, string? Value)[] changes)
    {
        var form = new Dictionary<string, string?>
        {
            ["grant_type"] = "authorization_code",
            ["client_id"] = App,
            ["code"] = code,
            ["redirect_uri"] = Callback,
            ["code_verifier"] = Verifier,
        };
        foreach (var (name, value) in changes)
        {
            form[name] = value;
        }

        return Ask("token", [.. form.Where(it => it.Value is not null).Select(it => (it.Key, it.Value!))]);
    }

    public Task<Said> RedeemWeb(string code) => Redeem(code, ("client_id", Web), ("client_secret", WebSecret), ("redirect_uri", WebCallback));

    public Task<Said> Refresh(string token, params (string Name, string Value)[] more) =>
        Ask("token", [("grant_type", "refresh_token"), ("client_id", App), ("refresh_token", token), .. more]);

    public Task<Said> RefreshWeb(string token, params (string Name, string Value)[] more) =>
        Ask("token", [("grant_type", "refresh_token"), ("client_id", Web), ("client_secret", WebSecret), ("refresh_token", token), .. more]);

    /// <summary>Tokens of the trusted client for one of the site's people.</summary>
    public async Task<Said> Tokens(string person, params (string Name, string? Value)[] changes)
    {
        using var browser = await fixture.SignedInBrowser(person);
        return (await RedeemWeb(await WebCode(browser, changes))).ShouldBeGiven();
    }

    public Task<HttpResponseMessage> With(string token, string path, HttpMethod? method = null) =>
        fixture.Site.Send(method ?? HttpMethod.Get, path, headers: ("Authorization", $"Bearer {token}"));
}
