using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>A view that waits behind an event it cannot apply shows nobody who is erased meanwhile: the event that tells it to forget waits, too.</summary>
public sealed class ParkedErasureTests : IAsyncLifetime
{
    private const string Parcel = "parcel/1";
    private const string Gone = "[erased]";
    private readonly PacketLabelProjection labels = new();
    private readonly PacketShelfProjection shelves = new();
    private StoreUnderTest it = null!;
    private ProjectionDaemon daemon = null!;

    public async ValueTask InitializeAsync()
    {
        it = await StoreUnderTest.Create(Configure);
        daemon = await it.StartDaemon();
    }

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task The_view_of_a_stream_forgets_and_stays_parked_and_a_retry_goes_on()
    {
        await it.Append(Parcel, new Packed("Anna Alone", 1), new Weighed(5));
        var poison = (await it.Append(Parcel, new Weighed(-1), new Weighed(7)))[0];
        await it.Append("parcel/2", new Packed("Bert Brown", 1), new Weighed(-1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        (await Row(Parcel)).ShouldContain("Anna Alone");

        await Erase("Anna");

        (await daemon.WaitUntilForgotten(StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        (await Label(Parcel)).ShouldBe(new(Parcel, $"{Gone} 5"));
        (await Label("parcel/2")).ShouldBe(new("parcel/2", "Bert Brown"));
        (await it.Database.Scalar<long>("select mt_version from mt_doc_packetlabel where id = 'parcel/1'")).ShouldBe(2);
        var parked = (await Parked(labels)).Single(key => key.Key == Parcel);
        (parked.EventId, parked.Sequence, parked.Waiting, parked.Reason).ShouldBe((poison.Id, poison.Sequence, 2, "Negative weight."));

        labels.IsStrict = false;
        await it.Append(Parcel, new Weighed(8));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        (await it.Store.ProjectionOperations.Retry(labels.Name, null, CancellationToken.None)).ShouldBe(new(2, 0));
        (await Label(Parcel)).ShouldBe(new(Parcel, $"{Gone} 5 -1 7 8"));
    }

    [Fact]
    public async Task So_does_a_view_of_many_streams_and_a_rebuild_makes_the_same_of_it()
    {
        await it.Append("parcel/1", new Packed("Anna Alone", 1));
        await it.Append("parcel/2", new Packed("Anna Alone", 2));
        await it.Append("parcel/3", new Packed("Bert Brown", 1));
        await it.Append("parcel/4", new Packed("Poison", 1));
        await it.Append("parcel/5", new Packed("Anna Alone", 1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        (await Row("shelf 1")).ShouldContain("Anna Alone");

        await Erase("Anna");

        (await daemon.WaitUntilForgotten(StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        (await Shelf(1)).ShouldBe(new("shelf 1", $"{Gone}, Bert Brown"));
        (await Row("shelf 2")).ShouldContain("Anna Alone", Case.Sensitive, "nothing holds it up: who erases tells it by an event");
        (await Parked(shelves)).ShouldHaveSingleItem().Waiting.ShouldBe(2);
        var forgotten = await Row("shelf 1");
        await it.Store.ProjectionOperations.Rebuild(shelves.Name, null, CancellationToken.None);
        (await Row("shelf 1")).ShouldBe(forgotten);

        shelves.IsStrict = false;
        (await it.Store.ProjectionOperations.Retry(shelves.Name, null, CancellationToken.None)).ShouldBe(new(1, 0));
        (await Shelf(1)).ShouldBe(new("shelf 1", $"{Gone}, Bert Brown, Poison, {Gone}"));
    }

    [Fact]
    public async Task A_key_that_is_parked_only_after_the_erasure_forgets_too()
    {
        await it.Append(Parcel, new Packed("Anna Alone", 1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await daemon.StopAllAsync();
        await it.Append(Parcel, new Weighed(-1));
        await Erase("Anna");
        await daemon.StartAllAsync();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await daemon.WaitUntilForgotten(StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        (await Label(Parcel)).ShouldBe(new(Parcel, Gone));
    }

    [Fact]
    public async Task A_node_that_still_remembers_the_key_does_not_use_it()
    {
        await it.Append(Parcel, new Packed("Anna Alone", 1), new Weighed(-1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        await Erase("Anna", it.AnotherNode(Configure));

        (await daemon.WaitUntilForgotten(StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        (await Label(Parcel)).ShouldBe(new(Parcel, Gone));
    }

    [Fact]
    public async Task It_is_told_that_a_view_may_still_show_somebody_while_nobody_has_seen_to_it()
    {
        await Erase("Bert");
        await it.Append(Parcel, new Packed("Anna Alone", 1), new Weighed(-1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        (await daemon.WaitUntilForgotten(StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        await daemon.StopAllAsync();

        await Erase("Anna");

        (await daemon.WaitUntilForgotten(TimeSpan.Zero, CancellationToken.None)).ShouldBeFalse();
        await daemon.StartAllAsync();
        (await daemon.WaitUntilForgotten(StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_paused_view_forgets_what_is_parked()
    {
        await it.Append(Parcel, new Packed("Anna Alone", 1), new Weighed(-1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await it.Store.ProjectionOperations.Pause(labels.Name, CancellationToken.None);
        await Eventually.Holds("it is paused", () => daemon.Shards.Single(shard => shard.Name == labels.ShardName).State == ShardStatus.Paused);

        await Erase("Anna");

        (await daemon.WaitUntilForgotten(StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        (await Label(Parcel)).ShouldBe(new(Parcel, Gone));
    }

    [Fact]
    public async Task An_event_that_cannot_be_applied_without_the_text_waits_from_then_on()
    {
        var named = (await it.Append(Parcel, new Packed("Anna Alone", 1), new Weighed(3), new Weighed(PacketLabelProjection.Named)))[2];
        await it.Append(Parcel, new Weighed(4), new Weighed(-1), new Weighed(7));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        (await Label(Parcel)).ShouldBe(new(Parcel, "Anna Alone 3 1001 4"));

        await Erase("Anna");

        (await daemon.WaitUntilForgotten(StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        (await Label(Parcel)).ShouldBe(new(Parcel, $"{Gone} 3"));
        var parked = (await Parked(labels)).ShouldHaveSingleItem();
        (parked.EventId, parked.Waiting, parked.Reason).ShouldBe((named.Id, 4, "No name."));
        labels.IsStrict = false;
        (await it.Store.ProjectionOperations.Retry(labels.Name, null, CancellationToken.None)).ShouldBe(new(1, 0));
        (await Label(Parcel)).ShouldBe(new(Parcel, $"{Gone} 3 1001 4 -1 7"));
    }

    [Fact]
    public async Task A_view_that_cannot_be_written_without_the_text_waits_from_then_on()
    {
        var odd = (await it.Append(Parcel, new Packed("Anna Alone", 1), new Weighed(PacketLabelProjection.Odd)))[1];
        await it.Append(Parcel, new Weighed(4), new Weighed(-1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        (await Label(Parcel)).ShouldBe(new(Parcel, "Anna Alone 1002 4"));

        await Erase("Anna");

        (await daemon.WaitUntilForgotten(StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        (await Label(Parcel)).ShouldBe(new(Parcel, Gone));
        var parked = (await Parked(labels)).ShouldHaveSingleItem();
        (parked.EventId, parked.Waiting).ShouldBe((odd.Id, 3));
    }

    [Fact]
    public async Task A_retry_in_the_midst_of_it_wins()
    {
        await it.Append(Parcel, new Packed("Anna Alone", 1), new Weighed(-1), new Weighed(7));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await daemon.StopAllAsync();
        await Erase("Anna");
        labels.Before = () =>
        {
            labels.Before = null;
            labels.IsStrict = false;
            it.Store.ProjectionOperations.Retry(labels.Name, null, CancellationToken.None).GetAwaiter().GetResult().ShouldBe(new(1, 0));
        };

        (await new ParkedForgetting(it.Store, NullLogger.Instance).Run([labels], CancellationToken.None)).ShouldBeTrue();

        labels.Before.ShouldBeNull();
        (await Label(Parcel)).ShouldBe(new(Parcel, "Anna Alone -1 7"), "the event that tells it to forget comes behind");
        (await Parked(labels)).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_a_rebuild_has_opened_before_the_erasure_is_folded_anew_and_what_it_opened_after_is_not()
    {
        await it.Append(Parcel, new Packed("Anna Alone", 1), new Weighed(-1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await daemon.StopAllAsync();
        var isOver = false;
        var rebuild = new ProjectionRebuild(it.Store) { ViewsPerSlice = 1 };
        await rebuild.Run(Registration(labels), new RebuildControlTests.Told(told =>
        {
            if (isOver || told.EventsDone < 2)
                return;
            isOver = true;
            Erase("Anna").GetAwaiter().GetResult();
        }), CancellationToken.None);
        isOver.ShouldBeTrue();
        (await Row(Parcel)).ShouldContain("Anna Alone", Case.Sensitive, "Otherwise this shows nothing.");
        (await daemon.WaitUntilForgotten(TimeSpan.Zero, CancellationToken.None)).ShouldBeFalse();

        await it.Database.Execute("update cavecomm_personal_key set erased_at = erased_at - interval '1 day' where erased_at is not null");
        await rebuild.Run(Registration(labels), null, CancellationToken.None);

        (await Label(Parcel)).ShouldBe(new(Parcel, Gone));
        (await daemon.WaitUntilForgotten(TimeSpan.Zero, CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_table_from_before_that_knew_nothing_of_it_is_seen_to()
    {
        await it.Append(Parcel, new Packed("Anna Alone", 1), new Weighed(-1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await daemon.StopAllAsync();
        await Erase("Anna");
        await it.Database.Execute("alter table cavecomm_parked_event drop column erasures");

        await it.AnotherNode(Configure).ApplyAllConfiguredChangesToDatabaseAsync();
        await daemon.StartAllAsync();

        (await daemon.WaitUntilForgotten(StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        (await Label(Parcel)).ShouldBe(new(Parcel, Gone));
    }

    private void Configure(StoreOptions options)
    {
        options.Projections.Add(labels, ProjectionLifecycle.Async);
        options.Projections.Add(shelves, ProjectionLifecycle.Async);
        options.Personal.MasterKey = [.. Enumerable.Range(0, PersonalOptions.KeySize).Select(it => (byte)it)];
        options.Personal.KeyLifetime = TimeSpan.FromHours(1);
        options.Personal.Seal<Packed>(packed => packed.Owner.Split(' ')[0], "owner");
    }

    private ProjectionOptions.Registration Registration(ProjectionBase projection) => it.Store.Options.Projections.Stored().Single(known => known.Projection == projection);

    private async Task Erase(string subject, DocumentStore? on = null)
    {
        var store = on ?? it.Store;
        await using var session = store.LightweightSession();
        store.Personal.Erase(session, subject);
        await session.SaveChangesAsync();
    }

    private Task<string> Row(string key) => it.Database.Scalar<string>(
        $"select data::text from mt_doc_packet{(key.StartsWith("shelf", StringComparison.Ordinal) ? "shelf" : "label")} where id = '{key}'");

    private async Task<PacketLabel?> Label(string key)
    {
        await using var session = it.Store.QuerySession();
        return await session.LoadAsync<PacketLabel>(key);
    }

    private async Task<PacketShelf?> Shelf(int number)
    {
        await using var session = it.Store.QuerySession();
        return await session.LoadAsync<PacketShelf>($"shelf {number}");
    }

    private Task<IReadOnlyList<ParkedKey>> Parked(ProjectionBase projection) => it.Store.ProjectionOperations.Parked(projection.Name, CancellationToken.None);
}
