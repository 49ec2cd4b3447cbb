using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>A rebuild that stands still keeps nothing of who is erased meanwhile.</summary>
public sealed class RebuildErasureTests : IAsyncLifetime
{
    private const string Shard = "ParcelProjection:All";
    private StoreUnderTest it = null!;
    private ProjectionRebuild rebuild = null!;

    public async ValueTask InitializeAsync()
    {
        it = await StoreUnderTest.Create(options =>
        {
            options.Projections.Add<ParcelProjection>(ProjectionLifecycle.Async);
            options.Personal.MasterKey = [.. Enumerable.Range(0, PersonalOptions.KeySize).Select(it => (byte)it)];
            options.Personal.KeyLifetime = TimeSpan.Zero;
            options.Personal.Seal<Packed>(packed => packed.Items % 2 == 0 ? "anna" : "bert", "owner");
        });
        for (var i = 0; i < 64; i++)
            await it.Append($"parcel/{i}", new Packed(i % 2 == 0 ? "Anna Alone" : "Bert Brown", i));
        rebuild = new(it.Store) { ViewsPerSlice = 4 };
    }

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task What_a_paused_one_has_built_goes_when_somebody_is_erased_and_it_begins_anew_when_it_is_resumed()
    {
        await RunUntilPaused(() => { });
        (await Built("Anna Alone")).ShouldBeGreaterThan(0);
        (await new OvertakenRebuilds(it.Store).Drop(CancellationToken.None)).ShouldBeEmpty("nobody was erased");

        await Erase("anna");
        (await new OvertakenRebuilds(it.Store).Drop(CancellationToken.None)).ShouldBe([Shard]);

        (await IsBuilding()).ShouldBeFalse();
        (await rebuild.Progress(Shard, CancellationToken.None))!.ShouldSatisfyAllConditions(told => told.State.ShouldBe("paused"), told => told.EventsDone.ShouldBe(0));
        await rebuild.SetPaused(Shard, false, CancellationToken.None);
        await rebuild.Run(RebuildControlTests.Parcels(it.Store), null, CancellationToken.None);
        (await it.Database.Scalar<long>("select count(*) from mt_doc_parcel where data ->> 'owner' = '[erased]'")).ShouldBe(32);
    }

    [Fact]
    public async Task An_erasure_between_its_beginning_and_its_pause_counts_too()
    {
        await RunUntilPaused(() => Erase("anna").GetAwaiter().GetResult());

        (await new OvertakenRebuilds(it.Store).Drop(CancellationToken.None)).ShouldBe([Shard]);
        (await IsBuilding()).ShouldBeFalse();
    }

    [Fact]
    public async Task So_does_one_a_moment_before_since_another_node_may_not_have_heard_of_it()
    {
        await Erase("anna");
        await RunUntilPaused(() => { });

        (await new OvertakenRebuilds(it.Store).Drop(CancellationToken.None)).ShouldBe([Shard]);
    }

    [Fact]
    public async Task One_long_before_does_not()
    {
        await Erase("anna");
        await it.Database.Execute("update cavecomm_personal_key set erased_at = erased_at - interval '1 hour' where erased_at is not null");
        await RunUntilPaused(() => { });

        (await new OvertakenRebuilds(it.Store).Drop(CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Any_node_sees_to_it()
    {
        await RunUntilPaused(() => { });
        await it.StartDaemon(it.AnotherNode(options => options.Projections.Add<ParcelProjection>(ProjectionLifecycle.Async)));
        await Erase("anna");

        await Eventually.Holds("nothing is left of it", async () => !await IsBuilding());
    }

    [Fact]
    public async Task One_that_was_cut_off_and_whose_projection_is_paused_is_dropped_and_one_that_goes_on_at_once_is_not()
    {
        using var stop = new CancellationTokenSource();
        await Should.ThrowAsync<OperationCanceledException>(() => rebuild.Run(
            RebuildControlTests.Parcels(it.Store), Half(stop.Cancel), stop.Token));
        await Erase("anna");
        await Eventually.Holds("nobody is at it", async () => (await rebuild.Requested(CancellationToken.None)).Count == 1);
        (await new OvertakenRebuilds(it.Store).Drop(CancellationToken.None)).ShouldBeEmpty();

        await it.Database.Execute($"insert into cavecomm_projection (shard, paused) values ('{Shard}', true)");
        (await new OvertakenRebuilds(it.Store).Drop(CancellationToken.None)).ShouldBe([Shard]);
        (await IsBuilding()).ShouldBeFalse();
    }

    [Fact]
    public async Task What_newer_code_has_left_that_was_taken_back_goes_too_but_not_while_somebody_is_at_it()
    {
        var newer = it.AnotherNode(options =>
        {
            options.Projections.Add(new ParcelProjection { Version = 2 }, ProjectionLifecycle.Async);
            options.Personal.MasterKey = it.Store.Options.Personal.MasterKey;
            options.Personal.KeyLifetime = TimeSpan.Zero;
        });
        await newer.ApplyAllConfiguredChangesToDatabaseAsync();
        var filling = new ProjectionRebuild(newer) { ViewsPerSlice = 4 };
        using var stop = new CancellationTokenSource();
        await Should.ThrowAsync<OperationCanceledException>(() => filling.Run(RebuildControlTests.Parcels(newer), Half(stop.Cancel), stop.Token));
        await Eventually.Holds("nobody is at it", async () => (await filling.Requested(CancellationToken.None)).Count == 1);
        await Erase("anna");
        (await new OvertakenRebuilds(it.Store).Drop(CancellationToken.None)).ShouldBeEmpty("a newer node may be between two attempts");
        await it.Database.Execute("update cavecomm_rebuild set updated_at = updated_at - interval '2 hours'");
        await using (var busy = await it.Database.Open())
        {
            await busy.Execute($"select pg_advisory_lock({new RebuildTable(newer).LockOf("ParcelProjection:V2:All")})", CancellationToken.None);
            (await new OvertakenRebuilds(it.Store).Drop(CancellationToken.None)).ShouldBeEmpty("somebody is at it");
            await busy.Execute("select pg_advisory_unlock_all()", CancellationToken.None);
        }

        (await IsBuilding()).ShouldBeTrue();
        (await new OvertakenRebuilds(it.Store).Drop(CancellationToken.None)).ShouldBe(["ParcelProjection:V2:All"]);

        (await IsBuilding()).ShouldBeFalse();
        await filling.Run(RebuildControlTests.Parcels(newer), null, CancellationToken.None);
        (await it.Database.Scalar<long>("select count(*) from mt_doc_parcel_2 where data ->> 'owner' = '[erased]'")).ShouldBe(32);
    }

    private async Task RunUntilPaused(Action first) => await Should.ThrowAsync<RebuildPausedException>(() => rebuild.Run(
        RebuildControlTests.Parcels(it.Store),
        Half(() =>
        {
            first();
            rebuild.SetPaused(Shard, true, CancellationToken.None).GetAwaiter().GetResult();
        }),
        CancellationToken.None));

    private static RebuildControlTests.Told Half(Action then)
    {
        var isOver = false;
        return new(told =>
        {
            if (isOver || told.EventsDone < 32)
                return;
            isOver = true;
            then();
        });
    }

    private Task<long> Built(string owner) => it.Database.Scalar<long>($"select count(*) from cavecomm_building_parcel where data ->> 'owner' = '{owner}'");

    private Task<bool> IsBuilding() => it.Database.Scalar<bool>("select exists (select from pg_class where relname like 'cavecomm_building_%')");

    private async Task Erase(string subject)
    {
        await using var session = it.Store.LightweightSession();
        it.Store.Personal.Erase(session, subject);
        await session.SaveChangesAsync();
    }
}
