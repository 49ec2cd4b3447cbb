using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>New code beside old code over one database.</summary>
public sealed class VersionTests : IAsyncLifetime
{
    private Task<long> Building() => it.Database.Scalar<long>("select count(*) from pg_class where relkind = 'r' and relname like 'cavecomm_building_%'");

    // A node's locks go with its connection, which the server ends a moment after it was closed.
    private Task NobodyFeeds() => Eventually.Holds("all locks of the nodes that have stopped are gone", async () =>
        await it.Database.Scalar<long>("select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())") == 0);

    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task A_new_version_is_built_beside_the_old_one_which_old_code_goes_on_using()
    {
        await Fill(streams: 60, eventsEach: 10);
        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        var newer = it.AnotherNode(options => options.Projections.Add(new ParcelProjection { Version = 2 }, ProjectionLifecycle.Async));
        await newer.ApplyAllConfiguredChangesToDatabaseAsync();
        var rebuild = new ProjectionRebuild(newer) { ViewsPerSlice = 10 };
        (await rebuild.NeedsBuilding(RebuildControlTests.Parcels(newer), CancellationToken.None)).ShouldBeTrue();
        (await rebuild.NeedsBuilding(RebuildControlTests.Parcels(it.Store), CancellationToken.None)).ShouldBeFalse();

        var meanwhile = 0;
        await rebuild.Run(
            RebuildControlTests.Parcels(newer),
            new RebuildControlTests.Told(told =>
            {
                if (told.State == "running")
                    OldCodeGoesOn(daemon, meanwhile++).GetAwaiter().GetResult();
            }),
            CancellationToken.None);

        meanwhile.ShouldBeGreaterThan(3);
        (await rebuild.NeedsBuilding(RebuildControlTests.Parcels(newer), CancellationToken.None)).ShouldBeFalse();
        (await Rows("mt_doc_parcel_2")).ShouldBe(await Rows("mt_doc_parcel"));
        await it.Append("parcel/new", new Packed("anna", 1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await daemon.StopAllAsync();
        var newDaemon = await it.StartDaemon(newer);
        await newDaemon.WaitForNonStaleData(StoreUnderTest.Patience);
        (await Rows("mt_doc_parcel_2")).ShouldBe(await Rows("mt_doc_parcel"));
    }

    [Fact]
    public async Task The_table_of_an_earlier_version_goes_once_no_node_feeds_it()
    {
        await Fill(streams: 3, eventsEach: 2);
        var oldDaemon = await it.StartDaemon();
        await oldDaemon.WaitForNonStaleData(StoreUnderTest.Patience);
        var newer = it.AnotherNode(options => options.Projections.Add(new ParcelProjection { Version = 2 }, ProjectionLifecycle.Async));
        await newer.ApplyAllConfiguredChangesToDatabaseAsync();
        (await newer.ProjectionOperations.DropRetired(TimeSpan.Zero, CancellationToken.None)).ShouldBeEmpty("the new version has nothing yet");
        await new ProjectionRebuild(newer).Run(RebuildControlTests.Parcels(newer), null, CancellationToken.None);

        (await newer.ProjectionOperations.DropRetired(TimeSpan.Zero, CancellationToken.None)).ShouldBeEmpty("a node with the old code feeds it");
        await oldDaemon.StopAllAsync();
        await NobodyFeeds();
        (await newer.ProjectionOperations.DropRetired(TimeSpan.FromDays(1), CancellationToken.None)).ShouldBeEmpty("that was a moment ago");
        await LeaveBuilding();
        (await newer.ProjectionOperations.DropRetired(TimeSpan.Zero, CancellationToken.None)).ShouldBe(["mt_doc_parcel"]);
        (await Building()).ShouldBe(0);
        (await newer.ProjectionOperations.DropRetired(TimeSpan.Zero, CancellationToken.None)).ShouldBeEmpty();

        // Old code comes back, finds its table gone and has it again.
        await it.Store.ApplyAllConfiguredChangesToDatabaseAsync();
        oldDaemon = await it.StartDaemon();
        await oldDaemon.WaitForNonStaleData(StoreUnderTest.Patience);
        (await Rows("mt_doc_parcel")).ShouldBe(await Rows("mt_doc_parcel_2"));
    }

    [Fact]
    public async Task A_table_that_old_code_is_filling_stays_until_that_is_over()
    {
        var newer = await RetireWithoutFeeding();
        await LeaveBuilding();
        await using var rebuilding = await it.Database.Open();
        await On(rebuilding, $"select pg_advisory_lock({new RebuildTable(it.Store).LockOf("ParcelProjection:All")})");

        (await newer.ProjectionOperations.DropRetired(TimeSpan.Zero, CancellationToken.None)).ShouldBeEmpty("somebody fills it");
        (await Building()).ShouldBe(2);
        (await Rows("mt_doc_parcel")).ShouldBe(await Rows("mt_doc_parcel_2"));

        await On(rebuilding, "select pg_advisory_unlock_all()");
        (await newer.ProjectionOperations.DropRetired(TimeSpan.Zero, CancellationToken.None)).ShouldBe(["mt_doc_parcel"]);
        (await Building()).ShouldBe(0);
    }

    [Fact]
    public async Task Whoever_drops_it_takes_the_place_in_the_log_before_the_table_as_all_others_do()
    {
        var newer = await RetireWithoutFeeding();
        await using var other = await it.Database.Open();
        await On(other, "begin; select from mt_event_progression where name = 'ParcelProjection:All' for update");

        var dropping = newer.ProjectionOperations.DropRetired(TimeSpan.Zero, CancellationToken.None);
        await Eventually.Holds("it waits", async () => await it.Database.Scalar<long>("select count(*) from pg_locks where not granted") == 1);
        await On(other, "lock table mt_doc_parcel in row exclusive mode nowait; commit");

        (await dropping).ShouldBe(["mt_doc_parcel"]);
    }

    [Fact]
    public async Task Of_nodes_that_drop_it_at_once_one_does_and_what_breaks_off_leaves_all()
    {
        await Fill(streams: 3, eventsEach: 2);
        var oldDaemon = await it.StartDaemon();
        await oldDaemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await oldDaemon.StopAllAsync();
        var nodes = Enumerable.Range(0, 4).Select(_ => it.AnotherNode(options => options.Projections.Add(new ParcelProjection { Version = 2 }, ProjectionLifecycle.Async))).ToArray();
        await nodes[0].ApplyAllConfiguredChangesToDatabaseAsync();
        await new ProjectionRebuild(nodes[0]).Run(RebuildControlTests.Parcels(nodes[0]), null, CancellationToken.None);
        await NobodyFeeds();
        var before = await Rows("mt_doc_parcel");

        // Somebody's own view of it stands in the way.
        await it.Database.Execute("create view mine as select id from mt_doc_parcel");
        await Should.ThrowAsync<PostgresException>(() => nodes[0].ProjectionOperations.DropRetired(TimeSpan.Zero, CancellationToken.None));
        (await Rows("mt_doc_parcel")).ShouldBe(before);
        (await it.Database.Scalar<long>("select count(*) from mt_event_progression where name = 'ParcelProjection:All'")).ShouldBe(1);
        await it.Database.Execute("drop view mine");

        // A reader keeps the first of them waiting. The others have nothing to do meanwhile, and nothing to trip over afterwards.
        var reader = await it.Database.Open();
        await using (var reading = new NpgsqlCommand("begin; select count(*) from mt_doc_parcel", reader))
        {
            await reading.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var dropping = nodes.Select(node => node.ProjectionOperations.DropRetired(TimeSpan.Zero, CancellationToken.None)).ToArray();
        await Eventually.Holds("all but one are done", () => dropping.Count(task => task.IsCompletedSuccessfully) == nodes.Length - 1);
        await reader.DisposeAsync();

        (await Task.WhenAll(dropping)).SelectMany(tables => tables).ShouldBe(["mt_doc_parcel"]);
    }

    [Fact]
    public async Task A_new_version_over_a_short_log_feeds_itself()
    {
        await it.Append("parcel/1", new Packed("anna", 1));
        var newer = it.AnotherNode(options => options.Projections.Add(new ParcelProjection { Version = 2 }, ProjectionLifecycle.Async));

        (await new ProjectionRebuild(newer).NeedsBuilding(RebuildControlTests.Parcels(newer), CancellationToken.None)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_statement_that_was_prepared_on_the_old_table_reads_the_new_one()
    {
        await Fill(streams: 5, eventsEach: 2);
        var daemon = it.Store.BuildProjectionDaemon();
        await daemon.RebuildProjectionAsync<Parcel>(CancellationToken.None);
        await using var connection = await it.Store.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("select count(*), sum(mt_version) from mt_doc_parcel", connection);
        await command.PrepareAsync(TestContext.Current.CancellationToken);
        (await Read()).ShouldBe((5, 10));

        await it.Append("parcel/0", new Weighed(1));
        await daemon.RebuildProjectionAsync<Parcel>(CancellationToken.None);
        (await Read()).ShouldBe((5, 11));

        async Task<(long, decimal)> Read()
        {
            await using var row = await command.ExecuteReaderAsync();
            await row.ReadAsync();
            return (row.GetInt64(0), row.GetDecimal(1));
        }
    }

    [Fact]
    public async Task A_transaction_that_reads_from_one_snapshot_never_finds_the_view_empty()
    {
        await Fill(streams: 5, eventsEach: 2);
        var daemon = it.Store.BuildProjectionDaemon();
        await daemon.RebuildProjectionAsync<Parcel>(CancellationToken.None);
        await using var reader = await it.Database.Open();
        await using var dump = await reader.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await Count("mt_streams");

        var rebuild = daemon.RebuildProjectionAsync<Parcel>(CancellationToken.None);
        await Eventually.Holds("the new table is full", async () =>
            await it.Database.Scalar<long>("select count(*) from pg_class where relname = 'cavecomm_building_parcel_key'") == 1);
        (await Count("mt_doc_parcel")).ShouldBe(5);
        await dump.CommitAsync();
        await rebuild;

        async Task<long> Count(string table)
        {
            await using var command = new NpgsqlCommand($"select count(*) from {table}", reader);
            return (long)(await command.ExecuteScalarAsync())!;
        }
    }

    [Fact]
    public async Task Four_nodes_that_start_at_once_give_a_filled_table_its_new_column()
    {
        await Fill(streams: 50, eventsEach: 2);
        var daemon = await it.StartDaemon();
        var nodes = Enumerable.Range(0, 4).Select(_ => it.AnotherNode(options =>
        {
            StoreUnderTest.Async(options);
            options.Schema.For<Parcel>().Duplicate(parcel => parcel.Owner).Duplicate(parcel => parcel.Grams).Duplicate(parcel => parcel.SentAt);
            options.Schema.For<Shelf>().Duplicate(shelf => shelf.Items);
        })).ToList();
        var writing = Fill(streams: 50, eventsEach: 1);

        await Task.WhenAll(nodes.Select(node => node.ApplyAllConfiguredChangesToDatabaseAsync()));
        await writing;
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await daemon.StopAllAsync();

        // Old code writes on and leaves the column empty; what was there has it, and a rebuild by new code gives it to all.
        foreach (var registration in nodes[0].Options.Projections.Stored())
            await new ProjectionRebuild(nodes[0]).Run(registration, null, CancellationToken.None);
        (await it.Database.Scalar<long>("select count(*) from mt_doc_parcel where owner = data ->> 'owner' and grams = (data ->> 'grams')::bigint")).ShouldBe(50);
        (await it.Database.Scalar<long>("select count(*) from mt_doc_shelf where items = (data ->> 'items')::int")).ShouldBe(1);
    }

    /// <summary>A newer version that has all, beside the table of one that no node feeds any more.</summary>
    private async Task<DocumentStore> RetireWithoutFeeding()
    {
        await Fill(streams: 3, eventsEach: 2);
        var oldDaemon = await it.StartDaemon();
        await oldDaemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await oldDaemon.StopAllAsync();
        var newer = it.AnotherNode(options => options.Projections.Add(new ParcelProjection { Version = 2 }, ProjectionLifecycle.Async));
        await newer.ApplyAllConfiguredChangesToDatabaseAsync();
        await new ProjectionRebuild(newer).Run(RebuildControlTests.Parcels(newer), null, CancellationToken.None);
        await NobodyFeeds();
        return newer;
    }

    // As a killed rebuild leaves them.
    private Task LeaveBuilding() =>
        it.Database.Execute("create table cavecomm_building_parcel (id varchar); create table cavecomm_building_parcel_aside (key varchar)");

    private static async Task On(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task OldCodeGoesOn(ProjectionDaemon daemon, int number)
    {
        var happened = await it.Append($"parcel/{number}", new Weighed(number));
        (await daemon.WaitForPosition<Parcel>(happened[0].Sequence, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        await using var session = it.Store.QuerySession();
        (await session.LoadAsync<Parcel>($"parcel/{number}"))!.Grams.ShouldBe(number);
    }

    private async Task Fill(int streams, int eventsEach)
    {
        await using var session = it.Store.LightweightSession();
        for (var stream = 0; stream < streams; stream++)
            session.Events.Append($"parcel/{stream}", [.. Enumerable.Range(0, eventsEach).Select(i => (object)(i == 0 ? new Packed("anna", 1) : new Weighed(i)))]);
        await session.SaveChangesAsync();
    }

    private Task<string> Rows(string table) =>
        it.Database.Scalar<string>($"select string_agg(concat(id, ' ', mt_version, ' ', data), E'\\n' order by id) from {table}");
}
