using System.Net;
using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Http;
using CaveComm.Tests.OAuth;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Identity;

/// <summary>Programs with a key or a secret that is not good: an auditor sees them, and they cannot fill the log.</summary>
public sealed class RefusedProgramTests(GuessSite fixture) : IClassFixture<GuessSite>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refused_key_is_in_the_log_with_its_account_and_without_itself()
    {
        var (_, account) = await fixture.NewPerson();
        var (revoked, digest) = ApiKeyText.NewSecret();
        await Change(account, new AccountCommand.MakeApiKey("Lost", [Scope.ReadCommissions], digest));
        await Change(account, new AccountCommand.RevokeApiKey(1));
        var address = fixture.NewAddress();
        await (await SendKey(address, ApiKeyText.Of(account, 1, revoked))).Problem(401, "sign-in-required");
        await (await SendKey(address, ApiKeyText.Of(Guid.NewGuid(), 1, revoked))).Problem(401, "sign-in-required");
        await (await SendKey(address, "cck_nonsense")).Problem(401, "sign-in-required");

        var told = await fixture.ToldOf(address);
        told.ShouldBe([Refused(account), Refused(null), Refused(null)]);

        SignInEvent Refused(Guid? of) => new SignInEvent.Refused(SignInRefusal.WrongKey, of, fixture.OriginOf(address));
    }

    [Fact]
    public async Task A_good_key_is_no_refusal()
    {
        var (_, account) = await fixture.NewPerson();
        var (secret, digest) = ApiKeyText.NewSecret();
        await Change(account, new AccountCommand.MakeApiKey("Good", [Scope.ReadAudit], digest));
        var address = fixture.NewAddress();
        (await SendKey(address, ApiKeyText.Of(account, 1, secret))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await fixture.ToldOf(address)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/oauth2/token")]
    [InlineData("/oauth2/introspect")]
    [InlineData("/oauth2/revoke")]
    public async Task A_client_with_a_wrong_secret_is_in_the_log_and_one_that_nobody_knows_without_its_name(string path)
    {
        var address = fixture.NewAddress();
        (await SendSecret(address, path, OAuthTalk.Web, "not-its-secret")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await SendSecret(address, path, "typed-by-somebody", "not-its-secret")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await SendSecret(address, path, OAuthTalk.Web, OAuthTalk.WebSecret)).StatusCode.ShouldNotBe(HttpStatusCode.Unauthorized);

        (await fixture.ToldOf(address)).ShouldBe(
        [
            new SignInEvent.ClientRefused(SignInRefusal.WrongSecret, OAuthTalk.Web, fixture.OriginOf(address)),
            new SignInEvent.ClientRefused(SignInRefusal.UnknownClient, null, fixture.OriginOf(address)),
        ]);
    }

    [Fact]
    public async Task A_program_that_goes_on_for_ever_is_noted_and_then_counted()
    {
        var address = fixture.NewAddress();
        await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => SendKey(address, $"cck_{Guid.NewGuid():N}_1_x")));
        for (var later = 0; later < 30; later++)
        {
            fixture.Time.Advance(TimeSpan.FromMinutes(1));
            (await SendSecret(address, "/oauth2/token", "typed-by-somebody", "x")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized, "no key and no secret is ever kept waiting");
        }

        var told = await fixture.ToldOf(address);
        told.OfType<SignInEvent.Refused>().Count().ShouldBe(GuessLimits.Most);
        told.OfType<SignInEvent.Limited>().ShouldHaveSingleItem().Limit.ShouldBe("program");
        told.Count.ShouldBe(GuessLimits.Most + 1);
        await (await fixture.SignIn(address, "nobody", "wrong-password")).Problem(401, "wrong-credentials");
    }

    private Task<HttpResponseMessage> SendKey(string address, string key) =>
        fixture.Site.Send(HttpMethod.Get, "/audit/things", headers: [("X-Forwarded-For", address), ("Authorization", $"Bearer {key}")]);

    private Task<HttpResponseMessage> SendSecret(string address, string path, string client, string secret) => fixture.Site.Send(
        HttpMethod.Post, path, TestSite.FormBody(("client_id", client), ("client_secret", secret), ("grant_type", "client_credentials"), ("token", "x")),
        headers: [("X-Forwarded-For", address)]);

    private Task Change(Guid account, AccountCommand command) => fixture.Services.GetRequiredService<AccountHandling>().Handle(account, command, "test", Cancel);
}
