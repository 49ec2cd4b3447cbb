using System.Net;
using System.Net.Http.Headers;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using CaveComm.EventStore;
using CaveComm.Tests.Http;
using CaveComm.Tests.OAuth;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using static CaveComm.Tests.Identity.IdentitySite;

namespace CaveComm.Tests.Identity;

/// <summary>What an ended session, and a sign-in that an end overtakes, leave behind: nothing.</summary>
public sealed class EndedSessionTests(GuessSite fixture) : IClassFixture<GuessSite>
{
    private const string EndAll = "/account/sessions/end-all";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_sign_in_whose_password_is_changed_while_it_is_looked_at_opens_nothing()
    {
        var (username, account) = await fixture.NewPerson();
        var lane = fixture.Services.GetRequiredService<HashingLanes>().Open;
        var taken = new List<IDisposable>();
        while (await Free(lane) is { } place)
        {
            taken.Add(place);
        }

        var waits = fixture.SignIn(fixture.NewAddress(), username, Password);
        await Eventually.Holds("the sign-in stands in the queue", () => lane.Waiting == 1);
        await OnAnotherNode(account);
        taken.ForEach(it => it.Dispose());

        using var program = fixture.Site.NewClient();
        program.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await (await waits).Json()).GetProperty("access_token").GetString());
        fixture.Time.Advance(TimeSpan.FromSeconds(2));
        await (await program.GetAsync(At("/admin/things"), Cancel)).Problem(401, "sign-in-required");
    }

    [Fact]
    public async Task A_browser_that_was_signed_out_on_another_node_a_moment_ago_does_not_sign_itself_in_anew()
    {
        var (username, account) = await fixture.NewPerson();
        using var browser = await SignedIn(username);
        var token = await Token(browser, "/account/sessions");
        await OnAnotherNode(account);
        (await browser.PostAsync(At(EndAll), TestSite.FormBody(("__RequestVerificationToken", token)), Cancel)).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        fixture.Time.Advance(TimeSpan.FromSeconds(2));
        (await browser.GetAsync(At("/account/sessions"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
    }

    [Fact]
    public async Task A_browser_that_was_signed_out_on_another_node_a_moment_ago_lets_no_client_in()
    {
        var (username, account) = await fixture.NewPerson();
        using var browser = await SignedIn(username);
        OAuthTalk.Returned(await OAuthTalk.Authorize(browser, OAuthTalk.WebQuery()), OAuthTalk.WebCallback).ShouldContainKey("code");
        var session = await Record(account);
        (await ActivatorUtilities.CreateInstance<Sessions>(fixture.Services).End(account, session.SessionId, "ended by the owner", Cancel)).ShouldBeTrue();
        (await OAuthTalk.Authorize(browser, OAuthTalk.WebQuery())).Headers.Location!.OriginalString.ShouldStartWith("/freelancer/login?");
    }

    [Fact]
    public async Task Who_was_signed_out_on_another_node_a_moment_ago_changes_nothing_of_the_account()
    {
        var (_, account) = await fixture.NewPerson();
        var caller = (await fixture.Services.GetRequiredService<Accounts>().Find(account, Cancel))!;
        await OnAnotherNode(account);
        var factors = fixture.Services.GetRequiredService<SecondFactors>();
        (await factors.MakeRecoveryCodes(caller, Cancel)).Refusal!.Code.ShouldBe("lost-race");
        (await factors.TurnOff(caller, _ => Task.CompletedTask, Cancel)).Refusal!.Code.ShouldBe("lost-race");
    }

    [Fact]
    public async Task Signing_out_everywhere_else_proves_nobody_anew_and_makes_no_session_longer()
    {
        var (username, account) = await fixture.NewPerson();
        using var browser = await SignedIn(username);
        var before = await Record(account);
        fixture.Time.Advance(TimeSpan.FromHours(5));
        (await Submit(browser, "/account/sessions", [], EndAll)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        var after = await Record(account);
        after.Id.ShouldNotBe(before.Id);
        after.SignedInAt.ShouldBe(before.SignedInAt);
        after.EndsAt.ShouldBe(before.EndsAt);
    }

    [Fact]
    public async Task Who_sends_a_token_gets_no_cookie_for_it()
    {
        var (username, _) = await fixture.NewPerson();
        var token = (await (await fixture.SignIn(fixture.NewAddress(), username, Password)).Json()).GetProperty("access_token").GetString();
        using var program = fixture.Site.NewClient();
        program.DefaultRequestHeaders.Add("Accept", Browser);
        program.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await program.PostAsync(At(EndAll), TestSite.FormBody(("nothing", "at all")), Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies : []).ShouldNotContain(it => it.StartsWith("cavecomm-session", StringComparison.Ordinal));
    }

    private static Uri At(string path) => new(path, UriKind.Relative);

    /// <returns>A place in the lane; null when all are taken.</returns>
    private static async Task<IDisposable?> Free(HashingLane lane)
    {
        using var now = new CancellationTokenSource();
        var place = lane.Enter(now.Token);
        if (place.IsCompleted)
        {
            return await place;
        }

        await now.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => place);
        return null;
    }

    private static async Task<HttpResponseMessage> Submit(HttpClient browser, string page, (string, string)[] fields, string action) => await browser.PostAsync(
        At(action), TestSite.FormBody([("__RequestVerificationToken", await Token(browser, page)), .. fields]), Cancel);

    private async Task<HttpClient> SignedIn(string username)
    {
        var browser = fixture.NewBrowser(fixture.NewAddress());
        (await IdentitySite.Submit(browser, "/freelancer/login", ("username", username), ("password", Password))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        return browser;
    }

    /// <summary>All sessions end, and nothing of it is known here but what stands in the database.</summary>
    private async Task OnAnotherNode(Guid account)
    {
        await using var session = fixture.Services.GetRequiredService<IDocumentStore>().LightweightSession();
        session.Events.Append(StreamKey.Account(account), new AccountEvent.SessionsEnded("on another node"));
        await session.SaveChangesAsync(Cancel);
    }

    private async Task<SessionRecord> Record(Guid account)
    {
        await using var session = fixture.Services.GetRequiredService<IDocumentStore>().QuerySession();
        return (await session.QueryAsync<SessionRecord>("where account = ?", Cancel, account)).Single();
    }
}
