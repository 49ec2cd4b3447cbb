using CaveComm.EventStore;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

public sealed class AppendTests : IAsyncLifetime
{
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task A_started_stream_reads_as_it_was_written()
    {
        await using var session = it.Store.LightweightSession();
        session.LastModifiedBy = "anna";
        session.CorrelationId = "request-1";
        session.CausationId = "message-1";
        var action = session.Events.StartStream<Parcel>("parcel/1", new Packed("anna", 2), new Weighed(700));
        await session.SaveChangesAsync();

        var events = await session.Events.FetchStreamAsync("parcel/1");
        events.Select(e => e.Data).ShouldBe([new Packed("anna", 2), new Weighed(700)]);
        events.Select(e => e.Version).ShouldBe([1, 2]);
        events.Select(e => e.Sequence).ShouldBe(action.Events.Select(e => e.Sequence));
        events.Select(e => e.Timestamp).ShouldBe(action.Events.Select(e => e.Timestamp));
        events.Select(e => e.Id).ShouldBe(action.Events.Select(e => e.Id));
        var first = events[0].ShouldBeAssignableTo<IEvent<Packed>>()!;
        first.Data.Items.ShouldBe(2);
        first.EventTypeName.ShouldBe("parcel.packed");
        first.DotNetTypeName.ShouldBe("CaveComm.Tests.EventStore.ParcelEvent+Packed, CaveComm.Tests");
        first.StreamKey.ShouldBe("parcel/1");
        first.CorrelationId.ShouldBe("request-1");
        first.CausationId.ShouldBe("message-1");
        first.Headers.ShouldNotBeNull()["actor"].ShouldBe("anna");
        first.TenantId.ShouldBe("*DEFAULT*");
        first.IsArchived.ShouldBeFalse();
        (await it.Database.Scalar<string>("select type from mt_streams where id = 'parcel/1'")).ShouldBe("parcel");
        (await session.Events.FetchStreamStateAsync("parcel/1"))!.Version.ShouldBe(2);
        (await session.Events.FetchStreamStateAsync("parcel/2")).ShouldBeNull();
    }

    [Fact]
    public async Task Starting_a_stream_that_exists_fails_and_writes_nothing()
    {
        await it.Append("parcel/1", new Packed("anna", 2));
        await using var session = it.Store.LightweightSession();
        session.Events.StartStream<Parcel>("parcel/1", new Packed("bert", 1));
        session.Events.Append("parcel/0", new Packed("bert", 1));
        session.Store(new Note("1", "lost"));

        var collision = await Should.ThrowAsync<ExistingStreamIdCollisionException>(() => session.SaveChangesAsync());

        collision.Id.ShouldBe("parcel/1");
        (await it.Database.Scalar<long>("select count(*) from mt_events")).ShouldBe(1);
        (await session.LoadAsync<Note>("1")).ShouldBeNull();
    }

    [Fact]
    public async Task A_writer_that_read_an_older_version_is_told_so()
    {
        await it.Append("parcel/1", new Packed("anna", 2));
        await using var first = it.Store.LightweightSession();
        await using var second = it.Store.LightweightSession();
        var one = await first.Events.FetchForWriting<Parcel>("parcel/1");
        var other = await second.Events.FetchForWriting<Parcel>("parcel/1");
        one.AppendOne(new Weighed(1));
        other.AppendMany(new Weighed(2), new Weighed(3));
        await first.SaveChangesAsync();

        await Should.ThrowAsync<EventStreamUnexpectedMaxEventIdException>(() => second.SaveChangesAsync());

        one.StartingVersion.ShouldBe(1);
        one.CurrentVersion.ShouldBe(2);
        (await first.Events.FetchStreamAsync("parcel/1")).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Two_writers_that_both_found_no_stream_cannot_both_begin_it()
    {
        await using var first = it.Store.LightweightSession();
        await using var second = it.Store.LightweightSession();
        (await first.Events.FetchForWriting<Parcel>("parcel/1")).AppendOne(new Packed("anna", 1));
        (await second.Events.FetchForWriting<Parcel>("parcel/1")).AppendOne(new Packed("bert", 1));
        await first.SaveChangesAsync();

        await Should.ThrowAsync<EventStreamUnexpectedMaxEventIdException>(() => second.SaveChangesAsync());
    }

    [Fact]
    public async Task An_expected_version_is_the_one_after_the_append()
    {
        await using var session = it.Store.LightweightSession();
        session.Events.Append("parcel/1", 2, new Packed("anna", 1), new Weighed(1));
        await session.SaveChangesAsync();
        session.Events.Append("parcel/1", 3, new Weighed(2));
        await session.SaveChangesAsync();
        session.Events.Append("parcel/1", 3, new Weighed(3));

        await Should.ThrowAsync<EventStreamUnexpectedMaxEventIdException>(() => session.SaveChangesAsync());
        await Should.ThrowAsync<EventStreamUnexpectedMaxEventIdException>(() => session.Events.FetchForWriting<Parcel>("parcel/1", 2));
    }

    [Fact]
    public async Task A_session_and_its_stream_can_be_saved_more_than_once()
    {
        await using var session = it.Store.LightweightSession();
        var stream = await session.Events.FetchForWriting<Parcel>("parcel/1");
        stream.AppendOne(new Packed("anna", 1));
        await session.SaveChangesAsync();
        stream.AppendOne(new Weighed(5));
        await session.SaveChangesAsync();
        await session.SaveChangesAsync();

        stream.Events.Select(e => e.Version).ShouldBe([1, 2]);
        (await session.Events.AggregateStreamAsync<Parcel>("parcel/1"))!.Versions.ShouldBe([1, 2]);
    }

    [Fact]
    public async Task Appending_to_one_stream_twice_in_a_session_keeps_the_order()
    {
        await using var session = it.Store.LightweightSession();
        session.Events.StartStream<Parcel>("parcel/1", new Packed("anna", 1));
        session.Events.Append("parcel/1", new Weighed(5));
        await session.SaveChangesAsync();

        (await session.Events.FetchStreamAsync("parcel/1")).Select(e => e.Data).ShouldBe([new Packed("anna", 1), new Weighed(5)]);
    }

    [Fact]
    public async Task A_type_without_a_name_fails_at_the_append_and_says_what_to_do()
    {
        await using var session = it.Store.LightweightSession();
        var forgotten = Should.Throw<UnmappedEventTypeException>(() => session.Events.Append("parcel/1", new Packed("anna", 1), new Unnamed()));
        forgotten.Message.ShouldContain("MapEventType");
        await session.SaveChangesAsync();
        (await it.Database.Scalar<long>("select count(*) from mt_events")).ShouldBe(0);
    }

    [Fact]
    public async Task Another_missing_value_is_not_taken_for_a_lost_race()
    {
        await it.Database.Execute("alter table mt_events add constraint named check (type <> 'parcel.sent')");
        await Should.ThrowAsync<Npgsql.PostgresException>(() => it.Append("parcel/1", new Sent(DateTimeOffset.UnixEpoch)));
        await it.Database.Execute("alter table mt_events alter column correlation_id set not null");
        await Should.ThrowAsync<Npgsql.PostgresException>(() => it.Append("parcel/1", new Packed("anna", 1)));
    }

    [Fact]
    public async Task Time_is_the_clocks_and_versions_and_moments_can_be_travelled_to()
    {
        var clock = new SettableClock(new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
        var store = it.AnotherNode(options =>
        {
            StoreUnderTest.Async(options);
            options.Time = clock;
        });
        await using var session = store.LightweightSession();
        foreach (var grams in new long[] { 1, 2, 3 })
        {
            session.Events.Append("parcel/1", grams == 1 ? new Packed("anna", 1) : new Weighed(grams));
            await session.SaveChangesAsync();
            clock.Now += TimeSpan.FromHours(1);
        }

        var start = new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
        (await session.Events.FetchStreamAsync("parcel/1")).Select(e => e.Timestamp).ShouldBe([start, start.AddHours(1), start.AddHours(2)]);
        (await session.Events.AggregateStreamAsync<Parcel>("parcel/1", version: 2))!.Grams.ShouldBe(2);
        (await session.Events.AggregateStreamAsync<Parcel>("parcel/1", timestamp: start.AddMinutes(59)))!.Grams.ShouldBe(0);
        (await session.Events.FetchStreamAsync("parcel/1", fromVersion: 2)).Select(e => e.Version).ShouldBe([2, 3]);
        (await session.Events.AggregateStreamAsync<Parcel>("parcel/9")).ShouldBeNull();
    }

    [Fact]
    public async Task An_event_of_an_unknown_name_stays_readable()
    {
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(5));
        await it.Database.Execute("update mt_events set type = 'parcel.forgotten' where version = 2");
        await using var session = it.Store.LightweightSession();

        var unknown = (await session.Events.FetchStreamAsync("parcel/1"))[1].Data.ShouldBeOfType<UnknownEvent>();

        unknown.Alias.ShouldBe("parcel.forgotten");
        unknown.Json.GetProperty("grams").GetInt64().ShouldBe(5);
        await Should.ThrowAsync<UnknownEventTypeException>(() => session.Events.AggregateStreamAsync<Parcel>("parcel/1"));
        (await session.Events.AggregateStreamAsync<Parcel>("parcel/1", version: 1))!.Versions.ShouldBe([1]);
    }

    private sealed class SettableClock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
