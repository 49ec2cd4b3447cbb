using CaveComm.EventStore;
using Shouldly;

namespace CaveComm.Tests.EventStore;

/// <summary>A stream that is its own subject is stored together with the key that its texts are sealed with.</summary>
public sealed class BornKeyTests : IAsyncLifetime
{
    private const string Secret = "the whole body";

    private StoreUnderTest it = null!;

    public sealed record Told(string Id, string Body);

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create(Sealing);

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task The_key_comes_with_the_stream_and_opens_it_everywhere()
    {
        await Start("news/1");

        (await it.Database.Scalar<string>("select data::text from mt_events")).ShouldNotContain(Secret);
        (await Keys()).ShouldBe(1);
        (await Read("news/1", it.Store)).Body.ShouldBe(Secret);
        await using var fresh = it.AnotherNode(Sealing);
        (await Read("news/1", fresh)).Body.ShouldBe(Secret);
    }

    [Fact]
    public async Task A_stream_that_is_there_is_told_as_that_and_keeps_its_key()
    {
        await Start("news/1");

        await Should.ThrowAsync<ExistingStreamIdCollisionException>(() => Start("news/1"));

        (await Keys()).ShouldBe(1);
        await using var fresh = it.AnotherNode(Sealing);
        (await Read("news/1", fresh)).Body.ShouldBe(Secret);
    }

    [Fact]
    public async Task What_is_undone_leaves_no_key()
    {
        await Start("news/1");
        await using var session = it.Store.LightweightSession();
        session.Events.StartStream<Told>("news/0", new Told("news/0", Secret));
        session.Events.StartStream<Told>("news/1", new Told("news/1", Secret));

        await Should.ThrowAsync<ExistingStreamIdCollisionException>(() => session.SaveChangesAsync(TestContext.Current.CancellationToken));

        (await Keys()).ShouldBe(1);
    }

    [Fact]
    public async Task A_key_that_was_left_there_before_is_used()
    {
        await it.Append("other", new Told("news/1", Secret)); // Made the key, and is no beginning of its stream.

        await Start("news/1");

        (await Keys()).ShouldBe(1);
        await using var fresh = it.AnotherNode(Sealing);
        (await Read("news/1", fresh)).Body.ShouldBe(Secret);
        (await Read("other", fresh)).Body.ShouldBe(Secret);
    }

    [Fact]
    public async Task Nothing_begins_for_somebody_erased()
    {
        await using (var session = it.Store.LightweightSession())
        {
            it.Store.Personal.Erase(session, "news/1");
            await session.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        await Should.ThrowAsync<PersonalDataErasedException>(() => Start("news/1"));
    }

    private static void Sealing(StoreOptions options)
    {
        StoreUnderTest.Async(options);
        options.Events.MapEventType<Told>("news.told");
        options.Personal.MasterKey = new byte[PersonalOptions.KeySize];
        options.Personal.Seal<Told>(told => told.Id, "body");
    }

    private static async Task<Told> Read(string key, DocumentStore store)
    {
        await using var session = store.QuerySession();
        return (Told)(await session.Events.FetchStreamAsync(key, token: TestContext.Current.CancellationToken)).ShouldHaveSingleItem().Data;
    }

    private async Task Start(string key)
    {
        await using var session = it.Store.LightweightSession();
        session.Events.StartStream<Told>(key, new Told(key, Secret));
        await session.SaveChangesAsync(TestContext.Current.CancellationToken);
    }

    private Task<long> Keys() => it.Database.Scalar<long>("select count(*) from cavecomm_personal_key where subject like 'news/%'");
}
