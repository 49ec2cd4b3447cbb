using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;
using CaveComm.EventStore;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Shouldly;

namespace CaveComm.Tests.Identity;

/// <summary>Two at once who write an account's secrets: nobody brings back what the other has just replaced.</summary>
public sealed class SecretRaceTests(GuessSite fixture) : IClassFixture<GuessSite>
{
    private const string New = "another-Lamp-3-orchard";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IDocumentStore Store => fixture.Services.GetRequiredService<IDocumentStore>();

    private AccountHandling Handling => fixture.Services.GetRequiredService<AccountHandling>();

    [Theory]
    [InlineData(RivalStore.AfterRead)]
    [InlineData(RivalStore.BeforeSave)]
    public async Task A_password_that_is_changed_while_the_old_one_is_hashed_anew_stays_changed(string moment)
    {
        var (_, account) = await fixture.NewPerson();
        var rival = new RivalStore(Store, moment, () => Handling.SetPassword(account, New, "by the owner", "test", Cancel));

        (await Costlier(rival).IsPassword(account, IdentitySite.Password, Cancel)).ShouldBeTrue("it was right when it was looked at");

        rival.Came.ShouldBeTrue();
        (await Handling.IsPassword(account, New, Cancel)).ShouldBeTrue();
        (await Handling.IsPassword(account, IdentitySite.Password, Cancel)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_password_is_hashed_anew_once_and_ends_no_session()
    {
        var (_, account) = await fixture.NewPerson();
        var costlier = Costlier(Store);
        (await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => costlier.IsPassword(account, IdentitySite.Password, Cancel)))).ShouldAllBe(it => it);
        (await costlier.IsPassword(account, IdentitySite.Password, Cancel)).ShouldBeTrue();

        await using var session = Store.QuerySession();
        var events = await session.Events.FetchStreamAsync(Domain.StreamKey.Account(account), token: Cancel);
        events.Count(it => it.Data is AccountEvent.PasswordRehashed).ShouldBe(1);
        (await session.Events.AggregateStreamAsync<Account>(Domain.StreamKey.Account(account), token: Cancel))!.SessionsGeneration.ShouldBe(0);
    }

    [Theory]
    [InlineData(RivalStore.AfterRead)]
    [InlineData(RivalStore.BeforeSave)]
    public async Task Recovery_codes_that_are_made_while_a_code_is_taken_stay_the_good_ones(string moment)
    {
        var (caller, secret, old) = await WithSecondFactor();
        IReadOnlyList<string> made = [];
        var rival = new RivalStore(Store, moment, async () => (made, _) = await Factors.MakeRecoveryCodes(caller, Cancel));

        (await Beside(rival).Use(caller.AccountId, AuthenticatorApp.Code(secret, Step), Cancel)).ShouldBe(CodeCheck.Right);

        rival.Came.ShouldBeTrue();
        (await Factors.Use(caller.AccountId, old[0], Cancel)).ShouldBe(CodeCheck.Wrong);
        (await Factors.Use(caller.AccountId, made[0], Cancel)).ShouldBe(CodeCheck.Right);
    }

    [Theory]
    [InlineData(RivalStore.AfterRead)]
    [InlineData(RivalStore.BeforeSave)]
    public async Task A_code_is_good_once_however_slow_the_second_who_sends_it(string moment)
    {
        var (caller, secret, _) = await WithSecondFactor();
        var code = AuthenticatorApp.Code(secret, Step);
        var rival = new RivalStore(Store, moment, async () =>
        {
            (await Factors.Use(caller.AccountId, code, Cancel)).ShouldBe(CodeCheck.Right);
            (await Factors.Use(caller.AccountId, AuthenticatorApp.Code(secret, Step + 1), Cancel)).ShouldBe(CodeCheck.Right);
        });

        (await Beside(rival).Use(caller.AccountId, code, Cancel)).ShouldBe(CodeCheck.UsedBefore);

        rival.Came.ShouldBeTrue();
    }

    [Theory]
    [InlineData(RivalStore.AfterRead)]
    [InlineData(RivalStore.BeforeSave)]
    public async Task A_second_factor_that_is_turned_off_while_a_code_is_taken_stays_off(string moment)
    {
        var (caller, secret, _) = await WithSecondFactor();
        var rival = new RivalStore(Store, moment, () => Factors.TurnOff(caller, _ => Task.CompletedTask, Cancel));

        (await Beside(rival).Use(caller.AccountId, AuthenticatorApp.Code(secret, Step), Cancel)).ShouldBe(CodeCheck.Wrong);

        rival.Came.ShouldBeTrue();
        await using var session = Store.QuerySession();
        (await session.LoadAsync<SecondFactor>($"{caller.AccountId:D}", Cancel)).ShouldBeNull();
    }

    private SecondFactors Factors => fixture.Services.GetRequiredService<SecondFactors>();

    private long Step => Totp.StepAt(fixture.Time.GetUtcNow());

    private SecondFactors Beside(RivalStore rival)
    {
        var passwords = fixture.Services.GetRequiredService<Passwords>();
        var handling = new AccountHandling(rival, passwords, fixture.Services.GetRequiredService<Accounts>(), fixture.Time);
        return new(handling, fixture.Services.GetRequiredService<IDataProtectionProvider>(), fixture.Time);
    }

    private async Task<(Caller Caller, string Secret, IReadOnlyList<string> RecoveryCodes)> WithSecondFactor()
    {
        var (username, account) = await fixture.NewPerson();
        var caller = new Caller(account, username, username, new HashSet<string>());
        var offer = Factors.Offer(caller);
        var (codes, refusal) = await Factors.TurnOn(caller, offer.Setup, AuthenticatorApp.Code(offer.Secret, Step - 1), _ => Task.CompletedTask, Cancel);
        refusal.ShouldBeNull();
        return (caller, offer.Secret, codes);
    }

    /// <summary>A later version of the product, for which the hashes of now are too cheap.</summary>
    private AccountHandling Costlier(IDocumentStore store) =>
        new(store, new Passwords(Options.Create(new PasswordHasherOptions { IterationCount = 200 })), fixture.Services.GetRequiredService<Accounts>(), fixture.Time);
}
