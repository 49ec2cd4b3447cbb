using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>E7: an event that a projection cannot apply holds up its own view, and no other.</summary>
public sealed class ParkingTests : IAsyncLifetime
{
    private readonly TouchyProjection touchy = new();
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create(Configure);

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task The_key_waits_before_the_poison_its_later_events_wait_behind_it_and_all_else_flows()
    {
        var daemon = await it.StartDaemon();
        var poison = (await it.Append("parcel/1", new Packed("anna", 1), new Weighed(-1), new Weighed(2)))[1];
        await it.Append("parcel/2", new Packed("anna", 1));
        await it.Append("parcel/1", new Weighed(3));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await View("parcel/1")).ShouldBe(new("parcel/1", "Packed"));
        (await View("parcel/2")).ShouldBe(new("parcel/2", "Packed"));
        var parked = (await it.Store.ProjectionOperations.Parked("TouchyProjection", CancellationToken.None)).ShouldHaveSingleItem();
        parked.Key.ShouldBe("parcel/1");
        parked.EventId.ShouldBe(poison.Id);
        parked.Sequence.ShouldBe(poison.Sequence);
        parked.Reason.ShouldBe("Negative weight.");
        parked.Waiting.ShouldBe(3);
        (await Summary()).Parked.ShouldBe(1);
    }

    [Fact]
    public async Task A_retry_after_the_fix_goes_on_in_order_and_new_events_follow()
    {
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(-1), new Weighed(2));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        touchy.Touchy = false;

        (await it.Store.ProjectionOperations.Retry("TouchyProjection", null, CancellationToken.None)).ShouldBe(new(Resumed: 1, StillParked: 0));
        await it.Append("parcel/1", new Weighed(3));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        await Eventually.Holds("the view is whole", async () => (await View("parcel/1"))?.Story == "Packed, -1, 2, 3");
        (await Summary()).Parked.ShouldBe(0);
    }

    [Fact]
    public async Task A_retry_that_stumbles_again_stays_where_it_stumbles()
    {
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(-1), new Weighed(2));
        var second = (await it.Append("parcel/1", new Weighed(-7)))[0];
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        touchy.Limit = -5;

        (await it.Store.ProjectionOperations.Retry("TouchyProjection", "parcel/1", CancellationToken.None)).ShouldBe(new(Resumed: 0, StillParked: 1));

        (await View("parcel/1")).ShouldBe(new("parcel/1", "Packed, -1, 2"));
        var parked = (await it.Store.ProjectionOperations.Parked("TouchyProjection", CancellationToken.None)).ShouldHaveSingleItem();
        (parked.Sequence, parked.Waiting).ShouldBe((second.Sequence, 1));
    }

    [Fact]
    public async Task A_restart_forgets_no_parked_key()
    {
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(-1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await daemon.StopAllAsync();
        await daemon.StartAllAsync();

        await it.Append("parcel/1", new Weighed(2));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await View("parcel/1")).ShouldBe(new("parcel/1", "Packed"));
        (await it.Store.ProjectionOperations.Parked("TouchyProjection", CancellationToken.None)).ShouldHaveSingleItem().Waiting.ShouldBe(2);
    }

    [Fact]
    public async Task Retries_in_the_midst_of_appends_lose_and_reorder_nothing()
    {
        var daemon = await it.StartDaemon();
        for (var i = 1; i <= 60; i++)
        {
            touchy.Touchy = i % 3 == 0;
            await it.Append("parcel/1", i == 1 ? new Packed("anna", 1) : new Weighed(-i));
            if (i % 4 == 0)
                await it.Store.ProjectionOperations.Retry("TouchyProjection", null, CancellationToken.None);
        }

        touchy.Touchy = false;
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await it.Store.ProjectionOperations.Retry("TouchyProjection", null, CancellationToken.None);
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        await Eventually.Holds("the view is whole", async () =>
            (await View("parcel/1"))?.Story == string.Join(", ", Enumerable.Range(2, 59).Select(i => $"-{i}").Prepend("Packed")));
    }

    [Fact]
    public async Task An_event_that_nobody_has_a_type_for_parks_its_key_and_stays_readable()
    {
        touchy.Touchy = false;
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(1));
        await it.Database.Execute("update mt_events set type = 'parcel.lost' where version = 2");
        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await View("parcel/1")).ShouldBe(new("parcel/1", "Packed"));
        (await it.Store.ProjectionOperations.Parked("TouchyProjection", CancellationToken.None)).ShouldHaveSingleItem().Reason.ShouldContain("parcel.lost");
        await using var session = it.Store.LightweightSession();
        (await session.Events.FetchStreamAsync("parcel/1"))[1].Data.ShouldBeOfType<UnknownEvent>().Json.GetProperty("grams").GetInt64().ShouldBe(1);

        // Nobody decides without knowing what happened.
        await Should.ThrowAsync<UnknownEventTypeException>(() => session.Events.FetchForWriting<Parcel>("parcel/1"));
    }

    [Fact]
    public async Task What_waits_for_its_type_goes_on_at_a_node_that_knows_it()
    {
        touchy.Touchy = false;
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(1), new Weighed(2));
        await it.Append("parcel/2", new Packed("anna", 1), new Weighed(-1));
        await it.Database.Execute("update mt_events set type = 'parcel.lost' where version = 2 and stream_id = 'parcel/1'");
        touchy.Touchy = true;
        var old = await it.StartDaemon();
        await old.WaitForNonStaleData(StoreUnderTest.Patience);
        (await it.Store.ProjectionOperations.Parked("TouchyProjection", CancellationToken.None)).Count.ShouldBe(2);
        await old.StopAllAsync();

        await it.StartDaemon(it.AnotherNode(options =>
        {
            Configure(options);
            options.Events.Upcast<Weighed, Weighed>("parcel.lost", lost => lost);
        }));

        await Eventually.Holds("the view is whole", async () => (await View("parcel/1"))?.Story == "Packed, 1, 2");
        (await it.Store.ProjectionOperations.Parked("TouchyProjection", CancellationToken.None)).ShouldHaveSingleItem().Reason.ShouldBe("Negative weight.");
    }

    [Fact]
    public async Task Data_that_does_not_fit_its_type_parks_only_who_reads_it()
    {
        touchy.Touchy = false;
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(1));
        await it.Database.Execute("""update mt_events set data = '{"owner": {}}' where version = 1""");
        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await it.Store.ProjectionOperations.Parked("TouchyProjection", CancellationToken.None)).ShouldHaveSingleItem().Waiting.ShouldBe(2);

        // Whose shelf it is on stands in the data that cannot be read.
        (await it.Store.ProjectionOperations.Parked("ShelfProjection", CancellationToken.None)).ShouldHaveSingleItem().Key.ShouldBe("event 1");
        await it.Database.Execute("""update mt_events set data = '{"owner": "anna", "items": 3}' where version = 1""");
        (await it.Store.ProjectionOperations.Retry("ShelfProjection", null, CancellationToken.None)).ShouldBe(new(1, 0));
        await using var session = it.Store.QuerySession();
        (await session.LoadAsync<Shelf>("anna"))!.Items.ShouldBe(3);
    }

    [Fact]
    public async Task Data_that_its_own_record_refuses_parks_its_key_and_stops_nobody()
    {
        await it.Append("parcel/1", new Packed("anna", 1), new Dented(1));
        await it.Database.Execute("update mt_events set data = '{\"depth\": -1}' where version = 2");
        await it.Append("parcel/2", new Packed("anna", 1), new Dented(1));
        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await it.Store.ProjectionOperations.Rebuild("TouchyProjection", null, CancellationToken.None);

        (await View("parcel/1")).ShouldBe(new("parcel/1", "Packed"));
        (await View("parcel/2")).ShouldBe(new("parcel/2", "Dented"));
        (await it.Store.ProjectionOperations.Parked("TouchyProjection", CancellationToken.None)).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            parked => parked.Key.ShouldBe("parcel/1"), parked => parked.Reason.ShouldContain("Dents go inwards."));
    }

    [Fact]
    public async Task A_paused_projection_keeps_what_it_has_until_it_is_resumed()
    {
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", 1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        await it.Store.ProjectionOperations.Pause("TouchyProjection", CancellationToken.None);
        await Eventually.Holds("it is paused", () => daemon.Shards.Single(shard => shard.Name == "TouchyProjection:All").State == ShardStatus.Paused);
        var later = (await it.Append("parcel/1", new Weighed(1)))[0];
        (await daemon.WaitForPosition<Parcel>(later.Sequence, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        (await View("parcel/1")).ShouldBe(new("parcel/1", "Packed"));
        var paused = await Summary();
        (paused.State, paused.LagEvents).ShouldBe(("paused", 1));
        paused.LagSeconds.ShouldBeGreaterThan(0);

        await it.Store.ProjectionOperations.Resume("TouchyProjection", CancellationToken.None);
        (await daemon.WaitForPosition<Touchy>(later.Sequence, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        (await View("parcel/1")).ShouldBe(new("parcel/1", "Packed, 1"));
        (await Summary()).State.ShouldBe("running");
    }

    [Fact]
    public async Task A_name_that_nobody_knows_is_answered_with_those_that_exist()
    {
        var unknown = await Should.ThrowAsync<UnknownProjectionException>(() => it.Store.ProjectionOperations.Pause("Nobody", CancellationToken.None));
        unknown.Known.ShouldContain("TouchyProjection");
    }

    private void Configure(StoreOptions options)
    {
        StoreUnderTest.Async(options);
        options.Projections.Add(touchy, ProjectionLifecycle.Async);
        options.Events.MapEventType<Dented>("parcel.dented");
    }

    private async Task<Touchy?> View(string key)
    {
        await using var session = it.Store.QuerySession();
        return await session.LoadAsync<Touchy>(key);
    }

    private async Task<ProjectionSummary> Summary() =>
        (await it.Store.ProjectionOperations.List(CancellationToken.None)).Single(found => found.Name == "TouchyProjection");

    /// <summary>An event whose record is stricter than what was stored once.</summary>
    public sealed record Dented(int Depth)
    {
        public int Depth { get; } = Depth < 0 ? throw new InvalidOperationException("Dents go inwards.") : Depth;
    }

    /// <param name="Story">Every event that was applied, in that order.</param>
    public sealed record Touchy(string Id, string Story);

    public sealed class TouchyProjection : SingleStreamProjection<Touchy, string>
    {
        private volatile bool touchy = true;
        private long limit;

        /// <summary>Whether it minds weights below <see cref="Limit"/>.</summary>
        public bool Touchy
        {
            get => touchy;
            set => touchy = value;
        }

        public long Limit
        {
            get => Volatile.Read(ref limit);
            set => Volatile.Write(ref limit, value);
        }

        public override Touchy? Evolve(Touchy? snapshot, string id, IEvent e) => e.Data switch
        {
            Weighed weighed when Touchy && weighed.Grams < Limit => throw new InvalidOperationException("Negative weight."),
            Weighed weighed => new(id, $"{snapshot?.Story}, {weighed.Grams}"),
            _ => new(id, e.Data.GetType().Name),
        };
    }
}
