using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Http;
using CaveComm.Tests.OAuth;
using Microsoft.AspNetCore.WebUtilities;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>What a token opens while it lives: what its scope says, and of that what its account may now.</summary>
[Collection(nameof(AccessCallers))]
public sealed class AccessTokenTests(AccessCallers callers)
{
    /// <summary>A handful of each kind.</summary>
    private static readonly string[] Tried =
    [
        "GET /account", "GET /account/keys", "POST /account/password", "GET /admin/accounts", "POST /admin/oauth/keys/rotate", "GET /audit", "GET /audit/ledger.csv",
        "GET /freelancer/{freelancer}/inbox", "GET /freelancer/{freelancer}/billing", "GET /freelancer/{freelancer}/requests/{requestID:guid}/receipt.pdf",
        "POST /freelancer/{freelancer}/requests/{requestID:guid}/refunds", "PUT /freelancer/{freelancer}/payoutDestinations/{provider}", "GET /oauth2/userinfo",
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_scope_narrows_a_clients_token_as_it_narrows_a_key()
    {
        var rows = AccessRow.Read().Where(it => Tried.Contains(it.Route)).ToList();
        rows.Count.ShouldBe(Tried.Length);
        foreach (var scope in Scope.Grantable)
        {
            using var client = callers.Office.Client(await Token(scope));
            var caller = new AccessCaller(scope, client, callers.OfKeeper);
            foreach (var row in rows)
            {
                (await caller.Try(row)).ShouldBe(row.Cells[scope], $"{row.Route} with a token for {scope}");
            }
        }
    }

    [Fact]
    public async Task A_role_that_is_taken_away_is_gone_while_the_token_lives()
    {
        const string Path = "audit";
        var person = (Handle: "passing-auditor", Password: "amber-Window-4-saddle");
        using var registered = await callers.Office.Anonymous.PostAsJsonAsync(
            "freelancer/register", new { handle = person.Handle, displayName = "Passing", email = "passing@people.example", password = person.Password }, Cancel);
        var roles = $"accounts/{(Guid)(await registered.Content.ReadFromJsonAsync<JsonObject>(Cancel))!["accountId"]!}/roles";
        using var admin = callers.Office.Client(await callers.Office.SignIn(Office.Vera));
        using var client = callers.Office.Client(await callers.Office.SignIn(person));
        await (await client.GetAsync(Path, Cancel)).Problem(403, "forbidden");

        (await admin.PutAsJsonAsync($"{roles}/auditor", new { reason = "helps out" }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.GetAsync(Path, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK, "the same token");

        (await admin.DeleteAsync($"{roles}/auditor?reason=done", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await client.GetAsync(Path, Cancel)).Problem(403, "forbidden");
        (await client.GetAsync($"freelancer/{person.Handle}/inbox", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK, "what is left is left");

        (await admin.DeleteAsync($"{roles}/freelancer?reason=gone", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await client.GetAsync($"freelancer/{person.Handle}/inbox", Cancel)).Problem(404, "not-found");
    }

    /// <summary>The keeper lets the app in, and the app fetches its token.</summary>
    private async Task<string> Token(string scope)
    {
        var keeper = new OfficePerson(callers.Office, 1);
        await keeper.Open("/freelancer/login");
        await keeper.Send("/freelancer/login", ("username", callers.Keeper.Handle), ("password", callers.Keeper.Password));
        await keeper.Open("/oauth2/authorize" + OAuthTalk.WebQuery(("scope", scope)));
        keeper.Status.ShouldBe(HttpStatusCode.SeeOther, keeper.Html);
        using var form = TestSite.FormBody(
            ("grant_type", "authorization_code"), ("client_id", OAuthTalk.Web), ("client_secret", OAuthTalk.WebSecret), ("redirect_uri", OAuthTalk.WebCallback),
            ("code_verifier", OAuthTalk.Verifier), ("code", QueryHelpers.ParseQuery(keeper.Answer.Headers.Location!.Query)["code"].ToString()));
        using var answer = await callers.Office.Anonymous.PostAsync("oauth2/token", form, Cancel);
        var told = await answer.Json();
        told.GetProperty("scope").GetString().ShouldBe(scope);
        return told.GetProperty("access_token").GetString()!;
    }
}
