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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_event_without_a_type_may_be_of_any_stream_so_it_waits(bool isRebuilt)
    {
        var stored = await it.Append("letter/1", new Written("Dear Anna"), new Written("Yours"), new Written("P.S."));
        await it.Database.Execute($"update mt_events set type = 'letter.of-tomorrow' where seq_id = {stored[1].Sequence}");

        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        if (isRebuilt)
            await daemon.RebuildProjectionAsync<Parcel>(CancellationToken.None);

        var waiting = (await Parked(it.Store, "PostProjection")).ShouldHaveSingleItem();
        (waiting.Key, waiting.Sequence, waiting.Waiting).ShouldBe(("letter/1", stored[1].Sequence, 1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_cannot_be_read_waits_for_those_alone_that_are_about_it(bool isRebuilt)
    {
        await using var another = it.AnotherNode(ConfigureWithLetters);
        await another.ApplyAllConfiguredChangesToDatabaseAsync();
        var daemon = await it.StartDaemon(another);
        await it.Append("parcel/1", new Packed("anna", 1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        // From here on the views share what is read of the log. It must be unreadable from the beginning: they are quick.
        await AppendUnreadableLetter();
        await it.Append("parcel/1", new Weighed(3));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        if (isRebuilt)
            await Task.WhenAll(another.Options.Projections.Stored().Select(it => daemon.RebuildProjectionAsync(it.Projection.Name, CancellationToken.None)));

        (await Parked(another, "LetterProjection")).ShouldHaveSingleItem().Key.ShouldBe("letter/1");
        (await Parked(another, "PostProjection")).ShouldBeEmpty();
        (await Parked(another, "ShelfProjection")).ShouldBeEmpty();
        (await Parked(another, "TallyProjection")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rule_that_reaches_further_than_what_is_included_changes_nothing(bool isRebuilt)
    {
        await using var another = it.AnotherNode(ConfigureWithLetters);
        await another.ApplyAllConfiguredChangesToDatabaseAsync();
        var daemon = await it.StartDaemon(another);
        await it.Append("parcel/1", new Packed("anna", 1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        // From here on the views share what is read of the log.
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(3), new Weighed(4));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        if (isRebuilt)
            await daemon.RebuildProjectionAsync<Tally>(CancellationToken.None);

        await using var session = another.QuerySession();
        (await session.LoadAsync<Tally>("all"))!.Events.ShouldBe(2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_event_without_a_type_may_be_of_any_view_of_many_streams_so_it_waits_alone(bool isRebuilt)
    {
        var stored = await it.Append("parcel/1", new Packed("anna", 1));
        await it.Append("parcel/2", new Packed("anna", 2));
        await it.Database.Execute($"update mt_events set type = 'parcel.of-tomorrow' where seq_id = {stored[0].Sequence}");
        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        if (isRebuilt)
            await daemon.RebuildProjectionAsync<Shelf>(CancellationToken.None);

        var waiting = (await Parked(it.Store, "ShelfProjection")).ShouldHaveSingleItem();
        (waiting.Key, waiting.EventId).ShouldBe(($"event {stored[0].Sequence}", stored[0].Id));
        waiting.Reason.ShouldContain("parcel.of-tomorrow");
        (await Shelf("anna"))!.Items.ShouldBe(2);

        await it.Database.Execute("update mt_events set type = 'parcel.packed'");
        (await it.Store.ProjectionOperations.Retry("ShelfProjection", null, CancellationToken.None)).ShouldBe(new(1, 0));
        (await Shelf("anna"))!.Items.ShouldBe(3);
    }

    private static void ConfigureWithLetters(StoreOptions options)
    {
        Configure(options);
        options.Projections.Add<LetterProjection>(ProjectionLifecycle.Async);
        options.Projections.Add<TallyProjection>(ProjectionLifecycle.Async);
    }

    private static void Configure(StoreOptions options)
    {
        options.Events.MapEventType<Written>("letter.written");
        options.Projections.Add<PostProjection>(ProjectionLifecycle.Async);
        options.Projections.Add<ShelfProjection>(ProjectionLifecycle.Async);
    }

    private Task Break(IReadOnlyList<IEvent> stored) =>
        it.Database.Execute($"update mt_events set data = '[\"no object\"]' where seq_id = {stored[0].Sequence}");

    private async Task AppendUnreadableLetter()
    {
        await using var session = it.AnotherNode(options => options.Events.MapEventType<Scribbled>("letter.written")).LightweightSession();
        session.Events.Append("letter/1", new Scribbled([1, 2]));
        await session.SaveChangesAsync();
    }

    private static Task<IReadOnlyList<ParkedKey>> Parked(DocumentStore store, string projection) =>
        store.ProjectionOperations.Parked(projection, CancellationToken.None);

    private async Task<Shelf?> Shelf(string owner)
    {
        await using var session = it.Store.QuerySession();
        return await session.LoadAsync<Shelf>(owner);
    }

    private async Task<Parcel?> View(string id)
    {
        await using var session = it.Store.QuerySession();
        return await session.LoadAsync<Parcel>(id);
    }

    public sealed record Written(string Text);

    /// <summary>What other code writes under the name of <see cref="Written"/>.</summary>
    public sealed record Scribbled(IReadOnlyList<int> Text);

    public sealed record Letter(string Id, string Text);

    /// <param name="Events">How many were counted.</param>
    public sealed record Tally(string Id, int Events);

    public sealed class LetterProjection : SingleStreamProjection<Letter, string>
    {
        public LetterProjection() => IncludeType<Written>();

        public override Letter? Evolve(Letter? letter, string id, IEvent happened) => new(id, ((Written)happened.Data).Text);
    }

    /// <summary>Weighings, under a rule for all that happens to parcels.</summary>
    public sealed class TallyProjection : MultiStreamProjection<Tally, string>
    {
        public TallyProjection()
        {
            IncludeType<Weighed>();
            Identity<ParcelEvent>(_ => "all");
        }

        public override Tally? Evolve(Tally? tally, string id, IEvent happened) => new(id, (tally?.Events ?? 0) + 1);
    }

    public sealed class PostProjection : SingleStreamProjection<Parcel, string>
    {
        public PostProjection() => IncludeType<ParcelEvent>();

        public override Parcel? Evolve(Parcel? parcel, string id, IEvent happened) => ParcelFold.Evolve(parcel, id, happened);
    }
}
