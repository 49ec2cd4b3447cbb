using System.Net;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Freelancers;
using CaveComm.EventStore;
using CaveComm.Tests.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Shouldly;
using static CaveComm.Tests.Identity.IdentitySite;

namespace CaveComm.Tests.Identity;

public sealed class RegisterTests(IdentitySite fixture) : IClassFixture<IdentitySite>
{
    private TestSite Site => fixture.Site;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Task<HttpResponseMessage> Register(string handle, string email, string password = Password, string name = "Somebody") => Site.Send(
        HttpMethod.Post, "/freelancer/register",
        TestSite.JsonBody($$"""{"handle":"{{handle}}","displayName":"{{name}}","email":"{{email}}","password":"{{password}}"}"""));

    [Fact]
    public async Task A_freelancer_registers_and_can_sign_in_by_handle_and_by_address()
    {
        var response = await Register("nora-ink", "Nora@example.com");
        response.StatusCode.ShouldBe(HttpStatusCode.Created, await response.Text());
        response.Headers.Location!.OriginalString.ShouldBe("/freelancer/nora-ink/profile");
        response.Headers.Contains("CaveComm-Position").ShouldBeTrue();
        (await response.Text()).ShouldNotContain(Password);

        foreach (var username in new[] { "nora-ink", "nora@example.com" })
        {
            using var client = await fixture.Program(username);
            (await client.GetStringAsync(new Uri("/freelancer/nora-ink/inbox", UriKind.Relative), Cancel)).ShouldBe("nora-ink");
        }

        await using var session = Site.App.Services.GetRequiredService<IDocumentStore>().QuerySession();
        var shop = await session.Events.AggregateStreamAsync<Freelancer>(StreamKey.Freelancer("nora-ink"), token: Cancel);
        shop!.DisplayName.ShouldBe("Somebody");
    }

    [Fact]
    public async Task Events_hold_no_password()
    {
        await Register("quiet-one", "quiet@example.com");
        var id = await Site.App.Services.GetRequiredService<AccountHandling>().FindByName("quiet-one", Cancel);
        await using var session = Site.App.Services.GetRequiredService<IDocumentStore>().QuerySession();
        var story = string.Join(' ', (await session.Events.FetchStreamAsync(StreamKey.Account(id!.Value), token: Cancel)).Select(it => it.Data.ToString()));
        story.ShouldContain("quiet-one");
        story.ShouldNotContain("assword");
        story.ShouldNotContain("AQAAAA");
    }

    [Fact]
    public async Task A_taken_handle_and_a_taken_address_are_refused()
    {
        await Register("taken-one", "taken@example.com");
        await (await Register("taken-one", "other@example.com")).Problem(409, "handle-taken");
        await (await Register("taken-two", "TAKEN@example.com")).Problem(409, "username-taken");
        await (await Register("mira", "third@example.com")).Problem(409, "handle-taken");
        using var unharmed = await fixture.Program("taken-one");
        unharmed.DefaultRequestHeaders.Authorization.ShouldNotBeNull();
    }

    [Fact]
    public async Task Of_many_who_want_a_handle_at_once_one_gets_it()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(it => Register("wanted", $"wanted{it}@example.com")));
        answers.Count(it => it.StatusCode == HttpStatusCode.Created).ShouldBe(1);
        answers.Count(it => it.StatusCode == HttpStatusCode.Conflict).ShouldBe(7);
    }

    [Theory]
    [InlineData("ab", "handle")]
    [InlineData("Nora", "handle")]
    [InlineData("nora ink", "handle")]
    [InlineData("login", "handle")]
    [InlineData("admin", "handle")]
    [InlineData("abcdefghijklmnopqrstuvwxyz1234567", "handle")]
    public async Task A_handle_that_cannot_be_is_refused(string handle, string field) =>
        (await (await Register(handle, "handle@example.com")).Problem(422, "invalid")).Errors(field).ShouldHaveSingleItem();

    [Fact]
    public async Task Every_fault_is_told_at_once()
    {
        var problem = await (await Register("A", "no address", "short", " ")).Problem(422, "invalid");
        problem.GetProperty("errors").EnumerateObject().Select(it => it.Name).Order(StringComparer.Ordinal).ShouldBe(["displayName", "email", "handle", "password"]);
    }

    [Fact]
    public async Task A_browser_registers_and_is_signed_in()
    {
        using var browser = fixture.NewBrowser();
        var faulty = await Submit(browser, "/freelancer/register", ("handle", "No Good"), ("displayName", "Nils & Co"), ("email", "nils@example.com"), ("password", Password));
        faulty.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        var page = await faulty.Text();
        page.ShouldContain("aria-invalid=\"true\"");
        page.ShouldContain("value=\"Nils &amp; Co\"");
        page.ShouldNotContain(Password);

        var response = await Submit(browser, "/freelancer/register", ("handle", "nils"), ("displayName", "Nils"), ("email", "nils@example.com"), ("password", Password));
        response.StatusCode.ShouldBe(HttpStatusCode.SeeOther, await response.Text());
        (await browser.GetStringAsync(new Uri("/freelancer/nils/inbox", UriKind.Relative), Cancel)).ShouldBe("nils");
    }

    [Fact]
    public async Task Preparing_the_demo_accounts_again_changes_nothing()
    {
        var setup = Site.App.Services.GetServices<IHostedService>().OfType<DemoAccountsSetup>().Single();
        var id = await Site.App.Services.GetRequiredService<AccountHandling>().FindByName("ada", Cancel);
        await setup.StartedAsync(Cancel);
        await using var session = Site.App.Services.GetRequiredService<IDocumentStore>().QuerySession();
        (await session.Events.FetchStreamStateAsync(StreamKey.Account(id!.Value), Cancel))!.Version.ShouldBe(2);
    }
}
