using System.Net;
using System.Net.Http.Headers;
using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Shouldly;
using static CaveComm.Tests.Identity.IdentitySite;

namespace CaveComm.Tests.Identity;

public sealed class SignInTests(IdentitySite fixture) : IClassFixture<IdentitySite>
{
    private TestSite Site => fixture.Site;

    private static Uri At(string path) => new(path, UriKind.Relative);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F9_a_program_signs_in_and_gets_a_bearer_token()
    {
        var response = await Site.Send(HttpMethod.Post, "/freelancer/login", TestSite.JsonBody($$"""{"username":"mira","password":"{{Password}}"}"""));
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Text());
        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        response.Headers.Contains("Set-Cookie").ShouldBeFalse();
        var answer = await response.Json();
        answer.GetProperty("token_type").GetString().ShouldBe("Bearer");
        answer.GetProperty("expires_in").GetInt32().ShouldBe(3600);
        answer.GetProperty("scope").GetString().ShouldBe("account billing:read commissions:read commissions:write");
        answer.GetProperty("refresh_token").GetString()!.Length.ShouldBe(64);
        var token = new JsonWebToken(answer.GetProperty("access_token").GetString());
        token.Alg.ShouldBe("ES256");
        token.Audiences.ShouldBe(["cavecomm"]);
        token.TryGetClaim("role", out _).ShouldBeFalse("Roles are read from the account, so that one taken away is gone.");
    }

    [Fact]
    public async Task F9_a_browser_signs_in_by_a_form_and_gets_a_session()
    {
        using var browser = fixture.NewBrowser();
        var response = await Submit(browser, "/freelancer/login", ("username", " Mira "), ("password", Password), ("returnUrl", "/freelancer/mira/inbox?status=requested"));
        response.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        response.Headers.Location!.OriginalString.ShouldBe("/freelancer/mira/inbox?status=requested");
        var cookie = response.Headers.GetValues("Set-Cookie").Single(it => it.StartsWith("cavecomm-session=", StringComparison.Ordinal));
        cookie.ShouldContain("httponly", Case.Insensitive);
        cookie.ShouldContain("samesite=lax", Case.Insensitive);
        (await browser.GetStringAsync(At("/freelancer/mira/inbox"), Cancel)).ShouldBe("mira");
    }

    [Theory]
    [InlineData("mira", "wrong-password")]
    [InlineData("nobody", "wrong-password")]
    [InlineData("", "")]
    public async Task Wrong_credentials_are_answered_alike(string username, string password)
    {
        var response = await Site.Send(HttpMethod.Post, "/freelancer/login", TestSite.JsonBody($$"""{"username":"{{username}}","password":"{{password}}"}"""));
        var problem = await response.Problem(401, "wrong-credentials");
        problem.GetProperty("detail").GetString().ShouldBe("This username and password do not fit together.");
        response.Headers.WwwAuthenticate.ToString().ShouldStartWith("Bearer");
    }

    [Fact]
    public async Task A_form_with_wrong_credentials_is_shown_again_without_the_password()
    {
        using var browser = fixture.NewBrowser();
        var response = await Submit(browser, "/freelancer/login", ("username", "<b>mira"), ("password", "not-this-one"));
        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var page = await response.Text();
        page.ShouldContain("do not fit together");
        page.ShouldContain("value=\"&lt;b&gt;mira\"");
        page.ShouldNotContain("not-this-one");
    }

    [Theory]
    [InlineData("//evil.example/x")]
    [InlineData("/\\evil.example")]
    [InlineData("https://evil.example/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/\t/evil.example")]
    [InlineData("/freelancer/mira/\u00e9")]
    public async Task Signing_in_leads_to_no_other_site(string returnUrl)
    {
        using var browser = fixture.NewBrowser();
        var response = await Submit(browser, "/freelancer/login", ("username", "mira"), ("password", Password), ("returnUrl", returnUrl));
        response.Headers.Location!.OriginalString.ShouldBe("/freelancer/mira/inbox");
    }

    [Fact]
    public async Task A_sign_in_form_needs_its_token()
    {
        var response = await Site.Send(HttpMethod.Post, "/freelancer/login", TestSite.FormBody(("username", "mira"), ("password", Password)));
        await response.Problem(400, "antiforgery");
    }

    [Fact]
    public async Task Signing_out_ends_the_session()
    {
        using var browser = await fixture.SignedInBrowser("mira");
        var token = await Token(browser, "/freelancer/register");
        (await browser.PostAsync(At("/freelancer/logout"), TestSite.FormBody(("__RequestVerificationToken", token)), Cancel)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        var inbox = await browser.GetAsync(At("/freelancer/mira/inbox"), Cancel);
        inbox.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        inbox.Headers.Location!.OriginalString.ShouldStartWith("/freelancer/login");
    }

    [Fact]
    public async Task A_program_that_is_not_signed_in_gets_401_and_no_redirect()
    {
        var response = await Site.Send(HttpMethod.Get, "/freelancer/mira/inbox");
        await response.Problem(401, "sign-in-required");
        response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer realm=\"CaveComm\"");
    }

    [Fact]
    public async Task A_401_comes_before_any_other_check()
    {
        var broken = new ByteArrayContent(new byte[300_000]) { Headers = { ContentType = new MediaTypeHeaderValue("text/plain") } };
        await (await Site.Send(HttpMethod.Post, "/freelancer/mira/act", broken)).Problem(401, "sign-in-required");
        await (await Site.Send(HttpMethod.Post, "/freelancer/nobody/act", TestSite.JsonBody("{"))).Problem(401, "sign-in-required");
    }

    [Fact]
    public async Task A_browser_that_is_not_signed_in_is_shown_the_way()
    {
        var response = await Site.Send(HttpMethod.Get, "/freelancer/mira/inbox?status=requested", accept: Browser);
        response.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        response.Headers.Location!.OriginalString.ShouldBe("/freelancer/login?returnUrl=%2Ffreelancer%2Fmira%2Finbox%3Fstatus%3Drequested");
    }

    [Theory]
    [InlineData("jonas")]
    [InlineData("ada")]
    [InlineData("otto")]
    public async Task What_is_under_anothers_handle_is_not_there(string username)
    {
        using var client = await fixture.Program(username);
        await (await client.GetAsync(At("/freelancer/mira/inbox"), Cancel)).Problem(404, "not-found");
        await (await client.GetAsync(At("/freelancer/nobody-at-all/inbox"), Cancel)).Problem(404, "not-found");
    }

    [Fact]
    public async Task An_account_without_the_role_of_freelancer_has_no_shop()
    {
        using var client = await fixture.Program("ada");
        await (await client.GetAsync(At("/freelancer/ada/inbox"), Cancel)).Problem(404, "not-found");
    }

    [Theory]
    [InlineData("mira", "/admin/things", 403)]
    [InlineData("mira", "/audit/things", 403)]
    [InlineData("otto", "/admin/things", 403)]
    [InlineData("otto", "/audit/things", 200)]
    [InlineData("ada", "/admin/things", 200)]
    [InlineData("ada", "/audit/things", 200)]
    public async Task A_role_opens_what_is_its_own(string username, string path, int status)
    {
        using var client = await fixture.Program(username);
        ((int)(await client.GetAsync(At(path), Cancel)).StatusCode).ShouldBe(status);
    }

    [Fact]
    public async Task A_role_that_was_taken_away_is_gone_at_once()
    {
        var handling = Site.App.Services.GetRequiredService<AccountHandling>();
        await handling.Register(new Registration("brief-admin", "brief-admin", "Brief", null, Password, Role.Admin, "test"), Cancel);
        using var client = await fixture.Program("brief-admin");
        (await client.GetAsync(At("/admin/things"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var account = await handling.FindByName("brief-admin", Cancel);
        await handling.Handle(account!.Value, new AccountCommand.RevokeRole(Role.Admin, "test"), "test", Cancel);
        await (await client.GetAsync(At("/admin/things"), Cancel)).Problem(403, "forbidden");
    }

    [Theory]
    [InlineData("Bearer nonsense")]
    [InlineData("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.")]
    [InlineData("Basic bWlyYTp4")]
    public async Task A_token_of_anothers_making_is_not_believed(string authorization)
    {
        var response = await Site.Send(HttpMethod.Get, "/freelancer/mira/inbox", headers: ("Authorization", authorization));
        await response.Problem(401, "sign-in-required");
        response.Headers.WwwAuthenticate.ToString().ShouldContain("invalid_token");
    }

    [Fact]
    public async Task A_changed_token_is_not_believed()
    {
        using var client = await fixture.Program("mira");
        var parts = client.DefaultRequestHeaders.Authorization!.Parameter!.Split('.');
        var other = (await fixture.Program("jonas")).DefaultRequestHeaders.Authorization!.Parameter!.Split('.');
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", $"{parts[0]}.{other[1]}.{parts[2]}");
        await (await client.GetAsync(At("/freelancer/jonas/inbox"), Cancel)).Problem(401, "sign-in-required");
    }

    [Fact]
    public async Task A_session_cookie_needs_the_forms_token()
    {
        using var browser = await fixture.SignedInBrowser("mira");
        (await browser.PostAsync(At("/freelancer/mira/act"), TestSite.FormBody(("reason", "none")), Cancel)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var token = await Token(browser, "/freelancer/register");
        (await browser.PostAsync(At("/freelancer/mira/act"), TestSite.FormBody(("reason", "none"), ("__RequestVerificationToken", token)), Cancel))
            .StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        var json = TestSite.JsonBody("{}");
        (await browser.PostAsync(At("/freelancer/mira/act"), json, Cancel)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        browser.DefaultRequestHeaders.Add("RequestVerificationToken", token);
        (await browser.PostAsync(At("/freelancer/mira/act"), TestSite.JsonBody("{}"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_upload_by_session_cookie_brings_the_token_as_its_first_part()
    {
        using var browser = await fixture.SignedInBrowser("mira");
        var token = await Token(browser, "/freelancer/register");
        (await Upload(("__RequestVerificationToken", token), ("note", "x"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Upload(("note", "x"), ("__RequestVerificationToken", token))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await Upload(("__RequestVerificationToken", "made up"), ("note", "x"))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);

        async Task<HttpResponseMessage> Upload(params (string Name, string Value)[] fields)
        {
            using var form = new MultipartFormDataContent();
            foreach (var (name, value) in fields)
            {
                form.Add(new StringContent(value), name);
            }

            form.Add(new ByteArrayContent(new byte[100_000]), "files", "a.bin");
            return await browser.PostAsync(At("/freelancer/mira/upload"), form, Cancel);
        }
    }

    [Fact]
    public async Task Bearer_and_anonymous_callers_need_no_forms_token()
    {
        using var client = await fixture.Program("mira");
        client.DefaultRequestHeaders.Add("Accept", "application/json");
        (await client.PostAsync(At("/freelancer/mira/act"), TestSite.FormBody(("reason", "none")), Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Site.Send(HttpMethod.Post, "/open-to-all", TestSite.FormBody(("a", "b")))).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public void Demo_freelancers_are_prepared() => fixture.PreparedHandles.ShouldBe(["mira", "jonas"]);

    [Fact]
    public async Task Keys_are_for_their_owner_alone()
    {
        // The signing key is made when the first token is.
        using var client = await fixture.Program("jonas");
        var keys = new DirectoryInfo(Path.Combine(Site.DataPath, "keys"));
        keys.UnixFileMode.ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        new FileInfo(Path.Combine(keys.FullName, "token-signing.pem")).UnixFileMode.ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
