using System.Net;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Http;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.Identity.IdentitySite;

namespace CaveComm.Tests.Identity;

/// <summary>Guessing passwords: it is slow, it is seen, and it keeps nobody out who knows the password.</summary>
public sealed class GuessTests(GuessSite fixture) : IClassFixture<GuessSite>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_ten_failures_from_an_address_a_wrong_password_is_429_and_a_right_one_passes()
    {
        var (username, _) = await fixture.NewPerson();
        var address = fixture.NewAddress();
        for (var count = 0; count < 10; count++)
        {
            // Every time somebody else's name: it is the address that is counted.
            await (await fixture.SignIn(address, $"nobody-{count}", "wrong-password")).Problem(401, "wrong-credentials");
        }

        var response = await fixture.SignIn(address, username, "wrong-password");
        await response.Problem(429, "too-many-requests");
        response.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeInRange(1, 60);
        (await fixture.SignIn(address, username, Password)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await fixture.SignIn(fixture.NewAddress(), username, "wrong-password")).Problem(401, "wrong-credentials");

        fixture.Time.Advance(TimeSpan.FromSeconds(61));
        await (await fixture.SignIn(address, username, "wrong-password")).Problem(401, "wrong-credentials");
    }

    [Fact]
    public async Task A_browser_over_the_limit_is_shown_the_form_again_and_gets_in_with_the_right_password()
    {
        var (username, _) = await fixture.NewPerson();
        using var browser = fixture.NewBrowser(fixture.NewAddress());
        HttpResponseMessage answer = null!;
        for (var count = 0; count < 11; count++)
        {
            answer = await Submit(browser, "/freelancer/login", ("username", username), ("password", "wrong-password"));
        }

        answer.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        answer.Headers.RetryAfter.ShouldNotBeNull();
        (await answer.Text()).ShouldContain("the right one is still taken");
        (await Submit(browser, "/freelancer/login", ("username", username), ("password", Password))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_name_is_counted_over_all_addresses_whether_or_not_somebody_has_it(bool isKnown)
    {
        var username = isKnown ? (await fixture.NewPerson()).Username : $"nobody-{Guid.NewGuid():N}";
        for (var count = 0; count < 10; count++)
        {
            await (await fixture.SignIn(fixture.NewAddress(), username, "wrong-password")).Problem(401, "wrong-credentials");
        }

        await (await fixture.SignIn(fixture.NewAddress(), username.ToUpperInvariant(), "wrong-password")).Problem(429, "too-many-requests");
    }

    [Fact]
    public async Task Guesses_from_one_address_do_not_keep_the_owner_out()
    {
        var (username, account) = await fixture.NewPerson();
        var address = fixture.NewAddress();
        var answers = await GuessBeside(username, _ => address, async () =>
        {
            (await fixture.SignIn(fixture.NewAddress(), username, Password)).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await InPatiently(address, username)).ShouldBe(HttpStatusCode.OK);
        });

        answers.Count(it => it == HttpStatusCode.Unauthorized).ShouldBe(10);
        answers.ShouldAllBe(it => it == HttpStatusCode.Unauthorized || it == HttpStatusCode.TooManyRequests);
        var story = await fixture.ToldOf(address);
        story.OfType<SignInEvent.Refused>().Count().ShouldBe(10);
        story.OfType<SignInEvent.Refused>().ShouldAllBe(it => it.Account == account && it.Reason == SignInRefusal.WrongPassword);
        story.OfType<SignInEvent.Limited>().ShouldHaveSingleItem().Limit.ShouldBe("address");
    }

    [Fact]
    public async Task Guesses_from_many_addresses_do_not_keep_the_owner_out()
    {
        var (username, _) = await fixture.NewPerson();
        using var known = fixture.NewBrowser(fixture.NewAddress());
        (await Submit(known, "/freelancer/login", ("username", username), ("password", Password))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        var answers = await GuessBeside(username, _ => fixture.NewAddress(), async () =>
        {
            (await Submit(known, "/freelancer/login", ("username", username), ("password", Password))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
            (await InPatiently(fixture.NewAddress(), username)).ShouldBe(HttpStatusCode.OK);
        });

        answers.Count(it => it == HttpStatusCode.Unauthorized).ShouldBe(10);
        answers.ShouldAllBe(it => it == HttpStatusCode.Unauthorized || it == HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task Addresses_come_from_trusted_proxies_alone()
    {
        await using var site = new Untrusting();
        await site.Inner.InitializeAsync();
        var answers = new List<HttpStatusCode>();
        for (var count = 0; count < 11; count++)
        {
            var body = TestSite.JsonBody($$"""{"username":"nobody-{{count}}","password":"wrong-password"}""");
            answers.Add((await site.Inner.Site.Send(HttpMethod.Post, "/freelancer/login", body, headers: [("X-Forwarded-For", fixture.NewAddress())])).StatusCode);
        }

        answers[..10].ShouldAllBe(it => it == HttpStatusCode.Unauthorized);
        answers[10].ShouldBe(HttpStatusCode.TooManyRequests, "the header says ten addresses, and nobody believes it");
    }

    [Fact]
    public async Task What_was_typed_is_in_no_event()
    {
        var address = fixture.NewAddress();
        await fixture.SignIn(address, "hunter2-typed-as-name", "hunter2-typed-as-password");
        var told = (await fixture.ToldOf(address)).ShouldHaveSingleItem();
        told.ShouldBe(new SignInEvent.Refused(SignInRefusal.UnknownName, null, ((SignInEvent.Refused)told).Origin));
        told.ToString()!.ShouldNotContain("hunter2");
        told.ToString()!.ShouldNotContain(address);
    }

    [Fact]
    public async Task A_sign_in_gives_a_new_session_whatever_cookie_the_browser_brought()
    {
        var (username, _) = await fixture.NewPerson();
        var cookies = new CookieContainer();
        cookies.Add(fixture.Site.Address, new Cookie("cavecomm-session", "planted-by-somebody"));
        using var browser = fixture.NewBrowser(fixture.NewAddress(), cookies);
        await Submit(browser, "/freelancer/login", ("username", username), ("password", Password));
        var first = SessionCookie(cookies);
        first.ShouldNotBe("planted-by-somebody");

        await Submit(browser, "/freelancer/login", ("username", username), ("password", Password));
        SessionCookie(cookies).ShouldNotBe(first);
        (await browser.GetAsync(new Uri("/admin/things", UriKind.Relative), Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var stale = await fixture.Site.Send(HttpMethod.Get, "/admin/things", headers: [("Cookie", $"cavecomm-session={first}")]);
        await stale.Problem(401, "sign-in-required");
    }

    private string SessionCookie(CookieContainer cookies) => cookies.GetCookies(fixture.Site.Address)["cavecomm-session"]!.Value;

    /// <summary>Guesses in a crowd, and has the owner come in the middle of it.</summary>
    private async Task<IReadOnlyList<HttpStatusCode>> GuessBeside(string username, Func<int, string> address, Func<Task> owner)
    {
        var guesses = Soak.Size(300, 10_000);
        var answers = new HttpStatusCode[guesses];
        var done = 0;
        var underWay = new TaskCompletionSource();
        var crowd = Parallel.ForEachAsync(Enumerable.Range(0, guesses), new ParallelOptions { MaxDegreeOfParallelism = 24, CancellationToken = Cancel }, async (number, _) =>
        {
            answers[number] = (await fixture.SignIn(address(number), username, $"guess-{number}")).StatusCode;
            if (Interlocked.Increment(ref done) == guesses / 4)
            {
                underWay.SetResult();
            }
        });
        await underWay.Task;
        await owner();
        Volatile.Read(ref done).ShouldBeLessThan(guesses, "the owner came in while they were guessing");
        await crowd;
        return answers;
    }

    /// <summary>As a person does who is told to wait a little.</summary>
    private async Task<HttpStatusCode> InPatiently(string address, string username)
    {
        var status = HttpStatusCode.TooManyRequests;
        await Eventually.Holds("the owner gets in", async () => (status = (await fixture.SignIn(address, username, Password)).StatusCode) != HttpStatusCode.TooManyRequests);
        return status;
    }

    /// <summary>The same site with no trusted proxy.</summary>
    private sealed class Untrusting : IAsyncDisposable
    {
        public IdentitySite Inner { get; } = new() { HashIterations = 100 };

        public ValueTask DisposeAsync() => Inner.DisposeAsync();
    }
}
