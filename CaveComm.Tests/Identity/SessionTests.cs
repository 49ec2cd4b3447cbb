using System.Net;
using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Http;
using CaveComm.Tests.Providers;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using static CaveComm.Tests.Identity.IdentitySite;

namespace CaveComm.Tests.Identity;

public sealed class SessionTests(IdentitySite fixture) : IClassFixture<IdentitySite>
{
    private const string Firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Sessions Sessions => fixture.Site.App.Services.GetRequiredService<Sessions>();

    private static Uri At(string path) => new(path, UriKind.Relative);

    [Fact]
    public async Task Every_sign_in_is_a_session_that_its_owner_can_see_and_end()
    {
        var account = await Person("lister");
        using var browser = fixture.NewBrowser();
        browser.DefaultRequestHeaders.UserAgent.ParseAdd(Firefox);
        await Submit(browser, "/freelancer/login", ("username", "lister"), ("password", Password));
        using var program = await fixture.Program("lister");

        var listed = await Sessions.Of(account, Cancel);
        listed.Select(it => it.Kind).ShouldBe(["browser", "program"], ignoreOrder: true);
        var own = listed.Single(it => it.Kind == SessionKind.Browser);
        own.Device.ShouldBe("Firefox on Linux");
        own.Client.ShouldBeNull();
        own.LastSeenAt.ShouldBeGreaterThanOrEqualTo(own.StartedAt.AddSeconds(-1));

        (await Sessions.End(Guid.NewGuid(), own.Id, "not mine", Cancel)).ShouldBeFalse();
        (await Sessions.End(account, Guid.NewGuid(), "never was", Cancel)).ShouldBeFalse();
        (await browser.GetAsync(At("/freelancer/lister/inbox"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Sessions.End(account, own.Id, "ended by the owner", Cancel)).ShouldBeTrue();
        (await browser.GetAsync(At("/freelancer/lister/inbox"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await program.GetAsync(At("/freelancer/lister/inbox"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Sessions.Of(account, Cancel)).Select(it => it.Kind).ShouldBe(["program"]);
    }

    [Fact]
    public async Task All_sessions_end_at_once_and_a_new_one_stands()
    {
        var account = await Person("leaver");
        using var browser = await fixture.SignedInBrowser("leaver");
        using var program = await fixture.Program("leaver");
        await fixture.Site.App.Services.GetRequiredService<AccountHandling>().Handle(account, new AccountCommand.EndSessions("signed out everywhere"), "test", Cancel);
        (await browser.GetAsync(At("/freelancer/leaver/inbox"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        await (await program.GetAsync(At("/freelancer/leaver/inbox"), Cancel)).Problem(401, "sign-in-required");
        (await Sessions.Of(account, Cancel)).ShouldBeEmpty();
        using var again = await fixture.Program("leaver");
        (await again.GetAsync(At("/freelancer/leaver/inbox"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_even_for_a_copy_of_its_cookie()
    {
        await Person("copied");
        var cookies = new CookieContainer();
        using var browser = fixture.Site.NewClient(cookies);
        browser.DefaultRequestHeaders.Add("Accept", Browser);
        await Submit(browser, "/freelancer/login", ("username", "copied"), ("password", Password));
        var stolen = cookies.GetCookieHeader(fixture.Site.Address);
        (await Stolen()).StatusCode.ShouldBe(HttpStatusCode.OK);
        var token = await Token(browser, "/freelancer/register");
        await browser.PostAsync(At("/freelancer/logout"), TestSite.FormBody(("__RequestVerificationToken", token)), Cancel);
        (await Stolen()).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        Task<HttpResponseMessage> Stolen() => fixture.Site.Send(HttpMethod.Get, "/freelancer/copied/inbox", headers: ("Cookie", stolen));
    }

    [Fact]
    public async Task A_session_that_somebody_slipped_into_the_browser_is_over_after_the_sign_in()
    {
        await Person("victim");
        await Person("intruder");
        var cookies = new CookieContainer();
        using var browser = fixture.Site.NewClient(cookies);
        browser.DefaultRequestHeaders.Add("Accept", Browser);
        await Submit(browser, "/freelancer/login", ("username", "intruder"), ("password", Password));
        var planted = cookies.GetCookies(fixture.Site.Address)["cavecomm-session"]!.Value;

        await Submit(browser, "/freelancer/login", ("username", "victim"), ("password", Password));
        cookies.GetCookies(fixture.Site.Address)["cavecomm-session"]!.Value.ShouldNotBe(planted);
        var answer = await fixture.Site.Send(HttpMethod.Get, "/freelancer/victim/inbox", headers: ("Cookie", $"cavecomm-session={planted}"));
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        answer = await fixture.Site.Send(HttpMethod.Get, "/freelancer/intruder/inbox", headers: ("Cookie", $"cavecomm-session={planted}"));
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Another_node_believes_session_and_roles_for_a_second_and_no_longer()
    {
        var account = await Person("elsewhere");
        await fixture.SignedInBrowser("elsewhere");
        var services = fixture.Site.App.Services;
        var clock = new ManualClock();
        var accounts = ActivatorUtilities.CreateInstance<Accounts>(services, clock);
        var otherNode = ActivatorUtilities.CreateInstance<Sessions>(services, accounts, clock);
        var session = (await Sessions.Of(account, Cancel)).Single().Id;
        (await Seen())!.Roles.ShouldContain(Role.Freelancer);

        await services.GetRequiredService<AccountHandling>().Handle(account, new AccountCommand.RevokeRole(Role.Freelancer, "test"), "test", Cancel);
        (await Seen()).ShouldNotBeNull();
        clock.Advance(TimeSpan.FromSeconds(1));
        (await Seen())!.Roles.ShouldNotContain(Role.Freelancer);

        (await Sessions.End(account, session, "test", Cancel)).ShouldBeTrue();
        clock.Advance(TimeSpan.FromSeconds(1));
        (await Seen()).ShouldBeNull();

        async Task<Caller?> Seen() => await otherNode.Find(session, Cancel) is { } record ? await otherNode.CallerOf(record, Cancel) : null;
    }

    [Theory]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0", "Edge on Windows")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1", "Safari on iPhone")]
    [InlineData("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36", "Chrome on Android")]
    [InlineData("curl/8.9.1", "curl")]
    [InlineData("<script>alert(1)</script>", "Unknown")]
    [InlineData("", "Unknown")]
    public void A_device_is_known_by_a_few_plain_words(string agent, string words) => Devices.Of(agent).ShouldBe(words);

    [Fact]
    public void An_origin_is_the_same_for_the_same_address_and_is_no_address()
    {
        var origins = fixture.Site.App.Services.GetRequiredService<Origins>();
        var one = origins.Of(IPAddress.Parse("192.0.2.7"));
        one.ShouldMatch("^[0-9a-f]{16}$");
        origins.Of(IPAddress.Parse("::ffff:192.0.2.7")).ShouldBe(one);
        origins.Of(IPAddress.Parse("192.0.2.8")).ShouldNotBe(one);
    }

    private async Task<Guid> Person(string handle)
    {
        var handling = fixture.Site.App.Services.GetRequiredService<AccountHandling>();
        return (await handling.Register(new Registration(handle, handle, handle, $"{handle}@cavecomm.example", Password, Role.Freelancer, "test"), Cancel)).AccountId;
    }
}
