using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using CaveComm.Tests.Http;
using CaveComm.Tests.Identity;
using Shouldly;
using static CaveComm.Tests.Flow.OwnAccountOffice;

namespace CaveComm.Tests.Flow;

/// <summary>The second factor, from the pages of its owner.</summary>
[Collection(nameof(OwnAccountOffice))]
public sealed class OwnSecondFactorTests(OwnAccountOffice fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_turned_on_and_off_by_its_owner()
    {
        var person = await fixture.NewFreelancer();
        await person.Open("/account/second-factor");
        person.Html.ShouldContain("<svg class=\"qr\"");
        var secret = Secret(person.Html);

        // A form that comes back still speaks of the secret that the app was told.
        await person.Send("/account/second-factor", ("code", "000000"), ("password", Password));
        person.Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        Secret(person.Html).ShouldBe(secret);
        await person.Send("/account/second-factor", ("code", AuthenticatorApp.CodeNow(secret)), ("password", "not-this-one"));
        person.Html.ShouldContain("This is not your password.");

        await person.Send("/account/second-factor", ("code", AuthenticatorApp.CodeNow(secret)), ("password", Password));
        person.Status.ShouldBe(HttpStatusCode.OK, person.Html);
        var codes = Regex.Matches(person.Html, "<li><code>([a-z2-7-]+)</code></li>").Select(it => it.Groups[1].Value).ToList();
        codes.Count.ShouldBe(10);
        await person.Mailed("Signing in needs a code");

        await (await person.SignInByJson(Password)).Problem(401, "second-factor-required");
        (await person.SignInByJson(Password, codes[0])).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await person.Open("/account")).Html.ShouldContain("9 recovery codes are left.");
        (await person.Open("/account/second-factor")).Html.ShouldNotContain("<svg class=\"qr\"");

        var elsewhere = person.Elsewhere();
        await elsewhere.Open("/freelancer/login");
        await elsewhere.Send("/freelancer/login", ("username", person.Handle), ("password", Password), ("code", codes[1]));
        (await elsewhere.Open("/account")).Status.ShouldBe(HttpStatusCode.OK);

        await person.Send("/account/second-factor/off", ("password", Password));
        person.Status.ShouldBe(HttpStatusCode.SeeOther, person.Html);
        (await person.Open("/account")).Status.ShouldBe(HttpStatusCode.OK);
        (await elsewhere.Open("/account")).Status.ShouldBe(HttpStatusCode.SeeOther, "every other session is over");
        (await person.SignInByJson(Password)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await person.Mailed("Signing in needs no code");
    }

    [Fact]
    public async Task By_json_too_and_every_fault_is_told()
    {
        var person = await fixture.NewFreelancer();
        using var program = await person.SignedInProgram();
        var offer = (await (await program.GetAsync("account/second-factor", Cancel)).Json()).GetProperty("offer");
        var (secret, setup) = (offer.GetProperty("secret").GetString()!, offer.GetProperty("setup").GetString()!);
        var empty = await (await program.PostAsJsonAsync("account/second-factor", new { }, Cancel)).Problem(422, "invalid");
        empty.GetProperty("errors").EnumerateObject().Select(it => it.Name).Order(StringComparer.Ordinal).ShouldBe(["code", "password", "setup"]);
        await (await program.PostAsJsonAsync("account/second-factor/recovery-codes", new { password = Password }, Cancel)).Problem(409, "second-factor-off");

        var answer = await program.PostAsJsonAsync("account/second-factor", new { setup, code = AuthenticatorApp.CodeNow(secret), password = Password }, Cancel);
        (await answer.Json()).GetProperty("recoveryCodes").GetArrayLength().ShouldBe(10);
        var state = await (await program.GetAsync("account/second-factor", Cancel)).Json();
        state.GetProperty("on").GetBoolean().ShouldBeTrue();
        state.GetProperty("offer").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
        await (await program.PostAsJsonAsync("account/second-factor", new { setup, code = AuthenticatorApp.CodeNow(secret), password = Password }, Cancel)).Problem(409, "second-factor-on");
        (await (await program.PostAsJsonAsync("account/second-factor/off", new { password = "not-this-one" }, Cancel)).Problem(422, "invalid")).Errors("password").ShouldHaveSingleItem();
        (await (await program.PostAsJsonAsync("account/second-factor/recovery-codes", new { password = Password }, Cancel)).Json()).GetProperty("recoveryCodes").GetArrayLength().ShouldBe(10);
    }

    [Fact]
    public async Task A_new_password_by_mail_does_not_turn_it_off()
    {
        var person = await fixture.NewFreelancer();
        await person.Open("/account/second-factor");
        await person.Send("/account/second-factor", ("code", AuthenticatorApp.CodeNow(Secret(person.Html))), ("password", Password));
        await person.Program().PostAsJsonAsync("account/password-reset", new { username = person.Handle }, Cancel);
        var link = await person.Mailed("Choose a new password");
        var token = Uri.UnescapeDataString(link.Query["?token=".Length..]);
        (await person.Program().PostAsJsonAsync("account/password-reset/new", new { token, password = "another-Lamp-3-orchard" }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await (await person.SignInByJson("another-Lamp-3-orchard")).Problem(401, "second-factor-required");
    }

    private static string Secret(string page) => Regex.Match(page, "<code class=\"key\">([A-Z2-7 ]+)</code>").Groups[1].Value.Replace(" ", "", StringComparison.Ordinal);
}
