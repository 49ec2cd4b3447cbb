using System.Text.Json;
using CaveComm.EventStore;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>E8: what was stored in an old shape is read as the record of today.</summary>
public sealed class UpcastTests : IAsyncLifetime
{
    // As the first code wrote them.
    private const string WeighedInKilograms = """{"kilograms": 1.25}""";
    private const string PackedForTwo = """{"owner": {"first": "anna", "last": "berg"}, "items": 3}""";
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create(options =>
    {
        StoreUnderTest.Async(options);
        options.Events.Upcast<OldWeighed, Weighed>("parcel.weighed-1", old => new((long)(old.Kilograms * 1000)));
        options.Events.Upcast<JsonDocument, Packed>("parcel.packed-1", old => new(
            old.RootElement.GetProperty("owner").GetProperty("first").GetString()!, old.RootElement.GetProperty("items").GetInt32()));
    });

    public ValueTask DisposeAsync() => it.DisposeAsync();

    public sealed record OldWeighed(decimal Kilograms);

    [Fact]
    public async Task Old_shapes_are_folded_as_those_of_today()
    {
        await Store("parcel.packed-1", 1, PackedForTwo);
        await Store("parcel.weighed-1", 2, WeighedInKilograms);
        await it.Append("parcel/1", new Weighed(1300));
        await using var session = it.Store.LightweightSession();

        var events = await session.Events.FetchStreamAsync("parcel/1");

        events.Select(e => e.Data).ShouldBe([new Packed("anna", 3), new Weighed(1250), new Weighed(1300)]);
        events.Select(e => e.EventTypeName).ShouldBe(["parcel.packed-1", "parcel.weighed-1", "parcel.weighed"]);
        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        var parcel = (await session.LoadAsync<Parcel>("parcel/1")).ShouldNotBeNull();
        (parcel.Owner, parcel.Grams).ShouldBe(("anna", 1300));
    }

    [Fact]
    public async Task What_is_stored_stays_as_it_was()
    {
        await Store("parcel.packed-1", 1, PackedForTwo);
        await using var session = it.Store.LightweightSession();
        await session.Events.FetchStreamAsync("parcel/1");

        (await it.Database.Scalar<bool>($"select data = '{PackedForTwo}'::jsonb and type = 'parcel.packed-1' from mt_events")).ShouldBeTrue();
    }

    [Fact]
    public async Task An_old_event_that_does_not_fit_its_upcaster_troubles_only_who_asks_for_it()
    {
        await Store("parcel.packed-1", 1, """{"items": 3}""");
        await Store("parcel.weighed", 2, """{"grams": 5}""");
        await using var session = it.Store.LightweightSession();

        var events = await session.Events.FetchStreamAsync("parcel/1");

        events[1].Data.ShouldBe(new Weighed(5));
        Should.Throw<EventUnreadableException>(() => events[0].Data).Message.ShouldContain("parcel.packed-1");
    }

    [Fact]
    public void A_name_is_either_todays_or_an_old_one()
    {
        var options = new StoreOptions();
        options.Events.MapEventType<Weighed>("parcel.weighed");
        options.Events.Upcast<OldWeighed, Weighed>("parcel.weighed-1", old => new((long)old.Kilograms));
        Should.Throw<ArgumentException>(() => options.Events.Upcast<OldWeighed, Weighed>("parcel.weighed", old => new(0)));
        Should.Throw<ArgumentException>(() => options.Events.Upcast<OldWeighed, Weighed>("parcel.weighed-1", old => new(0)));
        Should.Throw<ArgumentException>(() => options.Events.MapEventType<Sent>("parcel.weighed-1"));
    }

    private Task Store(string alias, int version, string json) => it.Database.Execute(
        $"""
        insert into mt_streams (id, version) values ('parcel/1', {version}) on conflict (id) do update set version = excluded.version;
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp)
        values (nextval('mt_events_sequence'), gen_random_uuid(), 'parcel/1', {version}, '{json}', '{alias}', now())
        """);
}
