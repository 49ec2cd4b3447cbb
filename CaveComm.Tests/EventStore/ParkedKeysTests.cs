using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>E7 where several hands are at the parked keys: the shard that runs, a rebuild, an operator's retry.</summary>
public sealed class ParkedKeysTests : IAsyncLifetime
{
    private readonly LedgerProjection ledgers = new();
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create(options =>
    {
        options.Projections.Add<ParcelProjection>(ProjectionLifecycle.Live);
        options.Projections.Add(ledgers, ProjectionLifecycle.Async);
    });

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task What_a_rebuild_parks_while_the_log_stands_still_waits_for_its_later_events_too()
    {
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", -1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        ledgers.IsStrict = true;
        await it.Store.ProjectionOperations.Rebuild("LedgerProjection", null, CancellationToken.None);

        await it.Append("parcel/2", new Packed("anna", 3), new Packed("bert", 1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await View("anna")).ShouldBeNull("its first event cannot be applied");
        (await View("bert")).ShouldBe(new("bert", "1"));
        (await Parked()).ShouldHaveSingleItem().Waiting.ShouldBe(2);

        ledgers.IsStrict = false;
        (await it.Store.ProjectionOperations.Retry("LedgerProjection", null, CancellationToken.None)).ShouldBe(new(1, 0));
        (await View("anna")).ShouldBe(new("anna", "-1 3"));
    }

    [Fact]
    public async Task What_a_retry_parks_under_another_key_waits_for_its_later_events_too()
    {
        ledgers.IsStrict = true;
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", 1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await daemon.StopAllAsync();
        await it.Append("parcel/2", new Packed("anna", 1));
        await it.Database.Execute("""update mt_events set data = '{"items": "many"}' where seq_id = 2""");
        await daemon.StartAllAsync();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        (await Parked()).ShouldHaveSingleItem().Key.ShouldBe("event 2");

        await it.Database.Execute("""update mt_events set data = '{"owner": "anna", "items": -2}' where seq_id = 2""");
        await it.Store.ProjectionOperations.Retry("LedgerProjection", null, CancellationToken.None);
        (await Parked()).ShouldHaveSingleItem().Key.ShouldBe("anna");
        await it.Append("parcel/3", new Packed("anna", 3));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await View("anna")).ShouldBe(new("anna", "1"));
        (await Parked()).ShouldHaveSingleItem().Waiting.ShouldBe(2);
    }

    [Fact]
    public async Task A_view_that_the_database_refuses_parks_its_key_and_holds_up_no_other()
    {
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", 1), new Packed("bert", 1), new Packed("anna", LedgerProjection.Unwritable), new Packed("bert", 2));
        await it.Append("parcel/2", new Packed("bert", 3));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await View("bert")).ShouldBe(new("bert", "1 2 3"));
        (await Parked()).ShouldHaveSingleItem().Key.ShouldBe("anna");
        (await it.Store.ProjectionOperations.Retry("LedgerProjection", null, CancellationToken.None)).ShouldBe(new(0, 1));
        (await Parked()).ShouldHaveSingleItem().Key.ShouldBe("anna");

        ledgers.Mark = "?";
        (await it.Store.ProjectionOperations.Retry("LedgerProjection", null, CancellationToken.None)).ShouldBe(new(1, 0));
        (await View("anna")).ShouldBe(new("anna", "1 ?"));
    }

    [Fact]
    public async Task A_rebuild_that_failed_leaves_no_copy_of_the_views_behind()
    {
        await it.Append("parcel/1", new Packed("anna", 1));
        var vandal = new RebuildControlTests.Told(_ =>
            it.Database.Execute("alter table cavecomm_building_parkedkeystests_ledger drop column if exists mt_dotnet_type").GetAwaiter().GetResult());

        await Should.ThrowAsync<PostgresException>(() => it.Store.ProjectionOperations.Rebuild("LedgerProjection", vandal, CancellationToken.None));

        (await it.Database.Scalar<long>("select count(*) from pg_class where relname like 'cavecomm_building_%'")).ShouldBe(0);
        (await it.Store.ProjectionOperations.List(CancellationToken.None)).Single().Rebuild!.State.ShouldBe("failed");
        await it.Store.ProjectionOperations.Rebuild("LedgerProjection", null, CancellationToken.None);
        (await View("anna")).ShouldBe(new("anna", "1"));
    }

    [Fact]
    public async Task What_a_node_stood_before_is_forgotten_when_the_next_one_goes_on()
    {
        await it.Database.Execute("insert into cavecomm_projection (shard, error) values ('LedgerProjection:All', 'The disk was full.')");
        await it.StartDaemon();

        await Eventually.Holds("it runs", async () =>
            (await it.Store.ProjectionOperations.List(CancellationToken.None)).Single() is { State: "running", Error: null });
    }

    private async Task<Ledger?> View(string key)
    {
        await using var session = it.Store.QuerySession();
        return await session.LoadAsync<Ledger>(key);
    }

    private Task<IReadOnlyList<ParkedKey>> Parked() => it.Store.ProjectionOperations.Parked("LedgerProjection", CancellationToken.None);

    /// <param name="Story">Every event that was applied, in that order.</param>
    public sealed record Ledger(string Id, string Story);

    public sealed class LedgerProjection : MultiStreamProjection<Ledger, string>
    {
        public const int Unwritable = 666;
        private volatile bool isStrict;
        private volatile string mark = "\0";

        public LedgerProjection() => Identity<Packed>(packed => packed.Owner ?? throw new InvalidOperationException("No owner."));

        public bool IsStrict
        {
            get => isStrict;
            set => isStrict = value;
        }

        /// <summary>What it writes for <see cref="Unwritable"/>; at first a letter that PostgreSQL does not take.</summary>
        public string Mark
        {
            get => mark;
            set => mark = value;
        }

        public override Ledger? Evolve(Ledger? snapshot, string id, IEvent e) => e.Data switch
        {
            Packed { Items: < 0 } when IsStrict => throw new InvalidOperationException("Negative items."),
            Packed packed => new(id, $"{snapshot?.Story} {(packed.Items == Unwritable ? Mark : packed.Items)}".Trim(' ')),
            _ => snapshot,
        };
    }
}
