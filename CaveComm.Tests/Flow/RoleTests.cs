using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Roles of accounts over HTTP, as memberships and administrators change them.</summary>
[Collection(nameof(BadInputOffice))]
public sealed class RoleTests(Office office)
{
    [Fact]
    public async Task A_role_is_given_and_taken_with_a_reason_and_counts_within_a_second()
    {
        var (account, client) = await Newcomer();
        (await Roles(await office.Admin.GetAsync($"accounts/{account}/roles"))).ShouldBe(["freelancer"]);
        (await client.GetAsync("audit")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);

        (await Roles(await Put(account, "auditor", "looks after the books"))).ShouldBe(["auditor", "freelancer"]);
        (await Roles(await Put(account, "auditor", "once more"))).ShouldBe(["auditor", "freelancer"]);
        (await client.GetAsync("audit")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Roles(await client.GetAsync($"accounts/{account}/roles"))).ShouldBe(["auditor", "freelancer"]);

        (await Roles(await office.Admin.DeleteAsync($"accounts/{account}/roles/auditor?reason=left"))).ShouldBe(["freelancer"]);
        await Eventually.Holds("the token that was given before is not good for it any more", async () =>
            (await client.GetAsync("audit")).StatusCode == HttpStatusCode.Forbidden, TimeSpan.FromSeconds(1));

        var story = (await office.Auditor.GetFromJsonAsync<JsonObject>($"audit/streams/account:{account}"))!["events"]!.AsArray();
        story.Count(it => (string)it!["type"]! == "account.role-granted" && (string)it["data"]!["cause"]! == "looks after the books").ShouldBe(1);
        story.Count(it => (string)it!["type"]! == "account.role-revoked" && (string)it["data"]!["cause"]! == "left").ShouldBe(1);
        story.Select(it => (string?)it!["actor"]).Last().ShouldStartWith("account:");
    }

    [Fact]
    public async Task A_plan_is_a_role_too()
    {
        var (account, _) = await Newcomer();

        (await Roles(await Put(account, "plan:basic", "pi_123"))).ShouldBe(["freelancer", "plan:basic"]);
    }

    [Theory]
    [InlineData("king", "why", "role")]
    [InlineData("plan:", "why", "role")]
    [InlineData("Admin", "why", "role")]
    [InlineData("auditor", "", "reason")]
    [InlineData("auditor", null, "reason")]
    public async Task What_is_no_role_or_has_no_reason_is_refused(string role, string? reason, string field)
    {
        var (account, _) = await Newcomer();

        await office.IsRefused(null, () => Put(account, role, reason), HttpStatusCode.UnprocessableEntity, "invalid", field);
    }

    [Fact]
    public async Task Nobody_sees_or_changes_another_ones_roles()
    {
        var (account, client) = await Newcomer();
        var (other, _) = await Newcomer();

        await office.IsRefused(null, () => client.GetAsync($"accounts/{other}/roles"), HttpStatusCode.NotFound, "not-found");
        await office.IsRefused(null, () => client.PutAsJsonAsync($"accounts/{account}/roles/admin", new { reason = "I want it" }), HttpStatusCode.Forbidden, "forbidden");
        await office.IsRefused(null, () => Put(Guid.CreateVersion7(), "auditor", "why"), HttpStatusCode.NotFound, "no-account");
    }

    [Fact]
    public async Task An_administrator_does_not_step_down_alone()
    {
        var own = (await office.Admin.GetFromJsonAsync<JsonObject>($"admin/accounts?name={Office.Vera.Handle}"))!["items"]![0]!;

        await office.IsRefused(
            null, () => office.Admin.DeleteAsync($"accounts/{own["accountId"]}/roles/admin?reason=tired"), HttpStatusCode.Conflict, "own-role");
    }

    [Fact]
    public async Task A_shop_is_needed_to_be_a_freelancer()
    {
        var account = Guid.CreateVersion7();
        await using (var session = office.Store.LightweightSession())
        {
            session.Events.StartStream<Account>(StreamKey.Account(account), new AccountEvent.AccountRegistered($"clerk-{account:N}", null));
            await session.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        await office.IsRefused(null, () => Put(account, "freelancer", "why"), HttpStatusCode.Conflict, "no-shop");
    }

    [Fact]
    public async Task The_pages_find_an_account_and_change_its_roles()
    {
        var (account, _) = await Newcomer();
        using var vera = new Browser(office.Url);
        await vera.Open("/admin/accounts");
        await vera.Submit("/freelancer/login", ("username", Office.Vera.Handle), ("password", Office.Vera.Password));
        await vera.Open($"/admin/accounts?name=nobody");
        vera.Html.ShouldContain("Nobody signs in by that name.");
        await vera.Open($"/admin/accounts/{account}");

        await vera.Submit($"/admin/accounts/{account}/roles", ("role", "auditor"), ("reason", "looks after the books"));

        vera.Path.ShouldBe($"/admin/accounts/{account}");
        vera.Html.ShouldContain("Take auditor away");
        await vera.Submit($"/admin/accounts/{account}/roles/auditor/revoke", ("reason", "left"));
        vera.Html.ShouldNotContain("Take auditor away");
    }

    private async Task<(Guid Account, HttpClient Client)> Newcomer()
    {
        var handle = $"new-{Guid.NewGuid():N}"[..20];
        const string Password = "pebble-Sunrise-4-canoe";
        using var answer = await office.Anonymous.PostAsJsonAsync(
            "freelancer/register", new { handle, displayName = "New", email = $"{handle}@cavecomm.example", password = Password });
        var registered = (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
        return ((Guid)registered["accountId"]!, office.Client(await office.SignIn((handle, Password))));
    }

    private Task<HttpResponseMessage> Put(Guid account, string role, string? reason) => office.Admin.PutAsJsonAsync($"accounts/{account}/roles/{role}", new { reason });

    private static async Task<IReadOnlyList<string>> Roles(HttpResponseMessage answer)
    {
        using (answer)
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
            return [.. (await answer.Content.ReadFromJsonAsync<JsonObject>())!["roles"]!.AsArray().Select(it => (string)it!)];
        }
    }
}
