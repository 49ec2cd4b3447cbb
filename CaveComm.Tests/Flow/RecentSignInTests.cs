using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Http;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Who finds an open browser, or steals its cookie, does not get the money: that asks for a sign-in of a short while ago.</summary>
[Collection(nameof(OwnAccountOffice))]
public sealed class RecentSignInTests(OwnAccountOffice fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Where_payouts_go_is_set_after_a_new_sign_in_when_the_last_is_a_while_ago()
    {
        var person = await SignedInLongAgo();
        await person.Open($"/freelancer/{person.Handle}/templates");
        await person.Send($"/freelancer/{person.Handle}/payoutDestinations/stripe", ("destination", "acct_1TheThief0000000"));
        ShouldAskForASignIn(person, $"/freelancer/{person.Handle}/templates#payouts");
        await person.Open($"/freelancer/{person.Handle}/templates");
        await person.Send($"/freelancer/{person.Handle}/payoutAccounts/stripe", ("country", "DE"));
        ShouldAskForASignIn(person, $"/freelancer/{person.Handle}/templates#payouts");
        (await Destinations(person)).ShouldBe(0);

        await person.Open(person.Answer.Headers.Location!.OriginalString);
        person.Html.ShouldContain("please sign in once more");
        await person.Send("/freelancer/login", ("username", person.Handle), ("password", OwnAccountOffice.Password));
        person.Answer.Headers.Location!.OriginalString.ShouldBe($"/freelancer/{person.Handle}/templates#payouts");
        await person.Open($"/freelancer/{person.Handle}/templates");
        (await person.Send($"/freelancer/{person.Handle}/payoutDestinations/stripe", ("destination", "acct_1TheOwner0000000"))).Status.ShouldBe(HttpStatusCode.SeeOther, person.Html);
        (await Destinations(person)).ShouldBe(1);
    }

    [Fact]
    public async Task An_api_key_is_made_after_a_new_sign_in_and_all_else_goes_on()
    {
        var person = await SignedInLongAgo();
        (await person.Open("/account/keys")).Status.ShouldBe(HttpStatusCode.OK);
        await person.Send("/account/keys", ("name", "A thief's"), ("scopes", Scope.ReadCommissions));
        ShouldAskForASignIn(person, "/account/keys");
        using var program = await person.SignedInProgram();
        (await (await program.GetAsync("account/keys", Cancel)).Json()).GetProperty("items").GetArrayLength().ShouldBe(0);
        (await person.Open("/account")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Where_letters_about_the_account_go_is_changed_after_a_new_sign_in_and_the_rest_of_the_profile_at_any_time()
    {
        var person = await SignedInLongAgo();
        await person.Open($"/freelancer/{person.Handle}/profile");
        await person.Send($"/freelancer/{person.Handle}/profile", ("displayName", "Somebody"), ("email", $"thief-of-{person.Handle}@people.example"));
        ShouldAskForASignIn(person, $"/freelancer/{person.Handle}/profile");

        await person.Open($"/freelancer/{person.Handle}/profile");
        (await person.Send($"/freelancer/{person.Handle}/profile", ("displayName", "Somebody else"), ("email", person.Email))).Status.ShouldBe(HttpStatusCode.SeeOther, person.Html);
        var profile = await Profile(person);
        profile.GetProperty("email").GetString().ShouldBe(person.Email);
        profile.GetProperty("displayName").GetString().ShouldBe("Somebody else");
    }

    [Fact]
    public async Task A_token_goes_by_its_own_time()
    {
        var person = await fixture.NewFreelancer();
        using var program = await person.SignedInProgram();
        await SetBack(person);
        (await program.PutAsJsonAsync($"freelancer/{person.Handle}/payoutDestinations/stripe", new { destination = "acct_1TheOwner0000000" }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_program_that_sends_the_cookie_is_told_what_is_wrong()
    {
        var person = await SignedInLongAgo();
        await (await person.PutWithCookie($"/freelancer/{person.Handle}/payoutDestinations/stripe", new { destination = "acct_1TheThief0000000" })).Problem(403, "sign-in-too-old");
        (await Destinations(person)).ShouldBe(0);
    }

    private static void ShouldAskForASignIn(OfficePerson person, string page)
    {
        person.Status.ShouldBe(HttpStatusCode.SeeOther, person.Html);
        person.Answer.Headers.Location!.OriginalString.ShouldBe($"/freelancer/login?returnUrl={Uri.EscapeDataString(page)}");
    }

    /// <summary>No node has read the new session yet, so none believes what it read before the time was set back.</summary>
    private async Task<OfficePerson> SignedInLongAgo()
    {
        var person = await fixture.NewFreelancer();
        await SetBack(person);
        return person;
    }

    private Task SetBack(OfficePerson person) => fixture.Office.Database.Execute(
        $$"""
        update mt_doc_sessionrecord set data = jsonb_set(data, '{signedInAt}', to_jsonb(now() - interval '16 minutes'))
        where account = (select (data ->> 'account')::uuid from mt_events where type = 'handle.handle-claimed' and stream_id = 'handle:{{person.Handle}}')
        """);

    private static async Task<int> Destinations(OfficePerson person) => (await Profile(person)).GetProperty("payoutDestinations").GetArrayLength();

    private static async Task<JsonElement> Profile(OfficePerson person)
    {
        using var program = await person.SignedInProgram();
        return await (await program.GetAsync($"freelancer/{person.Handle}/profile", Cancel)).Json();
    }
}
