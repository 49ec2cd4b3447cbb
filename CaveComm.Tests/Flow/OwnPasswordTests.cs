using System.Net;
using System.Net.Http.Json;
using CaveComm.Api;
using CaveComm.Api.OwnAccount;
using CaveComm.Tests.Http;
using CaveComm.Tests.Providers;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>The own password: changed, and forgotten.</summary>
[Collection(nameof(OwnAccountOffice))]
public sealed class OwnPasswordTests(OwnAccountOffice fixture)
{
    private const string Old = OwnAccountOffice.Password;
    private const string New = "another-Lamp-3-orchard";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_changed_password_ends_every_session_but_the_own()
    {
        var person = await fixture.NewFreelancer();
        using var program = await person.SignedInProgram();
        var elsewhere = await person.Elsewhere().SignIn();
        (await elsewhere.Open("/account")).Status.ShouldBe(HttpStatusCode.OK);

        await person.Open("/account/password");
        await person.Send("/account/password", ("current", Old), ("password", New));
        person.Status.ShouldBe(HttpStatusCode.OK, person.Html);
        person.Html.ShouldContain("Your password is changed");

        (await person.Open("/account")).Status.ShouldBe(HttpStatusCode.OK);
        (await elsewhere.Open("/account")).Status.ShouldBe(HttpStatusCode.SeeOther);
        await (await program.GetAsync("account", Cancel)).Problem(401, "sign-in-required");
        await (await person.SignInByJson(Old)).Problem(401, "wrong-credentials");
        (await person.SignInByJson(New)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await person.Mailed("Your password was changed")).AbsolutePath.ShouldBe("/account/password-reset");
    }

    [Fact]
    public async Task A_password_is_changed_by_who_knows_it_and_every_fault_is_told()
    {
        var person = await fixture.NewFreelancer();
        using var program = await person.SignedInProgram();
        (await (await program.PostAsJsonAsync("account/password", new { current = "not-this-one", password = New }, Cancel)).Problem(422, "invalid")).Errors("current").ShouldHaveSingleItem();
        (await (await program.PostAsJsonAsync("account/password", new { current = Old, password = "short" }, Cancel)).Problem(422, "invalid")).Errors("password").ShouldHaveSingleItem();
        var both = await (await program.PostAsJsonAsync("account/password", new { password = "short" }, Cancel)).Problem(422, "invalid");
        both.Errors("current").ShouldHaveSingleItem();
        both.Errors("password").ShouldHaveSingleItem();
        await (await program.PostAsync("account/password", TestSite.JsonBody("{"), Cancel)).Problem(400, "malformed");

        await person.Open("/account/password");
        await person.Send("/account/password", ("current", "not-this-one"), ("password", New));
        person.Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        person.Html.ShouldContain("This is not your password.");
        person.Html.ShouldNotContain(New);
        (await program.PostAsJsonAsync("account/password", new { current = Old, password = New }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task The_own_password_cannot_be_guessed_from_a_stolen_session()
    {
        var person = await fixture.NewFreelancer();
        using var program = await person.SignedInProgram();
        for (var guess = 0; guess < 10; guess++)
        {
            await (await program.PostAsJsonAsync("account/password", new { current = $"guess-{guess}", password = New }, Cancel)).Problem(422, "invalid");
        }

        var over = await program.PostAsJsonAsync("account/password", new { current = "guess", password = New }, Cancel);
        await over.Problem(429, "too-many-requests");
        over.Headers.RetryAfter.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("/account/password")]
    [InlineData("/account/second-factor")]
    [InlineData("/account/second-factor/off")]
    [InlineData("/account/second-factor/recovery-codes")]
    [InlineData("/account/keys")]
    [InlineData("/account/keys/1/revoke")]
    [InlineData("/account/sessions/end-all")]
    [InlineData("/account/sessions/01953f2a-0000-7000-8000-000000000001/end")]
    [InlineData("/account/password-reset")]
    [InlineData("/account/password-reset/new")]
    public async Task A_form_of_another_site_is_not_believed(string action)
    {
        var person = await signedIn.Value;
        var answer = await person.Forged(action);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await answer.Text()).ShouldContain("__RequestVerificationToken is missing");
    }

    [Fact]
    public async Task A_forgotten_password_is_replaced_by_a_link_that_is_good_once()
    {
        var person = await fixture.NewFreelancer();
        var elsewhere = await person.Elsewhere().SignIn();
        var forgetful = person.Elsewhere();
        await forgetful.Open("/account/password-reset");
        (await forgetful.Send("/account/password-reset", ("username", person.Email))).Status.ShouldBe(HttpStatusCode.OK);
        var link = await person.Mailed("Choose a new password");

        await forgetful.Open(link.PathAndQuery);
        await forgetful.Send("/account/password-reset/new", ("password", "short"));
        forgetful.Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        await forgetful.Send("/account/password-reset/new", ("password", New));
        forgetful.Status.ShouldBe(HttpStatusCode.OK, forgetful.Html);
        forgetful.Html.ShouldContain("Your new password is good now");
        (await elsewhere.Open("/account")).Status.ShouldBe(HttpStatusCode.SeeOther, "every session is over");
        (await person.SignInByJson(New)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await person.SignInByJson(Old)).Problem(401, "wrong-credentials");

        (await forgetful.Open(link.PathAndQuery)).Status.ShouldBe(HttpStatusCode.Forbidden);
        await (await Choose(person, Token(link), "yet-another-1-lamp")).Problem(403, "link-not-good");
        (await person.SignInByJson(New)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Who_changes_the_address_in_a_stolen_session_gets_no_link_for_a_new_password()
    {
        var person = await fixture.NewFreelancer();
        using var thief = await person.SignedInProgram();
        var elsewhere = $"thief-of-{person.Handle}@people.example";
        (await thief.PutAsJsonAsync($"freelancer/{person.Handle}/profile", new { displayName = "Somebody", email = elsewhere }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await person.Mailed("Your address was changed");

        await Ask(person, person.Handle);
        var link = await person.Mailed("Choose a new password");
        (await fixture.Office.Mails(elsewhere)).ShouldBeEmpty();
        (await Choose(person, Token(link), New)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await (await thief.GetAsync("account", Cancel)).Problem(401, "sign-in-required");
    }

    [Fact]
    public async Task Who_sends_the_payouts_elsewhere_cannot_hide_it_by_a_changed_address()
    {
        var person = await fixture.NewFreelancer();
        using var thief = await person.SignedInProgram();
        (await thief.PutAsJsonAsync($"freelancer/{person.Handle}/profile", new { displayName = "Somebody", email = $"thief-of-{person.Handle}@people.example" }, Cancel)).EnsureSuccessStatusCode();

        (await thief.PutAsJsonAsync($"freelancer/{person.Handle}/payoutDestinations/stripe", new { destination = "acct_1TheThief0000000" }, Cancel)).EnsureSuccessStatusCode();

        await person.Mailed("Where your payouts go was set");
    }

    [Fact]
    public async Task Of_two_who_use_one_link_at_once_one_chooses()
    {
        var person = await fixture.NewFreelancer();
        await Ask(person, person.Handle);
        var token = Token(await person.Mailed("Choose a new password"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(it => Choose(person, token, $"{New}-{it}")));
        answers.Count(it => it.StatusCode == HttpStatusCode.NoContent).ShouldBe(1);
        answers.Count(it => it.StatusCode == HttpStatusCode.Forbidden).ShouldBe(3);
    }

    [Fact]
    public async Task A_link_that_was_guessed_changed_or_is_late_opens_nothing()
    {
        var person = await fixture.NewFreelancer();
        var services = fixture.Office.Services;
        var account = await AccountOf(person);
        string Made(TimeProvider clock) => Token(new AccountLinks(services.GetRequiredService<IDataProtectionProvider>(), services.GetRequiredService<Links>(), clock).PasswordReset(account, 0));

        var clock = new ManualClock();
        clock.Advance(TimeProvider.System.GetUtcNow() - ManualClock.Noon - TimeSpan.FromMinutes(59));
        var inTime = Made(clock);
        clock.Advance(TimeSpan.FromMinutes(-2));
        var late = Made(clock);
        foreach (var token in new[] { late, inTime[..^6] + "AAAAAA", "AAAA", "", new string('A', 5_000), "../../etc/passwd" })
        {
            await (await Choose(person, token, New)).Problem(403, "link-not-good");
            (await person.Elsewhere().Open($"/account/password-reset/new?token={Uri.EscapeDataString(token)}")).Status.ShouldBe(HttpStatusCode.Forbidden);
        }

        (await Choose(person, inTime, New)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Asking_tells_nobody_whether_there_is_such_a_name()
    {
        var person = await fixture.NewFreelancer();
        var (known, unknown) = (await Ask(person, person.Email), await Ask(person, "nobody-at-all@people.example"));
        known.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        unknown.StatusCode.ShouldBe(known.StatusCode);
        (await unknown.Text()).ShouldBe(await known.Text());
        unknown.Headers.Select(it => it.Key).Order(StringComparer.Ordinal).ShouldBe(known.Headers.Select(it => it.Key).Order(StringComparer.Ordinal));
        await person.Mailed("Choose a new password");
        (await fixture.Office.Mails("nobody-at-all@people.example")).ShouldBeEmpty();
        (await (await person.Program().PostAsJsonAsync("account/password-reset", new { username = " " }, Cancel)).Problem(422, "invalid")).Errors("username").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Links_are_asked_for_so_often_and_no_more()
    {
        var stranger = fixture.NewStranger();
        HttpResponseMessage answer = null!;
        for (var asked = 0; asked < 11; asked++)
        {
            answer = await Ask(stranger, $"nobody-{asked}");
        }

        await answer.Problem(429, "too-many-requests");
        answer.Headers.RetryAfter.ShouldNotBeNull();
        (await Ask(fixture.NewStranger(), "nobody")).StatusCode.ShouldBe(HttpStatusCode.Accepted, "it is the address that is counted");
    }

    private readonly Lazy<Task<OfficePerson>> signedIn = new(() => fixture.NewStranger().AsMira());

    private static string Token(Uri link) => Uri.UnescapeDataString(link.Query["?token=".Length..]);

    private static async Task<HttpResponseMessage> Ask(OfficePerson person, string username) => await person.Program().PostAsJsonAsync("account/password-reset", new { username }, Cancel);

    private static async Task<HttpResponseMessage> Choose(OfficePerson person, string token, string password) =>
        await person.Program().PostAsJsonAsync("account/password-reset/new", new { token, password }, Cancel);

    private static async Task<Guid> AccountOf(OfficePerson person)
    {
        using var program = await person.SignedInProgram();
        return (await (await program.GetAsync("account", Cancel)).Json()).GetProperty("accountId").GetGuid();
    }
}
