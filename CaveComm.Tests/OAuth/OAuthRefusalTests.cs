using System.Net;
using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Http;
using CaveComm.Tests.Identity;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using static CaveComm.Tests.OAuth.OAuthTalk;

namespace CaveComm.Tests.OAuth;

/// <summary>What the authorization server does with those who ask wrongly, or with what is not theirs.</summary>
public sealed class OAuthRefusalTests(IdentitySite fixture) : IClassFixture<IdentitySite>
{
    private readonly OAuthTalk talk = new(fixture);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_code_that_comes_twice_ends_all_that_came_of_it()
    {
        using var browser = await fixture.SignedInBrowser("mira");
        var code = await WebCode(browser);
        var given = (await talk.RedeemWeb(code)).ShouldBeGiven();
        (await talk.RedeemWeb(code)).ShouldBeRefused("invalid_grant");
        await (await talk.With(given.AccessToken, "/freelancer/mira/inbox")).Problem(401, "sign-in-required");
        (await talk.RefreshWeb(given.RefreshToken)).ShouldBeRefused("invalid_grant");
    }

    [Fact]
    public async Task A_code_is_worth_nothing_without_its_verifier_its_address_and_its_client()
    {
        using var browser = await fixture.SignedInBrowser("mira");
        var code = await OAuthTalk.Code(browser, Query());
        (await talk.Redeem(code, ("code_verifier", new string('a', 43)))).ShouldBeRefused("invalid_grant");
        (await talk.Redeem(code, ("code_verifier", Challenge))).ShouldBeRefused("invalid_grant");
        (await talk.Redeem(code, ("code_verifier", null))).ShouldBeRefused("invalid_request");
        (await talk.Redeem(code, ("code_verifier", "short"))).ShouldBeRefused("invalid_request");
        (await talk.Redeem(code, ("redirect_uri", Callback + "/"))).ShouldBeRefused("invalid_grant");
        (await talk.Redeem(code, ("redirect_uri", null))).ShouldBeRefused("invalid_request");
        (await talk.Redeem(code, ("client_id", "other"))).ShouldBeRefused("invalid_grant");
        (await talk.Redeem(code, ("client_id", Web), ("client_secret", WebSecret))).ShouldBeRefused("invalid_grant");
        (await talk.Redeem(code, ("client_id", "nobody"))).ShouldBeRefused("invalid_client", 401);
        (await talk.Redeem("made-up")).ShouldBeRefused("invalid_grant");

        // None of these took the code from whom it was made for.
        (await talk.Redeem(code)).ShouldBeGiven();
    }

    [Theory]
    [InlineData("code_challenge_method", "plain", "invalid_request")]
    [InlineData("code_challenge_method", null, "invalid_request")]
    [InlineData("code_challenge", null, "invalid_request")]
    [InlineData("code_challenge", "too-short", "invalid_request")]
    [InlineData("response_type", "token", "unsupported_response_type")]
    [InlineData("response_type", "code id_token", "unsupported_response_type")]
    [InlineData("response_type", null, "invalid_request")]
    [InlineData("response_mode", "form_post", "invalid_request")]
    [InlineData("scope", "commissions:read everything", "invalid_scope")]
    [InlineData("scope", "account", "invalid_scope")]
    [InlineData("scope", "admin", "invalid_scope")]
    [InlineData("resource", "https://evil.example/", "invalid_target")]
    [InlineData("prompt", "none login", "invalid_request")]
    [InlineData("max_age", "-1", "invalid_request")]
    [InlineData("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported")]
    [InlineData("request_uri", "https://evil.example/request", "request_uri_not_supported")]
    public async Task A_request_that_is_wrong_goes_back_to_the_client(string name, string? value, string error)
    {
        using var browser = fixture.NewBrowser();
        var back = Returned(await Authorize(browser, Query((name, value))));
        back["error"].ShouldBe(error);
        back["state"].ShouldBe("s-1");
        back["iss"].ShouldBe("http://127.0.0.1");
    }

    [Theory]
    [InlineData("redirect_uri", "https://evil.example/callback")]
    [InlineData("redirect_uri", "https://app.example/callback/")]
    [InlineData("redirect_uri", "https://app.example/callback?next=https://evil.example")]
    [InlineData("redirect_uri", "https://app.example/callback#x")]
    [InlineData("redirect_uri", "https://app.example:8443/callback")]
    [InlineData("redirect_uri", "https://app.example@evil.example/callback")]
    [InlineData("redirect_uri", "https://APP.example/callback")]
    [InlineData("redirect_uri", "http://127.0.0.1:1/callback/..")]
    [InlineData("redirect_uri", "http://127.0.0.1:1@evil.example/callback")]
    [InlineData("redirect_uri", "http://localhost:1/callback")]
    [InlineData("redirect_uri", "javascript:alert(1)")]
    [InlineData("redirect_uri", "https://app.example/callback\r\nSet-Cookie: a=b")]
    [InlineData("redirect_uri", null)]
    [InlineData("client_id", "nobody")]
    [InlineData("client_id", "cavecomm")]
    [InlineData("client_id", null)]
    public async Task Nobody_is_sent_to_an_address_that_is_not_registered(string name, string? value)
    {
        using var browser = await fixture.SignedInBrowser("mira");
        var page = await Authorize(browser, Query((name, value)));
        page.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        page.Headers.Location.ShouldBeNull();
        (await page.Text()).ShouldContain("This app cannot be let in");
        await (await fixture.Site.Send(HttpMethod.Get, "/oauth2/authorize" + Query((name, value)))).Problem(400, "authorization-refused");
    }

    [Fact]
    public async Task What_comes_twice_is_refused_and_no_address_that_came_twice_is_followed()
    {
        using var browser = fixture.NewBrowser();
        Returned(await Authorize(browser, Query() + "&scope=openid&scope=profile"))["error"].ShouldBe("invalid_request");
        Returned(await Authorize(browser, Query() + "&resource=a&resource=b"))["error"].ShouldBe("invalid_target");
        var states = Returned(await Authorize(browser, Query() + "&state=other"));
        states["error"].ShouldBe("invalid_request");
        states.ShouldNotContainKey("state");
        (await Authorize(browser, Query() + "&redirect_uri=" + Uri.EscapeDataString(Callback))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await Authorize(browser, Query() + "&client_id=other")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await talk.Ask("token", ("grant_type", "refresh_token"), ("grant_type", "authorization_code"), ("client_id", App))).ShouldBeRefused("invalid_request");
    }

    [Fact]
    public async Task What_a_parameter_holds_begins_no_header_and_ends_no_address()
    {
        using var browser = await fixture.SignedInBrowser("mira");
        const string State = "x\r\nSet-Cookie: a=b\r\n\r\n<script>&code=mine#";
        var answer = await Authorize(browser, WebQuery(("state", State)));
        answer.Headers.TryGetValues("Set-Cookie", out var cookies);
        (cookies ?? []).ShouldNotContain(it => it.StartsWith("a=", StringComparison.Ordinal));
        var back = Returned(answer, WebCallback);
        back["state"].ShouldBe(State);
        back["tenant"].ShouldBe("1");
        back["code"].Length.ShouldBe(64);
    }

    [Fact]
    public async Task A_refresh_token_that_comes_twice_ends_the_family()
    {
        var first = await talk.Tokens("mira");
        var second = (await talk.RefreshWeb(first.RefreshToken)).ShouldBeGiven();
        (await talk.RefreshWeb(first.RefreshToken)).ShouldBeRefused("invalid_grant");
        (await talk.RefreshWeb(second.RefreshToken)).ShouldBeRefused("invalid_grant");
        foreach (var token in new[] { first.AccessToken, second.AccessToken })
        {
            await (await talk.With(token, "/freelancer/mira/inbox")).Problem(401, "sign-in-required");
        }
    }

    [Fact]
    public async Task Of_refreshes_at_the_same_moment_one_wins_and_the_family_ends()
    {
        var first = await talk.Tokens("mira");
        var all = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => talk.RefreshWeb(first.RefreshToken)));
        var given = all.Where(it => it.Status == 200).ToList();
        given.Count.ShouldBeLessThanOrEqualTo(1);
        all.Where(it => it.Status != 200).ToList().ForEach(it => it.ShouldBeRefused("invalid_grant"));
        foreach (var token in given)
        {
            (await talk.RefreshWeb(token.RefreshToken)).ShouldBeRefused("invalid_grant");
        }
    }

    [Fact]
    public async Task A_refresh_token_is_for_its_client_and_for_what_was_granted()
    {
        var given = await talk.Tokens("mira", ("scope", "commissions:read"));
        (await talk.Refresh(given.RefreshToken)).ShouldBeRefused("invalid_grant");
        (await talk.RefreshWeb(given.RefreshToken, ("scope", "commissions:read commissions:write"))).ShouldBeRefused("invalid_scope");
        (await talk.RefreshWeb(given.RefreshToken, ("scope", "account"))).ShouldBeRefused("invalid_scope");
        (await talk.RefreshWeb(given.RefreshToken, ("resource", Files))).ShouldBeRefused("invalid_target");
        (await talk.RefreshWeb(given.RefreshToken)).ShouldBeGiven();
    }

    [Fact]
    public async Task A_guess_at_a_refresh_token_harms_nobody()
    {
        var given = await talk.Tokens("mira");
        var guess = given.RefreshToken[..32] + new string('A', 32);
        (await talk.RefreshWeb(guess)).ShouldBeRefused("invalid_grant");
        (await talk.RefreshWeb("short")).ShouldBeRefused("invalid_grant");
        (await talk.RefreshWeb(new string('!', 64))).ShouldBeRefused("invalid_grant");
        (await talk.RefreshWeb(given.RefreshToken)).ShouldBeGiven();
    }

    [Fact]
    public async Task A_client_that_does_not_prove_itself_gets_nothing()
    {
        (string, string)[] credentials = [("grant_type", "client_credentials")];
        (await talk.Ask("token", credentials)).ShouldBeRefused("invalid_client", 401);
        (await talk.Ask("token", [.. credentials, ("client_id", Web)])).ShouldBeRefused("invalid_client", 401);
        (await talk.Ask("token", [.. credentials, ("client_id", Web), ("client_secret", "wrong")])).ShouldBeRefused("invalid_client", 401);
        (await talk.Ask("token", [.. credentials, ("client_id", App), ("client_secret", "any")])).ShouldBeRefused("invalid_client", 401);
        (await talk.Ask("token", [.. credentials, ("client_id", App)])).ShouldBeRefused("unauthorized_client");
        (await talk.Ask("token", ("grant_type", "password"), ("client_id", App), ("username", "mira"), ("password", IdentitySite.Password))).ShouldBeRefused("unsupported_grant_type");
        (await talk.Ask("token", ("client_id", App))).ShouldBeRefused("invalid_request");
        (await talk.Ask("introspect", ("token", "x"), ("client_id", App))).ShouldBeRefused("invalid_client", 401);
        (await talk.Ask("introspect", ("token", "x"))).ShouldBeRefused("invalid_client", 401);
        (await talk.Ask("revoke", ("client_id", App))).ShouldBeRefused("invalid_request");

        var challenged = await fixture.Site.Send(HttpMethod.Post, "/oauth2/token", TestSite.FormBody(credentials), headers: ("Authorization", "Basic bm9ib2R5Ong="));
        challenged.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        challenged.Headers.WwwAuthenticate.ToString().ShouldStartWith("Basic");
    }

    [Fact]
    public async Task What_is_no_form_is_refused_in_the_words_of_the_protocol()
    {
        foreach (var endpoint in new[] { "token", "revoke", "introspect" })
        {
            foreach (var body in new HttpContent[] { TestSite.JsonBody("{}"), new ByteArrayContent([0, 1, 2]), new StringContent(new string('a', 2_000_000), null, "application/x-www-form-urlencoded") })
            {
                var answer = await fixture.Site.Send(HttpMethod.Post, $"/oauth2/{endpoint}", body);
                ((int)answer.StatusCode).ShouldBe(400);
                (await answer.Json()).GetProperty("error").GetString().ShouldBe("invalid_request");
            }
        }
    }

    [Fact]
    public async Task Another_clients_token_can_be_neither_given_back_nor_looked_into()
    {
        using var browser = await fixture.SignedInBrowser("mira");
        var given = (await talk.Redeem(await OAuthTalk.Code(browser, Query()))).ShouldBeGiven();
        (await talk.Ask("revoke", ("token", given.RefreshToken), ("client_id", "other"))).ShouldBeRefused("invalid_grant");
        (await talk.With(given.AccessToken, "/freelancer/mira/inbox")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var machine = await fixture.Admin("a machine", new { grantTypes = new[] { "client_credentials" } });
        (await talk.Ask("introspect", ("token", given.AccessToken), ("client_id", machine.Id), ("client_secret", machine.Secret!))).Body.ToString().ShouldBe("""{"active":false}""");
    }

    [Fact]
    public async Task A_client_that_was_removed_is_gone_with_all_its_tokens()
    {
        var machine = await fixture.Admin("short lived", new { grantTypes = new[] { "client_credentials" }, roles = new[] { "auditor" } });
        (string, string)[] form = [("grant_type", "client_credentials"), ("client_id", machine.Id), ("client_secret", machine.Secret!)];
        var given = (await talk.Ask("token", form)).ShouldBeGiven();
        (await talk.With(given.AccessToken, "/audit/things")).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var admin = await fixture.Program("ada");
        (await admin.DeleteAsync(At($"/admin/oauth/clients/{machine.Id}"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await admin.DeleteAsync(At($"/admin/oauth/clients/{machine.Id}"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await (await admin.DeleteAsync(At("/admin/oauth/clients/app"), Cancel)).Problem(409, "client-configured");
        (await talk.Ask("token", form)).ShouldBeRefused("invalid_client", 401);
        await (await talk.With(given.AccessToken, "/audit/things")).Problem(401, "sign-in-required");
    }

    [Fact]
    public async Task Only_an_administrator_registers_clients_and_hears_every_fault()
    {
        using var mira = await fixture.Program("mira");
        await (await mira.PostAsync(At("/admin/oauth/clients"), TestSite.JsonBody("""{"name":"x"}"""), Cancel)).Problem(403, "forbidden");
        using var admin = await fixture.Program("ada");
        var problem = await (await admin.PostAsync(At("/admin/oauth/clients"),
            TestSite.JsonBody("""{"name":"x","public":true,"redirectUris":["http://evil.example/","javascript:alert(1)"],"grantTypes":["authorization_code","client_credentials"],"scopes":["admin"],"roles":["admin"]}"""), Cancel))
            .Problem(422, "invalid");
        problem.GetProperty("errors").EnumerateObject().Select(it => it.Name).ShouldBe(["grantTypes", "redirectUris", "scopes", "roles"], ignoreOrder: true);
        var list = await (await admin.GetAsync(At("/admin/oauth/clients"), Cancel)).Text();
        list.ShouldContain("\"clientId\":\"app\"");
        list.ShouldNotContain(WebSecret);
    }

    [Fact]
    public async Task A_role_and_a_session_that_are_taken_away_are_gone_while_the_token_lives()
    {
        var handling = fixture.Site.App.Services.GetRequiredService<AccountHandling>();
        var registered = await handling.Register(new Registration("passing", "passing", "Passing", null, IdentitySite.Password, Role.Auditor, "test"), Cancel);
        var given = await talk.Tokens("passing", ("scope", "audit:read"));
        (await talk.With(given.AccessToken, "/audit/things")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await handling.Handle(registered.AccountId, new AccountCommand.RevokeRole(Role.Auditor, "test"), "test", Cancel);
        await (await talk.With(given.AccessToken, "/audit/things")).Problem(403, "forbidden");

        await handling.Handle(registered.AccountId, new AccountCommand.GrantRole(Role.Auditor, "test"), "test", Cancel);
        (await talk.With(given.AccessToken, "/audit/things")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await fixture.Site.App.Services.GetRequiredService<AccountHandling>().Handle(registered.AccountId, new AccountCommand.EndSessions("test"), "test", Cancel);
        await (await talk.With(given.AccessToken, "/audit/things")).Problem(401, "sign-in-required");
        (await talk.RefreshWeb(given.RefreshToken)).ShouldBeRefused("invalid_grant");
    }
}
