using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;
using CaveComm.EventStore;
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

    /// <summary>A later version of the product, for which the hashes of now are too cheap.</summary>
    private AccountHandling Costlier(IDocumentStore store) =>
        new(store, new Passwords(Options.Create(new PasswordHasherOptions { IterationCount = 200 })), fixture.Services.GetRequiredService<Accounts>(), fixture.Time);
}
