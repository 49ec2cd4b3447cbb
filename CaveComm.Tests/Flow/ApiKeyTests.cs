using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Http;
using CaveComm.Tests.Providers;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Keys with which programs use an account, narrowed to what their owner ticked.</summary>
[Collection(nameof(OwnAccountOffice))]
public sealed class ApiKeyTests(OwnAccountOffice fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_shown_once_and_good_for_its_scopes()
    {
        var person = await fixture.NewFreelancer();
        var (key, number) = await Make(person, "Shop window", Scope.ReadCommissions);
        using var program = person.Program(key);
        (await program.GetAsync($"freelancer/{person.Handle}/inbox", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);

        var narrow = await program.PostAsync($"freelancer/{person.Handle}/open", null, Cancel);
        (await narrow.Problem(403, "insufficient-scope")).GetProperty("detail").GetString()!.ShouldContain(Scope.WriteCommissions);
        narrow.Headers.WwwAuthenticate.ToString().ShouldContain("insufficient_scope");
        await (await program.GetAsync($"freelancer/{person.Handle}/billing", Cancel)).Problem(403, "insufficient-scope");
        await (await program.GetAsync("account", Cancel)).Problem(403, "insufficient-scope");
        await (await program.PostAsJsonAsync("account/keys", new { name = "Another", scopes = new[] { Scope.ReadBilling } }, Cancel)).Problem(403, "insufficient-scope");
        await (await program.GetAsync("freelancer/mira/inbox", Cancel)).Problem(404, "not-found");

        using var owner = await person.SignedInProgram();
        var list = await (await owner.GetAsync("account/keys", Cancel)).Json();
        list.GetProperty("items").EnumerateArray().ShouldHaveSingleItem().GetProperty("number").GetInt32().ShouldBe(number);
        list.GetRawText().ShouldNotContain(key.Split('_', 4)[3]);
        await person.Mailed("A new API key");
    }

    [Fact]
    public async Task A_revoked_key_is_dead_within_a_second()
    {
        var person = await fixture.NewFreelancer();
        var (key, number) = await Make(person, "Short-lived", Scope.ReadCommissions);
        using var program = person.Program(key);
        (await program.GetAsync($"freelancer/{person.Handle}/inbox", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var owner = await person.SignedInProgram();

        // Another node has just looked, and hears of nothing.
        var clock = new ManualClock();
        var elsewhere = new Accounts(fixture.Office.Store, clock);
        var account = ApiKeyText.Read(key)!.Value.Account;
        (await elsewhere.FindAccount(account, Cancel))!.ApiKeys.Keys.ShouldContain(number);

        (await owner.DeleteAsync($"account/keys/{number}", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await (await program.GetAsync($"freelancer/{person.Handle}/inbox", Cancel)).Problem(401, "sign-in-required");
        clock.Advance(TimeSpan.FromSeconds(1));
        (await elsewhere.FindAccount(account, Cancel))!.ApiKeys.Keys.ShouldNotContain(number);
        (await owner.DeleteAsync($"account/keys/{number}", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent, "a repeat is harmless");
        await (await owner.DeleteAsync($"account/keys/{number + 1}", Cancel)).Problem(404, "no-such-key");
    }

    [Fact]
    public async Task A_key_may_no_more_than_its_account_may_now()
    {
        var person = await fixture.NewFreelancer();
        var (key, _) = await Make(person, "Everything", [.. Scope.Grantable]);
        using var program = person.Program(key);
        (await program.GetAsync($"freelancer/{person.Handle}/inbox", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await program.GetAsync("audit", Cancel)).Problem(403, "forbidden");
        await (await program.GetAsync("admin/messages", Cancel)).Problem(403, "forbidden");

        var handling = fixture.Office.Services.GetRequiredService<AccountHandling>();
        var account = await handling.FindByName(person.Handle, Cancel);
        await handling.Handle(account!.Value, new AccountCommand.RevokeRole(Role.Freelancer, "test"), "test", Cancel);
        await (await program.GetAsync($"freelancer/{person.Handle}/inbox", Cancel)).Problem(404, "not-found");
    }

    [Fact]
    public async Task A_key_that_is_not_quite_one_is_not_believed()
    {
        var person = await fixture.NewFreelancer();
        var (key, _) = await Make(person, "Real", Scope.ReadCommissions);
        var parts = key.Split('_', 4);
        string[] forged =
        [
            $"{key}x", key[..^1], $"cck_{parts[1]}_{parts[2]}_", $"cck_{parts[1]}_2_{parts[3]}", $"cck_{Guid.NewGuid():N}_1_{parts[3]}", "cck_", "cck_x_y_z",
            $"cck_{parts[1]}_99999999999_{parts[3]}", $"cck_{parts[1]}_-1_{parts[3]}",
        ];
        foreach (var it in forged)
        {
            using var program = person.Program(it);
            var answer = await program.GetAsync($"freelancer/{person.Handle}/inbox", Cancel);
            await answer.Problem(401, "sign-in-required");
            answer.Headers.WwwAuthenticate.ToString().ShouldContain("invalid_token");
        }
    }

    [Fact]
    public async Task Bad_input_is_told_by_field()
    {
        var person = await fixture.NewFreelancer();
        using var owner = await person.SignedInProgram();
        (await Refused(new { name = "", scopes = Array.Empty<string>() })).ShouldBe(["name", "scopes"]);
        (await Refused(new { name = "x", scopes = new[] { Scope.Admin } })).ShouldBe(["scopes"]);
        (await Refused(new { name = "x", scopes = new[] { Scope.Account } })).ShouldBe(["scopes"]);
        (await Refused(new { name = new string('x', 65), scopes = new[] { Scope.ReadBilling } })).ShouldBe(["name"]);
        (await Refused(new { name = "two\nlines", scopes = new[] { Scope.ReadBilling } })).ShouldBe(["name"]);
        (await Refused(new { name = "x", scopes = 7 })).ShouldBe(["scopes"]);

        await person.Open("/account/keys");
        await person.Send("/account/keys", ("name", "<b>bold"));
        person.Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        person.Html.ShouldContain("Choose at least one.");
        person.Html.ShouldContain("value=\"&lt;b&gt;bold\"");

        async Task<IEnumerable<string>> Refused(object body) =>
            (await (await owner.PostAsJsonAsync("account/keys", body, Cancel)).Problem(422, "invalid")).GetProperty("errors").EnumerateObject().Select(it => it.Name.Split('[')[0]).Order(StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_browser_makes_and_revokes_a_key()
    {
        var person = await fixture.NewFreelancer();
        await person.Open("/account/keys");
        await person.Send("/account/keys", ("name", "From a form"), ("scopes", Scope.ReadCommissions), ("scopes", Scope.ReadBilling));
        var key = Regex.Match(person.Html, "<code class=\"key\">(cck_[^<]+)</code>").Groups[1].Value;
        using var program = person.Program(key);
        (await program.GetAsync($"freelancer/{person.Handle}/billing", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await person.Open("/account/keys")).Html.ShouldNotContain(key);
        (await person.Send("/account/keys/1/revoke")).Status.ShouldBe(HttpStatusCode.SeeOther);
        await (await program.GetAsync($"freelancer/{person.Handle}/billing", Cancel)).Problem(401, "sign-in-required");
    }

    private static async Task<(string Key, int Number)> Make(OfficePerson person, string name, params string[] scopes)
    {
        using var owner = await person.SignedInProgram();
        using var answer = await owner.PostAsJsonAsync("account/keys", new { name, scopes }, Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Text());
        var made = await answer.Json();
        return (made.GetProperty("key").GetString()!, made.GetProperty("number").GetInt32());
    }
}
