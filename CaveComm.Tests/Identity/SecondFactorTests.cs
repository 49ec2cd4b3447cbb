using System.Net;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using CaveComm.EventStore;
using CaveComm.Tests.Http;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using static CaveComm.Tests.Identity.IdentitySite;

namespace CaveComm.Tests.Identity;

/// <summary>Signing in with a code beside the password.</summary>
public sealed class SecondFactorTests(GuessSite fixture) : IClassFixture<GuessSite>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private SecondFactors Factors => fixture.Services.GetRequiredService<SecondFactors>();

    private long Step => Totp.StepAt(fixture.Time.GetUtcNow());

    [Fact]
    public async Task The_code_is_asked_for_after_a_right_password_and_not_after_a_wrong_one()
    {
        var person = await WithSecondFactor();
        await (await fixture.SignIn(fixture.NewAddress(), person.Username, "wrong-password")).Problem(401, "wrong-credentials");
        await (await fixture.SignIn(fixture.NewAddress(), person.Username, "wrong-password", person.Code(Step))).Problem(401, "wrong-credentials");
        await (await fixture.SignIn(fixture.NewAddress(), person.Username, Password)).Problem(401, "second-factor-required");
        (await fixture.SignIn(fixture.NewAddress(), person.Username, Password, person.Code(Step))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_code_of_this_step_and_of_its_neighbours_is_good_once()
    {
        var person = await WithSecondFactor();
        fixture.Time.Advance(TimeSpan.FromMinutes(2));
        foreach (var off in new[] { -1, 0, 1 })
        {
            (await SignIn(person, person.Code(Step + off))).StatusCode.ShouldBe(HttpStatusCode.OK, $"{off}");
            (await (await SignIn(person, person.Code(Step + off))).Problem(401, "wrong-code")).GetProperty("detail").GetString()!.ShouldContain("used already");
        }

        await (await SignIn(person, person.Code(Step))).Problem(401, "wrong-code");
        await (await SignIn(person, person.Code(Step - 2))).Problem(401, "wrong-code");
        await (await SignIn(person, person.Code(Step + 2))).Problem(401, "wrong-code");
        await (await SignIn(person, "not-a-number")).Problem(401, "wrong-code");
    }

    [Fact]
    public async Task Of_many_who_send_one_code_at_once_one_gets_in()
    {
        var person = await WithSecondFactor();
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => SignIn(person, person.Code(Step))));
        answers.Count(it => it.StatusCode == HttpStatusCode.OK).ShouldBe(1);
    }

    [Fact]
    public async Task A_recovery_code_is_good_once_and_however_it_is_typed()
    {
        var person = await WithSecondFactor();
        var (first, second) = (person.RecoveryCodes[0], person.RecoveryCodes[1]);
        (await SignIn(person, $" {first.Replace("-", " ", StringComparison.Ordinal).ToUpperInvariant()}")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await (await SignIn(person, first)).Problem(401, "wrong-code")).GetProperty("detail").GetString()!.ShouldContain("used already");

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => SignIn(person, second)));
        answers.Count(it => it.StatusCode == HttpStatusCode.OK).ShouldBe(1);
        (await State(person)).RecoveryCodesLeft.ShouldBe(SecondFactors.RecoveryCodes - 2);
    }

    [Fact]
    public async Task New_recovery_codes_void_those_of_before()
    {
        var person = await WithSecondFactor();
        var (codes, _) = await Factors.MakeRecoveryCodes(person.Caller, Cancel);
        await (await SignIn(person, person.RecoveryCodes[0])).Problem(401, "wrong-code");
        (await SignIn(person, codes[0])).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Codes_cannot_be_guessed_and_a_recovery_code_still_opens()
    {
        var person = await WithSecondFactor();
        for (var guess = 0; guess < 10; guess++)
        {
            await (await SignIn(person, Wrong(person, guess))).Problem(401, "wrong-code");
        }

        var over = await SignIn(person, person.Code(Step));
        await over.Problem(429, "too-many-requests");
        over.Headers.RetryAfter.ShouldNotBeNull();
        (await SignIn(person, person.RecoveryCodes[0])).StatusCode.ShouldBe(HttpStatusCode.OK);
        fixture.Time.Advance(TimeSpan.FromMinutes(61));
        (await SignIn(person, person.Code(Step))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task No_more_codes_are_tried_of_those_that_come_at_once()
    {
        var person = await WithSecondFactor();
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(guess => SignIn(person, Wrong(person, guess))));
        answers.Count(it => it.StatusCode == HttpStatusCode.Unauthorized).ShouldBe(GuessLimits.Most);
        answers.Count(it => it.StatusCode == HttpStatusCode.TooManyRequests).ShouldBe(40 - GuessLimits.Most);
    }

    [Fact]
    public async Task The_page_that_asks_for_the_code_alone_counts_with_the_others_and_the_limit_is_in_the_log_once()
    {
        var person = await WithSecondFactor();
        var address = fixture.NewAddress();
        using var browser = fixture.NewBrowser(address);
        var ticket = Hidden(await (await Submit(browser, "/freelancer/login", ("username", person.Username), ("password", Password))).Text(), "ticket");
        var guesses = await Task.WhenAll(Enumerable.Range(0, 12).Select(guess => Send(guess % 2 == 0 ? Password : null, Wrong(person, guess))));
        guesses.Count(it => it.StatusCode == HttpStatusCode.TooManyRequests).ShouldBe(2);

        var right = await Send(null, person.Code(Step));
        await right.Problem(429, "too-many-requests");
        right.Headers.RetryAfter!.Delta!.Value.ShouldBe(GuessLimits.CodeWindow);
        await (await SignIn(person, person.Code(Step))).Problem(429, "too-many-requests");

        var told = await Refusals(address);
        told.OfType<SignInEvent.Refused>().Count().ShouldBe(GuessLimits.Most);
        told.OfType<SignInEvent.Limited>().ShouldHaveSingleItem().Limit.ShouldBe("code");

        Task<HttpResponseMessage> Send(string? password, string code) => fixture.Site.Send(
            HttpMethod.Post, "/freelancer/login",
            TestSite.JsonBody(System.Text.Json.JsonSerializer.Serialize(new { username = person.Username, password, ticket = password is null ? ticket : null, code })),
            headers: [("X-Forwarded-For", address)]);
    }

    [Fact]
    public async Task Right_codes_use_up_nothing()
    {
        var person = await WithSecondFactor();
        for (var time = 0; time < 15; time++)
        {
            fixture.Time.Advance(TimeSpan.FromMinutes(1));
            (await SignIn(person, person.Code(Step))).StatusCode.ShouldBe(HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task Guessed_codes_do_not_keep_the_owners_browser_out()
    {
        var person = await WithSecondFactor();
        using var browser = fixture.NewBrowser(fixture.NewAddress());
        (await Submit(browser, "/freelancer/login", ("username", person.Username), ("password", Password), ("code", person.Code(Step)))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        for (var guess = 0; guess < 12; guess++)
        {
            await SignIn(person, Wrong(person, guess));
        }

        fixture.Time.Advance(TimeSpan.FromSeconds(30));
        (await Submit(browser, "/freelancer/login", ("username", person.Username), ("password", Password), ("code", person.Code(Step)))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
    }

    [Fact]
    public async Task Who_has_the_owners_browser_and_password_guesses_no_more_codes_than_a_stranger()
    {
        var person = await WithSecondFactor();
        using var browser = fixture.NewBrowser(fixture.NewAddress());
        (await Enter(person.Code(Step))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        for (var guess = 0; guess < GuessLimits.Most; guess++)
        {
            fixture.Time.Advance(TimeSpan.FromMinutes(1));
            (await Enter(Wrong(person, guess))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        }

        fixture.Time.Advance(TimeSpan.FromMinutes(2));
        (await Enter(person.Code(Step))).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        fixture.Time.Advance(GuessLimits.CodeWindow);
        (await Enter(person.Code(Step))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        Task<HttpResponseMessage> Enter(string code) => Submit(browser, "/freelancer/login", ("username", person.Username), ("password", Password), ("code", code));
    }

    [Fact]
    public async Task A_browser_is_asked_for_the_code_on_a_page_of_its_own()
    {
        var person = await WithSecondFactor();
        using var browser = fixture.NewBrowser(fixture.NewAddress());
        var asked = await Submit(browser, "/freelancer/login", ("username", person.Username), ("password", Password), ("returnUrl", "/admin/things"));
        asked.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var page = await asked.Text();
        page.ShouldContain("autocomplete=\"one-time-code\"");
        page.ShouldNotContain("type=\"password\"");
        page.ShouldNotContain(Password);
        asked.Headers.TryGetValues("Set-Cookie", out var cookies);
        (cookies ?? []).ShouldNotContain(it => it.StartsWith("cavecomm-session", StringComparison.Ordinal));

        var wrong = await Submit(browser, "/freelancer/login", ("username", person.Username), ("ticket", Hidden(page, "ticket")), ("code", Wrong(person, 1)), ("returnUrl", "/admin/things"));
        wrong.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var inside = await Submit(browser, "/freelancer/login", ("username", person.Username), ("ticket", Hidden(await wrong.Text(), "ticket")), ("code", person.Code(Step)), ("returnUrl", "/admin/things"));
        inside.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        inside.Headers.Location!.OriginalString.ShouldBe("/admin/things");
    }

    [Fact]
    public async Task A_ticket_is_no_key()
    {
        var person = await WithSecondFactor();
        using var browser = fixture.NewBrowser(fixture.NewAddress());
        var ticket = Hidden(await (await Submit(browser, "/freelancer/login", ("username", person.Username), ("password", Password))).Text(), "ticket");
        await (await Send(ticket[..^4] + "AAAA", person.Code(Step))).Problem(401, "wrong-credentials");
        await (await Send(ticket, null)).Problem(401, "second-factor-required");

        await fixture.Services.GetRequiredService<AccountHandling>().Handle(person.Caller.AccountId, new AccountCommand.EndSessions("test"), "test", Cancel);
        await (await Send(ticket, person.Code(Step))).Problem(401, "wrong-credentials");
        var late = Hidden(await (await Submit(browser, "/freelancer/login", ("username", person.Username), ("password", Password))).Text(), "ticket");
        fixture.Time.Advance(TimeSpan.FromMinutes(11));
        await (await Send(late, person.Code(Step))).Problem(401, "wrong-credentials");

        Task<HttpResponseMessage> Send(string it, string? code) => fixture.Site.Send(
            HttpMethod.Post, "/freelancer/login", TestSite.JsonBody(System.Text.Json.JsonSerializer.Serialize(new { username = person.Username, ticket = it, code })),
            headers: [("X-Forwarded-For", fixture.NewAddress())]);
    }

    [Fact]
    public async Task It_is_turned_on_with_the_code_of_the_own_app_in_time()
    {
        var (username, account) = await fixture.NewPerson();
        var (_, other) = await fixture.NewPerson();
        var caller = new Caller(account, username, username, new HashSet<string>());
        var offer = Factors.Offer(caller);
        (await TurnOn(caller, offer.Setup, "000000")).ShouldContain("code");
        (await TurnOn(caller, offer.Setup + "A", Code(offer, Step))).ShouldContain("setup");
        (await TurnOn(caller with { AccountId = other }, offer.Setup, Code(offer, Step))).ShouldContain("setup", "it was offered to somebody else");
        fixture.Time.Advance(TimeSpan.FromMinutes(16));
        (await TurnOn(caller, offer.Setup, Code(offer, Step))).ShouldContain("setup", "it took too long");
        (await fixture.SignIn(fixture.NewAddress(), username, Password)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private async Task<IEnumerable<string>> TurnOn(Caller caller, string setup, string code) =>
        (await Factors.TurnOn(caller, setup, code, _ => Task.CompletedTask, Cancel)).Refusal!.Fields!.Keys;

    private Task<HttpResponseMessage> SignIn(Person person, string code) => fixture.SignIn(fixture.NewAddress(), person.Username, Password, code);

    private async Task<IReadOnlyList<object>> Refusals(string address)
    {
        await using var session = fixture.Services.GetRequiredService<IDocumentStore>().QuerySession();
        var origin = fixture.Services.GetRequiredService<Origins>().Of(IPAddress.Parse(address));
        var stream = StreamKey.SignIns(DateOnly.FromDateTime(fixture.Time.GetUtcNow().UtcDateTime), origin);
        return [.. (await session.Events.FetchStreamAsync(stream, token: Cancel)).Select(it => it.Data)];
    }

    private async Task<Account> State(Person person)
    {
        fixture.Services.GetRequiredService<Accounts>().Forget(person.Caller.AccountId);
        return (await fixture.Services.GetRequiredService<Accounts>().FindAccount(person.Caller.AccountId, Cancel))!;
    }

    private async Task<Person> WithSecondFactor()
    {
        var (username, account) = await fixture.NewPerson();
        var caller = new Caller(account, username, username, new HashSet<string>());
        var offer = Factors.Offer(caller);
        var (codes, refusal) = await Factors.TurnOn(caller, offer.Setup, Code(offer, Step - 1), _ => Task.CompletedTask, Cancel);
        refusal.ShouldBeNull();
        return new Person(caller, offer, codes);
    }

    /// <summary>None that is good now.</summary>
    private string Wrong(Person person, int number)
    {
        string[] good = [person.Code(Step - 1), person.Code(Step), person.Code(Step + 1)];
        return Enumerable.Range(number * 10, 10).Select(it => $"{it:D6}").First(it => !good.Contains(it));
    }

    private static string Hidden(string page, string name) =>
        WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Match(page, $"name=\"{name}\" value=\"([^\"]+)\"").Groups[1].Value);

    private static string Code(FactorSetup offer, long step) => AuthenticatorApp.Code(offer.Secret, step);

    private sealed record Person(Caller Caller, FactorSetup Offer, IReadOnlyList<string> RecoveryCodes)
    {
        public string Username => Caller.Username;

        public string Code(long step) => SecondFactorTests.Code(Offer, step);
    }
}
