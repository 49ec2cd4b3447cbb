using System.Net;
using System.Text;
using CaveComm.Tests.Http;
using CaveComm.Tests.Identity;
using Microsoft.IdentityModel.JsonWebTokens;
using Shouldly;
using static CaveComm.Tests.OAuth.OAuthTalk;

namespace CaveComm.Tests.OAuth;

/// <summary>What the authorization server does for those who ask rightly.</summary>
public sealed class OAuthFlowTests(IdentitySite fixture) : IClassFixture<IdentitySite>
{
    private readonly OAuthTalk talk = new(fixture);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("http://127.0.0.1/back", "http://127.0.0.1:5123/back")]
    [InlineData("com.example.desk:/back", "com.example.desk:/back")]
    public async Task A_trusted_client_whose_name_any_program_can_take_is_asked_about(string registered, string redirectUri)
    {
        var (desk, _) = await fixture.Admin("Desk", new { redirectUris = new[] { registered }, @public = true, trusted = true });
        var query = Query(("client_id", desk), ("redirect_uri", redirectUri));
        using var browser = await fixture.SignedInBrowser("mira");
        (await (await Authorize(browser, query)).Text()).ShouldContain("Let Desk in?");
        Returned(await Authorize(browser, query + "&prompt=none"), redirectUri)["error"].ShouldBe("consent_required");
        Returned(await Decide(browser, query, "allow"), redirectUri).ShouldContainKey("code");
    }

    [Fact]
    public async Task A_person_is_asked_and_the_app_gets_tokens_for_what_was_agreed()
    {
        using var browser = await fixture.SignedInBrowser("mira");
        var query = Query(("scope", "commissions:read openid"), ("nonce", "n-1"));
        var page = await (await Authorize(browser, query)).Text();
        page.ShouldContain("Let The &lt;App&gt; in?");
        page.ShouldContain("read your commissions");
        page.ShouldNotContain("see what you earned");

        var back = Returned(await Decide(browser, query, "allow"));
        back["state"].ShouldBe("s-1");
        back["iss"].ShouldBe("http://127.0.0.1");
        var given = (await talk.Redeem(back["code"])).ShouldBeGiven();
        given.Text("token_type").ShouldBe("Bearer");
        given.Text("scope").ShouldBe("commissions:read openid");
        given.Body.GetProperty("expires_in").GetInt32().ShouldBe(600);

        var access = new JsonWebToken(given.AccessToken);
        access.Typ.ShouldBe("at+jwt");
        access.GetClaim("client_id").Value.ShouldBe(App);
        access.GetClaim("scope").Value.ShouldBe("commissions:read openid");
        Guid.TryParse(access.GetClaim("sid").Value, out _).ShouldBeTrue();
        var id = new JsonWebToken(given.Text("id_token"));
        id.Audiences.ShouldBe([App]);
        id.GetClaim("nonce").Value.ShouldBe("n-1");
        id.Subject.ShouldBe(access.Subject);
        id.TryGetClaim("at_hash", out _).ShouldBeTrue();
        id.TryGetClaim("auth_time", out _).ShouldBeTrue();

        (await (await talk.With(given.AccessToken, "/freelancer/mira/inbox")).Text()).ShouldBe("mira");
        var refused = await talk.With(given.AccessToken, "/freelancer/mira/act", HttpMethod.Post);
        await refused.Problem(403, "insufficient-scope");
    }

    [Fact]
    public async Task Who_says_no_lets_nobody_in()
    {
        using var browser = await fixture.SignedInBrowser("mira");
        var back = Returned(await Decide(browser, Query(), "deny"));
        back["error"].ShouldBe("access_denied");
        back["state"].ShouldBe("s-1");
        back["iss"].ShouldBe("http://127.0.0.1");
        back.ShouldNotContainKey("code");
    }

    [Fact]
    public async Task Consent_needs_the_forms_token()
    {
        using var browser = await fixture.SignedInBrowser("mira");
        var answer = await browser.PostAsync(At("/oauth2/authorize"), TestSite.FormBody(("request", Query()), ("decision", "allow")), Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task The_pages_forms_may_lead_on_to_the_client_and_to_nobody_else()
    {
        using var browser = await fixture.SignedInBrowser("mira");
        Policy(await Authorize(browser, Query())).ShouldContain("form-action 'self' https://app.example;");
        using var stranger = fixture.NewBrowser();
        Policy(await stranger.GetAsync(At("/freelancer/login?returnUrl=" + Uri.EscapeDataString("/oauth2/authorize" + Query())), Cancel)).ShouldContain("form-action 'self' https://app.example;");
        Policy(await stranger.GetAsync(At("/freelancer/login?returnUrl=" + Uri.EscapeDataString("/oauth2/authorize" + Query(("redirect_uri", "https://evil.example/")))), Cancel))
            .ShouldContain("form-action 'self';");

        static string Policy(HttpResponseMessage answer) => answer.Headers.GetValues("Content-Security-Policy").Single();
    }

    [Fact]
    public async Task Who_is_not_signed_in_signs_in_and_comes_back()
    {
        using var browser = fixture.NewBrowser();
        var query = WebQuery(("prompt", "login"));
        var answer = await Authorize(browser, query);
        var login = answer.Headers.Location!.OriginalString;
        login.ShouldStartWith("/freelancer/login?returnUrl=%2Foauth2%2Fauthorize%3F");
        var returnUrl = Uri.UnescapeDataString(login[(login.IndexOf('=', StringComparison.Ordinal) + 1)..]);
        var signedIn = await IdentitySite.Submit(browser, "/freelancer/login", ("username", "mira"), ("password", IdentitySite.Password), ("returnUrl", returnUrl));
        signedIn.Headers.Location!.OriginalString.ShouldBe(returnUrl);
        Returned(await browser.GetAsync(At(returnUrl), Cancel), WebCallback).ShouldContainKey("code");

        // Whoever wants a fresh sign-in does not take the one that is there.
        (await Authorize(browser, query)).Headers.Location!.OriginalString.ShouldStartWith("/freelancer/login");
        (await Authorize(browser, WebQuery(("max_age", "0")))).Headers.Location!.OriginalString.ShouldStartWith("/freelancer/login");
        Returned(await Authorize(browser, WebQuery(("max_age", "3600"))), WebCallback).ShouldContainKey("code");
    }

    [Fact]
    public async Task With_prompt_none_nobody_sees_a_page()
    {
        using var stranger = fixture.NewBrowser();
        Returned(await Authorize(stranger, Query(("prompt", "none"))))["error"].ShouldBe("login_required");
        using var browser = await fixture.SignedInBrowser("mira");
        Returned(await Authorize(browser, Query(("prompt", "none"))))["error"].ShouldBe("consent_required");
        Returned(await Authorize(browser, WebQuery(("prompt", "none"))), WebCallback).ShouldContainKey("code");
    }

    [Fact]
    public async Task A_refresh_token_gives_new_tokens_and_may_ask_for_less()
    {
        var first = await talk.Tokens("mira", ("scope", "commissions:read commissions:write openid"));
        var second = (await talk.RefreshWeb(first.RefreshToken, ("scope", "commissions:read"))).ShouldBeGiven();
        second.Text("scope").ShouldBe("commissions:read");
        second.RefreshToken.ShouldNotBe(first.RefreshToken);
        await (await talk.With(second.AccessToken, "/freelancer/mira/act", HttpMethod.Post)).Problem(403, "insufficient-scope");

        // What was asked for less is not lost: the next may be for all again.
        var third = (await talk.RefreshWeb(second.RefreshToken)).ShouldBeGiven();
        third.Text("scope").ShouldBe("commissions:read commissions:write openid");
        new JsonWebToken(third.Text("id_token")).TryGetClaim("nonce", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Who_asks_for_nothing_in_particular_gets_the_four_scopes_and_never_the_account()
    {
        var given = await talk.Tokens("mira");
        new JsonWebToken(given.AccessToken).GetClaim("scope").Value.ShouldBe("audit:read billing:read commissions:read commissions:write");
        given.Body.TryGetProperty("id_token", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_program_that_signed_in_with_the_password_refreshes_without_it()
    {
        var answer = await (await fixture.Site.Send(HttpMethod.Post, "/freelancer/login", TestSite.JsonBody($$"""{"username":"mira","password":"{{IdentitySite.Password}}"}"""))).Json();
        var given = (await talk.Ask("token", ("grant_type", "refresh_token"), ("client_id", "cavecomm"), ("refresh_token", answer.GetProperty("refresh_token").GetString()!))).ShouldBeGiven();
        given.Body.GetProperty("expires_in").GetInt32().ShouldBe(3600);
        (await talk.With(given.AccessToken, "/freelancer/mira/inbox")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_client_with_a_secret_shows_it_in_either_way()
    {
        using var browser = await fixture.SignedInBrowser("mira");
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Web}:{WebSecret}"));
        var answer = await fixture.Site.Send(HttpMethod.Post, "/oauth2/token",
            TestSite.FormBody(("grant_type", "authorization_code"), ("code", await WebCode(browser)), ("redirect_uri", WebCallback), ("code_verifier", Verifier)),
            headers: ("Authorization", $"Basic {basic}"));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Text());
        (await talk.RedeemWeb(await WebCode(browser))).ShouldBeGiven();
    }

    [Fact]
    public async Task A_machine_reads_the_log_as_itself_and_reaches_nothing_else()
    {
        var given = (await talk.Ask("token", ("grant_type", "client_credentials"), ("client_id", Web), ("client_secret", WebSecret), ("scope", "audit:read"))).ShouldBeGiven();
        given.Body.TryGetProperty("refresh_token", out _).ShouldBeFalse();
        new JsonWebToken(given.AccessToken).Subject.ShouldBe(Web);
        (await talk.With(given.AccessToken, "/audit/things")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await talk.With(given.AccessToken, "/admin/things")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await talk.With(given.AccessToken, "/freelancer/mira/inbox")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await talk.Ask("token", ("grant_type", "client_credentials"), ("client_id", Web), ("client_secret", WebSecret), ("scope", "account"))).ShouldBeRefused("invalid_scope");
    }

    [Fact]
    public async Task A_token_is_worth_what_introspection_says_until_it_is_given_back()
    {
        var given = await talk.Tokens("mira", ("scope", "commissions:read"));
        foreach (var token in new[] { given.AccessToken, given.RefreshToken })
        {
            var told = await Introspect(token);
            told.Body.GetProperty("active").GetBoolean().ShouldBeTrue();
            told.Text("client_id").ShouldBe(Web);
            told.Text("scope").ShouldBe("commissions:read");
            told.Text("username").ShouldBe("mira");
        }

        (await talk.Ask("revoke", ("token", given.RefreshToken), ("client_id", Web), ("client_secret", WebSecret))).Status.ShouldBe(200);
        foreach (var token in new[] { given.AccessToken, given.RefreshToken, "nonsense" })
        {
            (await Introspect(token)).Body.ToString().ShouldBe("""{"active":false}""");
        }

        await (await talk.With(given.AccessToken, "/freelancer/mira/inbox")).Problem(401, "sign-in-required");
        (await talk.RefreshWeb(given.RefreshToken)).ShouldBeRefused("invalid_grant");
        (await talk.Ask("revoke", ("token", "nonsense"), ("client_id", Web), ("client_secret", WebSecret))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Userinfo_tells_what_was_agreed_and_no_more()
    {
        var little = await talk.Tokens("mira", ("scope", "openid"));
        (await (await talk.With(little.AccessToken, "/oauth2/userinfo")).Json()).EnumerateObject().Select(it => it.Name).ShouldBe(["sub"]);
        var more = await talk.Tokens("mira", ("scope", "openid profile email"));
        var told = await (await talk.With(more.AccessToken, "/oauth2/userinfo")).Json();
        told.GetProperty("preferred_username").GetString().ShouldBe("mira");
        told.GetProperty("email").GetString().ShouldBe("mira@cavecomm.example");
        told.GetProperty("email_verified").GetBoolean().ShouldBeFalse();
        var none = await talk.Tokens("mira", ("scope", "commissions:read"));
        await (await talk.With(none.AccessToken, "/oauth2/userinfo")).Problem(403, "insufficient-scope");
    }

    [Fact]
    public async Task A_program_on_the_persons_machine_may_listen_at_any_port_of_the_loopback()
    {
        using var browser = await fixture.SignedInBrowser("mira");
        var query = Query(("redirect_uri", "http://127.0.0.1:51234/callback"));
        var back = Returned(await Decide(browser, query, "allow"), "http://127.0.0.1:51234/callback");
        (await talk.Redeem(back["code"], ("redirect_uri", "http://127.0.0.1:51234/callback"))).ShouldBeGiven();
    }

    [Fact]
    public async Task A_token_for_another_service_is_worth_nothing_here()
    {
        var given = await talk.Tokens("mira", ("resource", Files));
        new JsonWebToken(given.AccessToken).Audiences.ShouldBe([Files]);
        await (await talk.With(given.AccessToken, "/freelancer/mira/inbox")).Problem(401, "sign-in-required");
        (await Introspect(given.AccessToken)).Text("aud").ShouldBe(Files);
        (await talk.RefreshWeb(given.RefreshToken, ("resource", "http://127.0.0.1"))).ShouldBeRefused("invalid_target");
        var here = await talk.Tokens("mira", ("resource", "http://127.0.0.1/"));
        (await talk.With(here.AccessToken, "/freelancer/mira/inbox")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("/.well-known/oauth-authorization-server")]
    [InlineData("/.well-known/openid-configuration")]
    public async Task The_server_describes_itself(string path)
    {
        var told = await (await fixture.Site.Send(HttpMethod.Get, path)).Json();
        told.GetProperty("issuer").GetString().ShouldBe("http://127.0.0.1");
        told.GetProperty("token_endpoint").GetString().ShouldBe("http://127.0.0.1/oauth2/token");
        told.GetProperty("code_challenge_methods_supported").EnumerateArray().Select(it => it.GetString()).ShouldBe(["S256"]);
        told.GetProperty("authorization_response_iss_parameter_supported").GetBoolean().ShouldBeTrue();
        var keys = await (await fixture.Site.Send(HttpMethod.Get, "/oauth2/jwks")).Json();
        keys.GetProperty("keys").EnumerateArray().Select(it => string.Join(" ", it.EnumerateObject().Select(member => member.Name))).ShouldAllBe(it => it == "kty crv use alg kid x y");
    }

    private Task<Said> Introspect(string token) => talk.Ask("introspect", ("token", token), ("client_id", Web), ("client_secret", WebSecret));
}
