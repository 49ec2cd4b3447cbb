using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Npgsql;
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

        (await it.Database.Scalar<long>("select count(*) from mt_events")).ShouldBe(0);
        (await Keys("key is null and erased_at is not null")).ShouldBe(1);
    }

    [Fact]
    public async Task Nothing_begins_for_somebody_erased_elsewhere_whose_key_is_remembered_here()
    {
        await it.Append("other", new Told("news/1", Secret));
        await using (var elsewhere = it.AnotherNode(Sealing))
        {
            await using var session = elsewhere.LightweightSession();
            elsewhere.Personal.Erase(session, "news/1");
            await session.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        await Should.ThrowAsync<PersonalDataErasedException>(() => Start("news/1"));

        (await Keys("key is null and erased_at is not null")).ShouldBe(1);
    }

    [Fact]
    public async Task All_that_one_save_says_of_somebody_new_is_sealed_with_one_key()
    {
        await using (var session = it.Store.LightweightSession())
        {
            session.Events.StartStream<Told>("news/1", new Told("news/1", Secret), new Told("news/1", Secret));
            session.Events.Append("about", new Told("news/1", Secret));
            await session.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        (await Keys()).ShouldBe(1);
        await using var fresh = it.AnotherNode(Sealing);
        (await Bodies("news/1", fresh)).ShouldBe([Secret, Secret]);
        (await Bodies("about", fresh)).ShouldBe([Secret]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_two_who_begin_one_stream_at_once_one_does_and_its_key_opens_it(bool isUndone)
    {
        await using var first = it.Store.LightweightSession();
        first.Events.StartStream<Told>("news/1", new Told("news/1", "the first"));
        var (gate, saving) = await Hold(first, isUndone);
        await using var other = it.AnotherNode(Sealing);

        var second = Save(other, session => session.Events.StartStream<Told>("news/1", new Told("news/1", "the second")));
        await gate.SomebodyWaits("the second");
        await gate.Open();

        if (isUndone)
        {
            await Should.ThrowAsync<PostgresException>(() => saving);
            await second;
        }
        else
        {
            await saving;
            await Should.ThrowAsync<ExistingStreamIdCollisionException>(() => second);
        }

        await OpensEverywhere("news/1", isUndone ? "the second" : "the first", other);
        (await Keys()).ShouldBe(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_tells_of_somebody_who_is_just_beginning_waits_for_the_key(bool isUndone)
    {
        await using var first = it.Store.LightweightSession();
        first.Events.StartStream<Told>("news/1", new Told("news/1", Secret));
        var (gate, saving) = await Hold(first, isUndone);
        await using var other = it.AnotherNode(Sealing);

        var telling = Save(other, session => session.Events.Append("about", new Told("news/1", "told meanwhile")));
        await gate.SomebodyWaits("the other");
        await gate.Open();
        await (isUndone ? Should.ThrowAsync<PostgresException>(() => saving) : saving);
        await telling;
        if (isUndone)
        {
            await Start("news/1");
        }

        await OpensEverywhere("news/1", Secret, other);
        await OpensEverywhere("about", "told meanwhile", other);
        (await Keys()).ShouldBe(1);
    }

    [Fact]
    public async Task An_erasure_waits_for_who_is_just_beginning_and_takes_the_key()
    {
        await using var first = it.Store.LightweightSession();
        first.Events.StartStream<Told>("news/1", new Told("news/1", Secret));
        var (gate, saving) = await Hold(first, isUndone: false);

        var erasing = Save(it.Store, session => it.Store.Personal.Erase(session, "news/1"));
        await gate.SomebodyWaits("the erasure");
        await gate.Open();
        await Task.WhenAll(saving, erasing);

        (await Read("news/1", it.Store)).Body.ShouldBe(IPersonalData.Erased);
        (await Keys("key is null")).ShouldBe(1);
    }

    [Fact]
    public async Task What_joined_a_save_whose_key_was_there_is_written_and_told_once()
    {
        await it.Append("other", new Told("news/1", Secret));
        await it.Database.Execute("create table joined (at timestamptz)");
        var row = new Row("insert into joined values (now())");

        await Save(it.Store, session =>
        {
            session.Events.StartStream<Told>("news/1", new Told("news/1", Secret));
            ((ISessionTransaction)session).Enlist(row);
        });

        (await it.Database.Scalar<long>("select count(*) from joined")).ShouldBe(1);
        row.Told.ShouldBe(1);
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

    private static async Task<string[]> Bodies(string key, DocumentStore store)
    {
        await using var session = store.QuerySession();
        return [.. (await session.Events.FetchStreamAsync(key, token: TestContext.Current.CancellationToken)).Select(happened => ((Told)happened.Data).Body)];
    }

    private static async Task Save(DocumentStore store, Action<IDocumentSession> write)
    {
        await using var session = store.LightweightSession();
        write(session);
        await session.SaveChangesAsync(TestContext.Current.CancellationToken);
    }

    private Task Start(string key) => Save(it.Store, session => session.Events.StartStream<Told>(key, new Told(key, Secret)));

    /// <summary>Begins a save that has made its key and waits; it is undone when it goes on, or commits.</summary>
    private async Task<(Gate Gate, Task Saving)> Hold(IDocumentSession session, bool isUndone)
    {
        var gate = new Gate(it.Database);
        var saving = await gate.Hold(session, isUndone ? new Row("select 1 / 0") : null);
        return (gate, saving);
    }

    /// <summary>By the nodes that took part, which may remember a key, and by one that knows only what is stored.</summary>
    private async Task OpensEverywhere(string key, string body, DocumentStore other)
    {
        await using var fresh = it.AnotherNode(Sealing);
        foreach (var node in new[] { it.Store, other, fresh })
        {
            (await Bodies(key, node)).ShouldBe([body]);
        }
    }

    private Task<long> Keys(string such = "true") => it.Database.Scalar<long>($"select count(*) from cavecomm_personal_key where subject like 'news/%' and {such}");

    private sealed class Row(string sql) : ITransactionParticipant
    {
        public int Told { get; private set; }

        public void AddTo(NpgsqlBatch batch) => batch.BatchCommands.Add(new(sql));

        public Exception? Translate(PostgresException error) => null;

        public void Committed() => Told++;
    }
}
