using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>Numbers that Marten has filled in a stream of its own, before this store took the tables over, hold up no view.</summary>
public sealed class TombstoneTests : IAsyncLifetime
{
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task Views_that_follow_the_log_pass_them_by_and_so_do_rebuilt_ones()
    {
        await it.FillNumbers(2);
        await it.Append("parcel/1", new Packed("anna", 2));
        var daemon = await it.StartDaemon();
        await it.FillNumbers(1);
        await it.Append("parcel/1", new Weighed(7));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await Parked()).ShouldBe(0);
        var followed = await Views();
        followed.ShouldBe(("1 2", 2));

        await daemon.DisposeAsync();
        await Rebuild(it.Store);
        (await Parked()).ShouldBe(0);
        (await Views()).ShouldBe(followed);
    }

    [Fact]
    public async Task Rebuilt_inline_views_pass_them_by_too()
    {
        var inline = it.AnotherNode(StoreUnderTest.Inline);
        await it.Append("parcel/1", new Packed("anna", 2));
        await it.FillNumbers(1);

        await Rebuild(inline);

        (await Parked()).ShouldBe(0);
        (await Views()).ShouldBe(("1", 2));
    }

    [Theory]
    [InlineData("update mt_events set type = 'tombstone' where stream_id = 'parcel/1'", "parcel/1")]
    [InlineData("update mt_events set type = 'parcel.lost' where stream_id = 'mt_tombstone'", "mt_tombstone")]
    public async Task What_only_looks_like_one_still_waits(string change, string key)
    {
        await it.Append("parcel/1", new Packed("anna", 2));
        await it.FillNumbers(1);
        await it.Database.Execute(change);
        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await it.Store.ProjectionOperations.Parked("ParcelProjection", CancellationToken.None)).ShouldHaveSingleItem().Key.ShouldBe(key);
        (await it.Store.ProjectionOperations.Parked("ShelfProjection", CancellationToken.None)).ShouldHaveSingleItem().Key.ShouldStartWith("event ");
    }

    [Fact]
    public async Task Those_that_older_code_has_parked_go_by_themselves()
    {
        await it.FillNumbers(2);
        await it.Append("parcel/1", new Packed("anna", 2));
        await it.Database.Execute("""
            insert into mt_event_progression (name, last_seq_id) values ('ParcelProjection:All', 2), ('ShelfProjection:All', 2);
            insert into cavecomm_parked_event (shard, key, seq_id, event_id, reason, parked_at)
            select 'ShelfProjection:All', 'event ' || seq_id, seq_id, id, 'No type is mapped to the event tombstone', now() from mt_events where type = 'tombstone'
            union all select 'ParcelProjection:All', 'mt_tombstone', seq_id, case seq_id when 1 then id end,
                case seq_id when 1 then 'No type is mapped to the event tombstone' end, now() from mt_events where type = 'tombstone'
            """);

        await it.StartDaemon();

        await Eventually.Holds("nothing waits", async () => await Parked() == 0);
    }

    private Task<long> Parked() => it.Database.Scalar<long>("select count(*) from cavecomm_parked_event");

    private async Task<(string Versions, int Items)> Views()
    {
        await using var session = it.Store.QuerySession();
        var parcel = (await session.QueryAsync<Parcel>("", CancellationToken.None)).ShouldHaveSingleItem();
        var shelf = (await session.QueryAsync<Shelf>("", CancellationToken.None)).ShouldHaveSingleItem();
        return (string.Join(' ', parcel.Versions), shelf.Items);
    }

    private static async Task Rebuild(DocumentStore store)
    {
        foreach (var registration in store.Options.Projections.Stored())
            await new ProjectionRebuild(store).Run(registration, null, CancellationToken.None);
    }
}
