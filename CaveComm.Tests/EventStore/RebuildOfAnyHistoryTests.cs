using CaveComm.EventStore;
using FsCheck;
using FsCheck.Fluent;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>Whatever is in the log, be it of other kinds, of unknown types, poison or Marten's filling: what is rebuilt, and what waits then, is what came of following it.</summary>
public sealed class RebuildOfAnyHistoryTests : IAsyncLifetime
{
    private static readonly Gen<object> Unknown = Gen.Constant((object)new OfTomorrow());

    private static readonly Gen<object> OfParcel = Gen.Frequency(
        (6, Gen.Choose(1, 3).Select(owner => (object)new Packed($"owner{owner}", owner))),
        (6, Gen.Choose(1, 3).Select(grams => (object)new Weighed(grams))),
        (6, Gen.Constant((object)new Sent(DateTimeOffset.UnixEpoch))),
        (6, Gen.Constant((object)new Withdrawn())),
        (1, Gen.Choose(1, 3).Select(owner => (object)new Packed($"owner{owner}", 0))),
        (1, Gen.Constant((object)new Weighed(-1))),
        (1, Gen.Constant((object)new Scribbled([1]))),
        (1, Unknown));

    private static readonly Gen<object> OfMarten = Gen.Frequency((4, Gen.Constant((object)new Burnt())), (1, Unknown));

    private static readonly Gen<object> OfLetter = Gen.Frequency((4, Gen.Constant((object)new Written("Dear Anna"))), (1, Unknown));

    /// <summary>Appends to any of a few streams, each of one to three events.</summary>
    private static readonly Gen<(string Stream, object[] Events)[]> AnyHistory = (
        from stream in Gen.Choose(1, 7)
        from count in Gen.Choose(1, 3)
        from events in (stream <= 4 ? OfParcel : stream <= 6 ? OfLetter : OfMarten).ArrayOf(count)
        select (stream <= 4 ? $"parcel/{stream}" : stream <= 6 ? $"letter/{stream}" : "mt_tombstone", events)).ArrayOf();

    private StoreUnderTest it = null!;
    private DocumentStore writer = null!;

    public async ValueTask InitializeAsync()
    {
        it = await StoreUnderTest.Create(options =>
        {
            options.Events.MapEventType<Written>("letter.written");
            options.Events.MapEventType<Unnamed>("parcel.scribbled");
            options.Projections.Add<StrictParcelProjection>(ProjectionLifecycle.Async);
            options.Projections.Add<StrictShelfProjection>(ProjectionLifecycle.Async);
        });

        // Other code, which knows more and writes otherwise.
        writer = it.AnotherNode(options =>
        {
            options.Events.MapEventType<Written>("letter.written");
            options.Events.MapEventType<Scribbled>("parcel.scribbled");
            options.Events.MapEventType<OfTomorrow>("any.of-tomorrow");
            options.Events.MapEventType<Burnt>("tombstone");
        });
    }

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public void Rebuilt_views_equal_those_that_followed_and_those_that_are_folded_by_hand() =>
        Prop.ForAll(AnyHistory.ToArbitrary(), history => RebuildEqualsLive(history).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(15));

    private async Task RebuildEqualsLive((string Stream, object[] Events)[] history)
    {
        await it.Database.Execute("""
            truncate mt_streams, mt_events, mt_event_progression, mt_doc_parcel, mt_doc_shelf, cavecomm_parked_event; alter sequence mt_events_sequence restart
            """);
        var daemon = await it.StartDaemon();
        var happened = new List<IEvent>();
        foreach (var (stream, events) in history)
        {
            await using var session = writer.LightweightSession();
            var appended = session.Events.Append(stream, events);
            await session.SaveChangesAsync();
            happened.AddRange(appended.Events);
        }

        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await daemon.DisposeAsync();
        var followed = await Everything();
        (await Found()).ShouldBe(ByHand(happened));

        foreach (var registration in it.Store.Options.Projections.Stored())
            await new ProjectionRebuild(it.Store).Run(registration, null, CancellationToken.None);
        (await Everything()).ShouldBe(followed);

        // In slices of two views, so that their borders are met too.
        foreach (var registration in it.Store.Options.Projections.Stored())
            await new ProjectionRebuild(it.Store) { ViewsPerSlice = 2, CheckpointEvery = TimeSpan.Zero }.Run(registration, null, CancellationToken.None);
        (await Everything()).ShouldBe(followed);
    }

    /// <summary>What each view has applied, and what waits for it.</summary>
    private static List<string> ByHand(IReadOnlyList<IEvent> happened)
    {
        var (parcels, shelves) = (new Dictionary<string, Parcel?>(), new Dictionary<string, Shelf?>());
        var (stuckParcels, stuckShelves) = (new HashSet<string>(), new HashSet<string>());
        var waiting = new List<string>();
        foreach (var one in happened)
        {
            var key = one.StreamKey!;
            if (one.Data is Burnt)
                continue;
            if (one.Data is not Written && (stuckParcels.Contains(key) || one.Data is OfTomorrow or Scribbled or Weighed { Grams: < 0 }))
                waiting.Add($"StrictParcelProjection {key} {one.Sequence} {stuckParcels.Add(key)}");
            else if (one.Data is not Written)
                parcels[key] = ParcelFold.Evolve(parcels.GetValueOrDefault(key), key, one);

            if (one.Data is OfTomorrow)
                waiting.Add($"StrictShelfProjection event {one.Sequence} {one.Sequence} True");
            else if (one.Data is Packed packed && (stuckShelves.Contains(packed.Owner) || packed.Items == 0))
                waiting.Add($"StrictShelfProjection {packed.Owner} {one.Sequence} {stuckShelves.Add(packed.Owner)}");
            else if (one.Data is Packed { Owner: var owner })
                shelves[owner] = new ShelfProjection().Evolve(shelves.GetValueOrDefault(owner), owner, one);
        }

        return
        [
            .. parcels.Values.OfType<Parcel>().Select(Told).Concat(shelves.Values.OfType<Shelf>().Select(Told)).Concat(waiting).Order(StringComparer.Ordinal),
        ];
    }

    private async Task<List<string>> Found()
    {
        await using var session = it.Store.QuerySession();
        var (parcels, shelves) = (await session.QueryAsync<Parcel>("", CancellationToken.None), await session.QueryAsync<Shelf>("", CancellationToken.None));
        var waiting = await Rows("select concat(split_part(shard, ':', 1), ' ', key, ' ', seq_id, ' ', case when event_id is null then 'False' else 'True' end) from cavecomm_parked_event");
        return [.. parcels.Select(Told).Concat(shelves.Select(Told)).Concat(waiting).Order(StringComparer.Ordinal)];
    }

    private static string Told(Parcel parcel) => $"{parcel with { Versions = [] }} {string.Join(' ', parcel.Versions)}";

    private static string Told(Shelf shelf) => $"{shelf with { Sequences = [] }} {string.Join(' ', shelf.Sequences)}";

    private Task<List<string>> Everything() => Rows("""
        select concat_ws(' ', 'parcel', id, mt_version, data) as line from mt_doc_parcel
        union all select concat_ws(' ', 'shelf', id, data) from mt_doc_shelf
        union all select concat_ws(' ', shard, key, seq_id, event_id, reason) from cavecomm_parked_event order by line
        """);

    private async Task<List<string>> Rows(string sql)
    {
        await using var connection = await it.Database.Open();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var rows = await command.ExecuteReaderAsync();
        var all = new List<string>();
        while (await rows.ReadAsync())
            all.Add(rows.GetString(0));
        return all;
    }

    /// <summary>Of a kind that no view is about.</summary>
    public sealed record Written(string Text);

    /// <summary>Its name is mapped to nothing where the views are.</summary>
    public sealed record OfTomorrow;

    /// <summary>As Marten fills a number, and mapped to nothing where the views are.</summary>
    public sealed record Burnt;

    /// <summary>A list, under a name that is an object's where the views are.</summary>
    public sealed class Scribbled(IEnumerable<int> marks) : List<int>(marks);

    public sealed class StrictParcelProjection : SingleStreamProjection<Parcel, string>
    {
        public StrictParcelProjection() => IncludeType<ParcelEvent>();

        public override Parcel? Evolve(Parcel? parcel, string id, IEvent happened) =>
            happened.Data is Weighed { Grams: < 0 } ? throw new InvalidOperationException("Negative weight.") : ParcelFold.Evolve(parcel, id, happened);
    }

    public sealed class StrictShelfProjection : MultiStreamProjection<Shelf, string>
    {
        private readonly ShelfProjection shelves = new();

        public StrictShelfProjection()
        {
            IncludeType<Packed>();
            Identity<ParcelEvent>(it => ((Packed)it).Owner);
        }

        public override Shelf? Evolve(Shelf? shelf, string id, IEvent happened) =>
            happened.Data is Packed { Items: 0 } ? throw new InvalidOperationException("Nothing in it.") : shelves.Evolve(shelf, id, happened);
    }
}
