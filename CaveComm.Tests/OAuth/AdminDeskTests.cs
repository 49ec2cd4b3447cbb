using System.Net;
using CaveComm.Domain.Identity;
using CaveComm.EventStore;
using CaveComm.Tests.Http;
using CaveComm.Tests.Identity;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using static CaveComm.Tests.OAuth.OAuthTalk;

namespace CaveComm.Tests.OAuth;

/// <summary>What administrators do with apps and keys, as pages and as JSON.</summary>
public sealed class AdminDeskTests(IdentitySite fixture) : IClassFixture<IdentitySite>
{
    private const string Page = "/admin/oauth/clients";

    private readonly OAuthTalk talk = new(fixture);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_app_is_registered_by_form_and_its_secret_is_shown_once()
    {
        using var browser = await fixture.SignedInBrowser("ada");
        var faulty = await IdentitySite.Submit(browser, Page, ("name", "Shop <window>"), ("redirectUris", "http://evil.example/"));
        faulty.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await faulty.Text()).ShouldContain("Each an absolute https address");

        var made = await IdentitySite.Submit(browser, Page, ("name", "Shop <window>"), ("redirectUris", "https://one.example/back\r\nhttps://two.example/back"));
        made.StatusCode.ShouldBe(HttpStatusCode.Created);
        var page = await made.Text();
        page.ShouldContain("Shop &lt;window&gt;");
        var secret = System.Text.RegularExpressions.Regex.Match(page, "Its secret is <code class=\"key\">([^<]+)</code>").Groups[1].Value;
        secret.Length.ShouldBe(43);
        (await browser.GetStringAsync(At(Page), Cancel)).ShouldNotContain(secret);

        using var admin = await fixture.Program("ada");
        var listed = (await (await admin.GetAsync(At(Page), Cancel)).Json()).GetProperty("items").EnumerateArray().Single(it => it.GetProperty("name").GetString() == "Shop <window>");
        listed.GetProperty("redirectUris").GetArrayLength().ShouldBe(2);
        var id = listed.GetProperty("clientId").GetString()!;
        (await talk.Ask("introspect", ("token", "x"), ("client_id", id), ("client_secret", secret))).Status.ShouldBe(200);
        (await IdentitySite.Submit(browser, Page, ("x", "y"))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);

        var token = await IdentitySite.Token(browser, Page);
        (await browser.PostAsync(At($"{Page}/{id}/remove"), TestSite.FormBody(("__RequestVerificationToken", token)), Cancel)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        await (await admin.GetAsync(At($"{Page}/{id}"), Cancel)).Problem(404, "no-such-client");
    }

    [Fact]
    public async Task Keys_are_changed_with_a_reason_in_the_log_and_tokens_of_before_still_count()
    {
        using var admin = await fixture.Program("ada");
        var answer = await (await admin.PostAsync(At("/admin/oauth/keys/rotate"), TestSite.JsonBody("""{"reason":"It is time."}"""), Cancel)).Json();
        answer.GetProperty("items").EnumerateArray().Select(it => it.GetProperty("state").GetString()).ShouldBe(["next", "signing"]);
        var told = (await (await fixture.Site.Send(HttpMethod.Get, "/oauth2/jwks")).Json()).GetProperty("keys").EnumerateArray().Select(it => it.GetProperty("kid").GetString()).ToList();
        told.Count.ShouldBe(2);
        (await admin.GetAsync(At("/admin/things"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);

        await using var session = fixture.Site.App.Services.GetRequiredService<IDocumentStore>().QuerySession();
        var happened = (await session.Events.FetchStreamAsync("signing-keys", token: Cancel)).Select(it => it.Data).OfType<SigningKeyEvent.Rotated>().Last();
        happened.Reason.ShouldBe("It is time.");
        told.ShouldContain(happened.KeyId);

        // Whoever says that the keys are known to others ends every access token there is; a refresh token gets a new one.
        var given = await talk.Tokens("mira");
        (await admin.PostAsync(At("/admin/oauth/keys/rotate"), TestSite.JsonBody("""{"compromised":true}"""), Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await talk.With(given.AccessToken, "/freelancer/mira/inbox")).Problem(401, "sign-in-required");
        var again = (await talk.RefreshWeb(given.RefreshToken)).ShouldBeGiven();
        (await talk.With(again.AccessToken, "/freelancer/mira/inbox")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }
}
