using CaveComm.EventStore;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>What no view is about is not read for the views: neither loaded nor opened.</summary>
public sealed class IncludedTypesTests : IAsyncLifetime
{
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create(Configure);

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Streams_of_other_kinds_are_passed_by_even_if_nobody_could_read_them(bool isRebuilt)
    {
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", 1));
        await Break(await it.Append("letter/1", new Written("Dear Anna")));
        await it.Append("parcel/1", new Weighed(3));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        if (isRebuilt)
            await daemon.RebuildProjectionAsync<Parcel>(CancellationToken.None);

        (await View("parcel/1"))!.Versions.ShouldBe([1, 2]);
        (await View("letter/1")).ShouldBeNull();
        (await it.Store.ProjectionOperations.Parked("PostProjection", CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_node_that_was_away_passes_them_by_too()
    {
        await Break(await it.Append("letter/1", new Written("Dear Anna")));
        await it.Append("parcel/1", new Packed("anna", 1));

        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await View("parcel/1")).ShouldNotBeNull();
        (await it.Store.ProjectionOperations.Parked("PostProjection", CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_cannot_be_read_of_a_views_own_streams_still_waits()
    {
        await it.Append("parcel/1", new Packed("anna", 1));
        await Break(await it.Append("parcel/1", new Weighed(3)));

        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await it.Store.ProjectionOperations.Parked("PostProjection", CancellationToken.None)).ShouldHaveSingleItem().Key.ShouldBe("parcel/1");
        (await View("parcel/1"))!.Versions.ShouldBe([1]);
    }

    [Fact]
    public async Task An_event_without_a_type_may_be_of_any_stream_so_it_waits()
    {
        var stored = await it.Append("letter/1", new Written("Dear Anna"));
        await it.Database.Execute($"update mt_events set type = 'letter.of-tomorrow' where seq_id = {stored[0].Sequence}");

        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await it.Store.ProjectionOperations.Parked("PostProjection", CancellationToken.None)).ShouldHaveSingleItem().Key.ShouldBe("letter/1");
    }

    private static void Configure(StoreOptions options)
    {
        options.Events.MapEventType<Written>("letter.written");
        options.Projections.Add<PostProjection>(ProjectionLifecycle.Async);
        options.Projections.Add<ShelfProjection>(ProjectionLifecycle.Async);
    }

    private Task Break(IReadOnlyList<IEvent> stored) =>
        it.Database.Execute($"update mt_events set data = '[\"no object\"]' where seq_id = {stored[0].Sequence}");

    private async Task<Parcel?> View(string id)
    {
        await using var session = it.Store.QuerySession();
        return await session.LoadAsync<Parcel>(id);
    }

    public sealed record Written(string Text);

    public sealed class PostProjection : SingleStreamProjection<Parcel, string>
    {
        public PostProjection() => IncludeType<ParcelEvent>();

        public override Parcel? Evolve(Parcel? parcel, string id, IEvent happened) => ParcelFold.Evolve(parcel, id, happened);
    }
}
