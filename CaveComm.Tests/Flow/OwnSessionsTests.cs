using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Http;
using CaveComm.Tests.Identity;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.Flow.OwnAccountOffice;

namespace CaveComm.Tests.Flow;

/// <summary>Where somebody is signed in, and what is kept of it all.</summary>
[Collection(nameof(OwnAccountOffice))]
public sealed class OwnSessionsTests(OwnAccountOffice fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_own_sessions_are_listed_and_one_is_ended()
    {
        var person = await fixture.NewFreelancer();
        using var program = await person.SignedInProgram();
        using var other = await person.SignedInProgram();
        var lines = await Lines(program);
        lines.Count(it => it.GetProperty("kind").GetString() == "browser").ShouldBe(1);
        lines.Count(it => it.GetProperty("kind").GetString() == "program").ShouldBe(2);
        var own = lines.Single(it => it.GetProperty("isThis").GetBoolean()).GetProperty("id").GetGuid();
        var others = (await Lines(other)).Single(it => it.GetProperty("isThis").GetBoolean()).GetProperty("id").GetGuid();
        others.ShouldNotBe(own);

        (await program.DeleteAsync($"account/sessions/{others}", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await (await other.GetAsync("account", Cancel)).Problem(401, "sign-in-required");
        (await Lines(program)).Count.ShouldBe(2);

        await person.Open("/account/sessions");
        person.Html.ShouldContain("this one");
        (await person.Send($"/account/sessions/{own}/end")).Status.ShouldBe(HttpStatusCode.SeeOther);
        await (await program.GetAsync("account", Cancel)).Problem(401, "sign-in-required");
    }

    [Fact]
    public async Task Anothers_session_is_not_there()
    {
        var (person, other) = (await fixture.NewFreelancer(), await fixture.NewFreelancer());
        using var program = await person.SignedInProgram();
        using var theirs = await other.SignedInProgram();
        var id = (await Lines(theirs)).First().GetProperty("id").GetGuid();
        await (await program.DeleteAsync($"account/sessions/{id}", Cancel)).Problem(404, "not-found");
        (await theirs.GetAsync("account", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Signing_out_everywhere_leaves_the_browser_that_asked()
    {
        var person = await fixture.NewFreelancer();
        using var program = await person.SignedInProgram();
        var elsewhere = await person.Elsewhere().SignIn();
        await person.Open("/account/sessions");
        (await person.Send("/account/sessions/end-all")).Status.ShouldBe(HttpStatusCode.SeeOther);
        await (await program.GetAsync("account", Cancel)).Problem(401, "sign-in-required");
        (await elsewhere.Open("/account")).Status.ShouldBe(HttpStatusCode.SeeOther);
        (await person.Open("/account/sessions")).Status.ShouldBe(HttpStatusCode.OK);
        person.Html.ShouldContain("this one");
    }

    [Fact]
    public async Task No_password_key_code_or_token_lies_in_the_database()
    {
        var person = await fixture.NewFreelancer();
        using var program = await person.SignedInProgram();
        var key = (await (await program.PostAsJsonAsync("account/keys", new { name = "Kept", scopes = new[] { Scope.ReadCommissions } }, Cancel)).Json()).GetProperty("key").GetString()!;
        var offer = (await (await program.GetAsync("account/second-factor", Cancel)).Json()).GetProperty("offer");
        var (secret, setup) = (offer.GetProperty("secret").GetString()!, offer.GetProperty("setup").GetString()!);
        var seed = AuthenticatorApp.Seed(secret);
        var turnedOn = await program.PostAsJsonAsync("account/second-factor", new { setup, code = AuthenticatorApp.CodeNow(secret), password = Password }, Cancel);
        var codes = (await turnedOn.Json()).GetProperty("recoveryCodes").EnumerateArray().Select(it => it.GetString()!).ToList();
        await person.Program().PostAsJsonAsync("account/password-reset", new { username = person.Handle }, Cancel);
        var token = Uri.UnescapeDataString((await person.Mailed("Choose a new password")).Query["?token=".Length..]);
        await person.SignInByJson("typed-by-mistake-1", codes[0]);
        (await person.SignInByJson(Password, codes[0])).StatusCode.ShouldBe(HttpStatusCode.OK);

        string[] secrets =
        [
            Password, "typed-by-mistake-1", key.Split('_', 4)[3], secret, Convert.ToHexString(seed), Convert.ToBase64String(seed), setup, token, .. codes, .. codes.Select(it => it.Replace("-", "", StringComparison.Ordinal)),
            program.DefaultRequestHeaders.Authorization!.Parameter!,
        ];
        (await Found([person.Handle])).ShouldContain("mt_events", customMessage: "the search would find what is there");
        (await Found(secrets)).ShouldBeEmpty();
    }

    private static async Task<List<JsonElement>> Lines(HttpClient client) =>
        [.. (await (await client.GetAsync("account/sessions", Cancel)).Json()).GetProperty("items").EnumerateArray()];

    /// <summary>The tables that hold one of the texts in any column, readable or as bytes.</summary>
    private async Task<IReadOnlyList<string>> Found(string[] texts)
    {
        await using var connection = await fixture.Office.Database.Open();
        var tables = new List<string>();
        await using (var command = new NpgsqlCommand("select table_name::text from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'", connection))
        await using (var reader = await command.ExecuteReaderAsync(Cancel))
        {
            while (await reader.ReadAsync(Cancel))
            {
                tables.Add(reader.GetString(0));
            }
        }

        var wanted = texts.Concat(texts.Select(it => Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(it)))).ToArray();
        var found = new List<string>();
        foreach (var table in tables)
        {
            await using var command = new NpgsqlCommand($"select exists (select 1 from \"{table}\" t, unnest(@wanted) w where position(w in t::text) > 0)", connection);
            command.Parameters.AddWithValue("wanted", wanted);
            if ((bool)(await command.ExecuteScalarAsync(Cancel))!)
            {
                found.Add(table);
            }
        }

        return found;
    }
}
