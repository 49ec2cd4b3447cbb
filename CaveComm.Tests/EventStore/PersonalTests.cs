using System.Diagnostics;
using System.Text.Json;
using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.EventStore;

/// <summary>Personal data in events is sealed with a key per person, and gone for good when that key is destroyed.</summary>
public sealed class PersonalTests : IAsyncLifetime
{
    private const string Secret = "Ada Lovelace";
    private static readonly byte[] Master = [.. Enumerable.Range(0, PersonalOptions.KeySize).Select(it => (byte)it)];

    private StoreUnderTest it = null!;

    public sealed record Person(Guid Id, string Name, int Age);

    public sealed record Moved(Person Who, string To, IReadOnlyDictionary<string, string> Answers, IReadOnlyList<string> Notes);

    /// <summary>The same shape, stored open.</summary>
    public sealed record Announced(string Title, IReadOnlyList<string> Lines);

    public ValueTask InitializeAsync() => Make();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    private async ValueTask Make() => it = await StoreUnderTest.Create(Sealing);

    [Fact]
    public async Task A_sealed_text_is_nowhere_in_the_database_and_is_read_as_it_was_written()
    {
        var ada = Some(Guid.NewGuid());
        await it.Append("move/1", ada);

        (await Dump()).ShouldNotContain(Secret);
        (await Dump()).ShouldNotContain("engine");
        (await Dump()).ShouldContain("London", customMessage: "What no rule names stays readable.");
        Same(await Read<Moved>("move/1"), ada);
        Same(await Read<Moved>("move/1", it.AnotherNode(Sealing)), ada);
    }

    [Fact]
    public async Task Types_and_shape_of_the_stored_json_stay()
    {
        await it.Append("move/1", Some(Guid.NewGuid()));

        var stored = JsonDocument.Parse(await it.Database.Scalar<string>("select data::text from mt_events")).RootElement;
        stored.GetProperty("who").GetProperty("name").GetString()!.ShouldStartWith("sealed:1:person:");
        stored.GetProperty("who").GetProperty("age").GetInt32().ShouldBe(36);
        stored.GetProperty("notes").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task What_was_sealed_for_somebody_erased_reads_as_erased_and_others_are_untouched()
    {
        var (ada, grace) = (Guid.NewGuid(), Guid.NewGuid());
        await it.Append("move/1", Some(ada));
        await it.Append("move/2", Some(grace));

        await Erase(ada);

        var read = await Read<Moved>("move/1");
        read.Who.ShouldBe(new Person(ada, IPersonalData.Erased, 36));
        read.Answers["machine"].ShouldBe(IPersonalData.Erased);
        read.Notes.ShouldBe([IPersonalData.Erased, IPersonalData.Erased]);
        read.To.ShouldBe("London");
        Same(await Read<Moved>("move/2"), Some(grace));
        (await it.Store.Personal.Find(Subject(ada), default)).ShouldNotBeNull().ErasedAt.ShouldNotBeNull();
        (await it.Store.Personal.ErasedSubjects("person:", default)).ShouldHaveSingleItem().Subject.ShouldBe(Subject(ada));
    }

    [Fact]
    public async Task Another_node_learns_of_an_erasure_when_its_memory_of_the_key_ends()
    {
        var ada = Guid.NewGuid();
        await it.Append("move/1", Some(ada));
        await using var other = it.AnotherNode(options =>
        {
            Sealing(options);
            options.Personal.KeyLifetime = TimeSpan.FromMilliseconds(50);
        });
        (await Read<Moved>("move/1", other)).Who.Name.ShouldBe(Secret);

        await Erase(ada);

        await Eventually.Holds("the key is forgotten", async () => (await Read<Moved>("move/1", other)).Who.Name == IPersonalData.Erased);
    }

    [Fact]
    public async Task Nothing_can_be_sealed_for_somebody_erased()
    {
        var ada = Guid.NewGuid();
        await it.Append("move/1", Some(ada));
        await using var other = it.AnotherNode(Sealing);
        (await Read<Moved>("move/1", other)).Who.Name.ShouldBe(Secret);
        await Erase(ada);

        await Should.ThrowAsync<PersonalDataErasedException>(() => it.Append("move/2", Some(ada)));

        // The other node still remembers the key; the transaction finds out.
        await using var session = other.LightweightSession();
        session.Events.Append("move/3", Some(ada));
        await Should.ThrowAsync<PersonalDataErasedException>(() => session.SaveChangesAsync());
        (await it.Database.Scalar<long>("select count(*) from mt_events")).ShouldBe(1);
    }

    [Fact]
    public async Task An_erasure_waits_for_who_is_sealing()
    {
        var ada = Guid.NewGuid();
        await it.Append("move/1", Some(ada));
        await using var session = it.Store.LightweightSession();
        session.Events.Append("move/2", Some(ada));
        var gate = new Gate(it.Database);
        var saving = await gate.Hold(session);

        var erasing = Erase(ada);
        await gate.SomebodyWaits("the erasure");
        await gate.Open();
        await Task.WhenAll(saving, erasing);

        (await Read<Moved>("move/2")).Who.Name.ShouldBe(IPersonalData.Erased);
    }

    [Fact]
    public async Task What_belongs_to_somebody_goes_with_them_and_at_once_when_they_are_gone()
    {
        var (ada, letter, late) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        await it.Append("move/1", Some(ada));
        await it.Append("move/2", Some(letter));
        await it.Append("move/3", Some(late));
        await Assign(letter, ada);

        await Erase(ada);
        await Assign(late, ada);

        await using var fresh = it.AnotherNode(Sealing);
        (await Read<Moved>("move/2", fresh)).Who.Name.ShouldBe(IPersonalData.Erased);
        (await Read<Moved>("move/3", fresh)).Who.Name.ShouldBe(IPersonalData.Erased);
    }

    [Theory]
    [InlineData("sealed:1:person:x:AAAA")]
    [InlineData("sealed:0:hello")]
    [InlineData("sealed:1:")]
    [InlineData("sealed:nonsense")]
    [InlineData("\"sealed:1:a:b\"")]
    public async Task What_users_type_is_never_taken_for_a_sealed_text(string typed)
    {
        var open = new Announced(typed, [typed, "and more"]);
        var closed = Some(Guid.NewGuid()) with { To = typed, Notes = [typed] };
        await it.Append("news/1", open);
        await it.Append("move/1", closed);

        Same(await Read<Announced>("news/1"), open);
        Same(await Read<Moved>("move/1"), closed);
    }

    [Fact]
    public async Task A_sealed_text_that_is_moved_to_another_event_does_not_open()
    {
        var ada = Guid.NewGuid();
        await it.Append("move/1", Some(ada));
        await it.Append("move/2", Some(ada));
        await it.Database.Execute("update mt_events t set data = jsonb_set(t.data, '{who}', s.data -> 'who') from mt_events s where t.stream_id = 'move/2' and s.stream_id = 'move/1'");

        await Should.ThrowAsync<EventUnreadableException>(() => Read<Moved>("move/2"));
        (await Read<Moved>("move/1")).Who.Name.ShouldBe(Secret);
    }

    [Fact]
    public async Task A_key_that_is_missing_is_no_erasure()
    {
        await it.Append("move/1", Some(Guid.NewGuid()));
        await it.Database.Execute("delete from cavecomm_personal_key");
        await using var fresh = it.AnotherNode(Sealing);

        (await Should.ThrowAsync<EventUnreadableException>(() => Read<Moved>("move/1", fresh))).Message.ShouldContain("missing");
    }

    [Fact]
    public async Task A_wrong_master_key_is_told_at_the_start()
    {
        await using var other = it.AnotherNode(options =>
        {
            Sealing(options);
            options.Personal.MasterKey = new byte[PersonalOptions.KeySize];
        });
        await Should.ThrowAsync<WrongMasterKeyException>(() => other.ApplyAllConfiguredChangesToDatabaseAsync());

        await using var none = it.AnotherNode(options =>
        {
            Sealing(options);
            options.Personal.MasterKey = null;
        });
        await Should.ThrowAsync<InvalidOperationException>(() => none.ApplyAllConfiguredChangesToDatabaseAsync());
    }

    [Fact]
    public async Task Of_many_who_need_a_key_at_once_all_use_one()
    {
        var ada = Guid.NewGuid();
        var nodes = Enumerable.Range(0, 4).Select(_ => it.AnotherNode(Sealing)).ToArray();
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async number =>
        {
            await using var session = nodes[number % nodes.Length].LightweightSession();
            session.Events.Append($"move/{number}", Some(ada));
            await session.SaveChangesAsync();
        }));

        await using var fresh = it.AnotherNode(Sealing);
        foreach (var number in Enumerable.Range(0, 40))
            (await Read<Moved>($"move/{number}", fresh)).Who.Name.ShouldBe(Secret);
    }

    [Fact]
    public async Task A_page_of_many_persons_asks_once_for_their_keys()
    {
        var people = Enumerable.Range(0, 20).Select(_ => Guid.NewGuid()).ToArray();
        await it.Append("move/1", [.. people.Select(Some)]);
        await using var fresh = it.AnotherNode(Sealing);
        await using var session = fresh.QuerySession();

        var asked = 0;
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = query =>
            {
                if (Tags(query).Contains(it.Database.Name, StringComparison.Ordinal) && Tags(query).Contains("from public.cavecomm_personal_key", StringComparison.Ordinal))
                    Interlocked.Increment(ref asked);
            },
        };
        ActivitySource.AddActivityListener(listener);
        var events = await session.Events.FetchStreamAsync("move/1", token: TestContext.Current.CancellationToken);

        events.Select(happened => ((Moved)happened.Data).Who.Id).ShouldBe(people);
        events.Select(happened => happened.Version).ShouldBe(Enumerable.Range(1, 20).Select(number => (long)number));
        asked.ShouldBe(1);

        static string Tags(Activity query) => string.Join(' ', query.TagObjects.Select(tag => tag.Value));
    }

    [Fact]
    public async Task An_unknown_event_is_opened_too()
    {
        await it.Append("move/1", Some(Guid.NewGuid()));
        await it.Database.Execute("update mt_events set type = 'long.forgotten'");

        (await Read<UnknownEvent>("move/1")).Json.GetProperty("who").GetProperty("name").GetString().ShouldBe(Secret);
    }

    private static void Sealing(StoreOptions options)
    {
        StoreUnderTest.Async(options);
        options.Events.MapEventType<Moved>("person.moved");
        options.Events.MapEventType<Announced>("news.announced");
        options.Personal.MasterKey = Master;
        options.Personal.Seal<Moved>(moved => Subject(moved.Who.Id), "who.name", "answers", "notes");
    }

    private static string Subject(Guid id) => $"person:{id:D}";

    private static Moved Some(Guid id) =>
        new(new(id, Secret, 36), "London", new Dictionary<string, string> { ["machine"] = "an \"engine\" + \u00e9\u4e2d\U0001F40E" }, ["fast", ""]);

    private static void Same(object read, object written) => StoreJson.Describe(read).ShouldBe(StoreJson.Describe(written));

    private async Task Erase(Guid id)
    {
        await using var session = it.Store.LightweightSession();
        it.Store.Personal.Erase(session, Subject(id));
        await session.SaveChangesAsync();
    }

    private async Task Assign(Guid id, Guid owner)
    {
        await using var session = it.Store.LightweightSession();
        it.Store.Personal.Assign(session, Subject(id), Subject(owner));
        await session.SaveChangesAsync();
    }

    private async Task<T> Read<T>(string key, DocumentStore? store = null)
    {
        await using var session = (store ?? it.Store).QuerySession();
        return (T)(await session.Events.FetchStreamAsync(key, token: TestContext.Current.CancellationToken)).ShouldHaveSingleItem().Data;
    }

    private Task<string> Dump() => it.Database.Scalar<string>(
        "select (select string_agg(e::text, ' ') from mt_events e) || (select string_agg(k::text, ' ') from cavecomm_personal_key k)");
}
