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

/// <summary>Registering where it takes an invitation.</summary>
[Collection(nameof(OwnAccountOffice))]
public sealed class InvitationTests(OwnAccountOffice fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_is_invited_registers_once()
    {
        var person = fixture.NewStranger();
        var link = await person.Invited();
        await person.Open(link.PathAndQuery);
        await person.Send("/freelancer/register", ("handle", "No Good"), ("displayName", "Somebody"), ("email", person.Email), ("password", OwnAccountOffice.Password));
        person.Status.ShouldBe(HttpStatusCode.UnprocessableEntity, "a fault does not use the invitation up");
        await person.Send("/freelancer/register", ("handle", person.Handle), ("displayName", "Somebody"), ("email", person.Email), ("password", OwnAccountOffice.Password));
        person.Status.ShouldBe(HttpStatusCode.SeeOther, person.Html);

        var second = fixture.NewStranger();
        await second.Open(link.PathAndQuery);
        second.Html.ShouldContain("This invitation is not good, or no longer.");
        second.Html.ShouldNotContain("<form method=\"post\" action=\"/freelancer/register\"");
        await (await Register(second, Token(link))).Problem(403, "invitation-needed");

        var listed = (await List()).Single(it => it.Handle == person.Handle);
        listed.Status.ShouldBe("accepted");
        listed.Email.ShouldBeNull("the address is not needed any more");
    }

    [Fact]
    public async Task Without_an_invitation_nobody_registers()
    {
        var person = fixture.NewStranger();
        await (await Register(person, null)).Problem(403, "invitation-needed");
        await (await Register(person, "")).Problem(403, "invitation-needed");
        await (await Register(person, "made-up")).Problem(403, "invitation-needed");
        (await person.Open("/freelancer/register")).Html.ShouldNotContain("action=\"/freelancer/register\"");
    }

    [Fact]
    public async Task Of_two_who_use_an_invitation_at_once_one_registers()
    {
        var person = fixture.NewStranger();
        var token = Token(await person.Invited());
        var others = Enumerable.Range(0, 4).Select(_ => fixture.NewStranger()).ToList();
        var answers = await Task.WhenAll(others.Select(it => Register(it, token)));
        answers.Count(it => it.StatusCode == HttpStatusCode.Created).ShouldBe(1);
        answers.Count(it => it.StatusCode == HttpStatusCode.Forbidden).ShouldBe(3);
    }

    [Fact]
    public async Task A_late_and_a_withdrawn_invitation_are_not_good()
    {
        var person = fixture.NewStranger();
        var link = await person.Invited();
        var invitation = (await List()).Single(it => it.Email == person.Email);
        var clock = new ManualClock();
        clock.Advance(TimeProvider.System.GetUtcNow() - ManualClock.Noon - TimeSpan.FromDays(7) - TimeSpan.FromMinutes(1));
        var services = fixture.Office.Services;
        var late = new AccountLinks(services.GetRequiredService<IDataProtectionProvider>(), services.GetRequiredService<Links>(), clock).Invitation(invitation.Id);
        await (await Register(person, Token(late))).Problem(403, "invitation-needed");

        (await fixture.Office.Admin.DeleteAsync($"invitations/{invitation.Id}", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await fixture.Office.Admin.DeleteAsync($"invitations/{invitation.Id}", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent, "a repeat is harmless");
        await (await Register(person, Token(link))).Problem(403, "invitation-needed");
        (await List()).Single(it => it.Id == invitation.Id).Status.ShouldBe("withdrawn");
        await (await fixture.Office.Admin.DeleteAsync($"invitations/{Guid.NewGuid()}", Cancel)).Problem(404, "no-such-invitation");
    }

    [Fact]
    public async Task Only_administrators_invite_and_only_to_an_address()
    {
        await (await fixture.Office.Freelancer.PostAsJsonAsync("invitations", new { email = "x@people.example" }, Cancel)).Problem(403, "forbidden");
        await (await fixture.Office.Auditor.GetAsync("invitations", Cancel)).Problem(403, "forbidden");
        await (await fixture.Office.Anonymous.GetAsync("invitations", Cancel)).Problem(401, "sign-in-required");
        (await (await fixture.Office.Admin.PostAsJsonAsync("invitations", new { email = "no address" }, Cancel)).Problem(422, "invalid")).Errors("email").ShouldHaveSingleItem();
        (await (await fixture.Office.Admin.PostAsJsonAsync("invitations", new { email = "x@y.example\nBcc: z@y.example" }, Cancel)).Problem(422, "invalid")).Errors("email").ShouldHaveSingleItem();
    }

    private async Task<IReadOnlyList<InvitationLine>> List() =>
        (await fixture.Office.Admin.GetFromJsonAsync<Api.Http.Page<InvitationLine>>("invitations", Api.Http.Json.Options, Cancel))!.Items;

    private static async Task<HttpResponseMessage> Register(OfficePerson person, string? invitation) => await person.Program().PostAsJsonAsync(
        "freelancer/register", new { handle = person.Handle, displayName = "Somebody", email = person.Email, password = OwnAccountOffice.Password, invitation }, Cancel);

    private static string Token(Uri link) => Uri.UnescapeDataString(link.Query["?invitation=".Length..]);
}
