using System.Diagnostics;
using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore.Conformance;

/// <summary>E3: one order of the whole log, nothing skipped, every stream in version order; and E4: each event once, however often who applies it dies.</summary>
public sealed class OrderTests : IAsyncLifetime
{
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task A_transaction_held_open_delays_skips_nothing_and_shows_as_seconds_of_lag()
    {
        var held = Soak.Size(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(30));
        var daemon = await it.StartDaemon();
        await using var slow = await it.Database.Open();
        await using var transaction = await slow.BeginTransactionAsync();
        await Append(slow, "parcel/slow", version: 1);
        var waited = Stopwatch.StartNew();
        for (var i = 0; i < 50; i++)
            await it.Append($"parcel/{i}", new Packed("anna", 1));

        await Eventually.Holds("the lag has grown", () => daemon.Shards.All(shard => shard.LagSeconds > held.TotalSeconds), held + TimeSpan.FromSeconds(60));
        var summaries = await it.Store.ProjectionOperations.List(CancellationToken.None);
        summaries.ShouldAllBe(summary => summary.LagSeconds > held.TotalSeconds && summary.LagEvents == 50);
        (await it.Database.Scalar<long>("select count(*) from mt_doc_parcel")).ShouldBe(0);
        waited.Elapsed.ShouldBeGreaterThan(held);

        await transaction.CommitAsync();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        (await it.Database.Scalar<long>("select count(*) from mt_doc_parcel")).ShouldBe(51);
        (await Shelf()).Sequences.ShouldBe(Enumerable.Range(1, 51).Select(sequence => (long)sequence));
    }

    [Fact]
    public async Task Who_wrote_elsewhere_long_before_it_appends_stands_where_it_appends()
    {
        await it.Database.Execute("create table elsewhere (id int)");
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", 1));
        await using var early = await it.Database.Open();
        await using var transaction = await early.BeginTransactionAsync();
        await using (var write = new NpgsqlCommand("insert into elsewhere values (1)", early))
            await write.ExecuteNonQueryAsync(); // It has its transaction id now, older than all that follow.

        for (var i = 0; i < 20; i++)
            await it.Append("parcel/1", new Weighed(i));
        await Append(early, "parcel/1", version: 22);
        await transaction.CommitAsync();
        await it.Append("parcel/1", new Weighed(99));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        var order = Enumerable.Range(1, 23).Select(version => (long)version).ToList();
        await using var session = it.Store.QuerySession();
        (await session.LoadAsync<Parcel>("parcel/1"))!.Versions.ShouldBe(order);
        (await session.Events.FetchStreamAsync("parcel/1")).Select(e => e.Version).ShouldBe(order);
        (await it.Database.Scalar<long[]>("select array_agg(version order by seq_id) from mt_events")).ShouldBe(order);
    }

    [Fact]
    public async Task Thirty_two_writers_and_a_daemon_that_is_killed_every_300_ms_lose_and_repeat_nothing()
    {
        var appends = Soak.Size(60, 2000);
        var writing = Task.WhenAll(Enumerable.Range(0, 32).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < appends; i++)
                await it.Append($"parcel/{writer}/{i % 9}", i < 9 ? new Packed($"owner/{writer}", 1) : new Weighed(i));
        })));
        var daemon = await it.StartDaemon();
        using var beat = new PeriodicTimer(TimeSpan.FromMilliseconds(300));
        for (var kill = 0; !writing.IsCompleted || kill < 5; kill++)
        {
            await beat.WaitForNextTickAsync();
            await KillConnections("application_name in ('cavecomm daemon', 'cavecomm tail', 'cavecomm listener')");
        }

        await writing;
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await EveryViewIsWhole();
        (await it.Database.Scalar<long>("select count(*) from mt_events")).ShouldBe(32L * appends);
    }

    [Fact]
    public async Task Every_connection_cut_at_once_loses_and_repeats_nothing()
    {
        var rounds = Soak.Size(4, 40);
        var daemon = await it.StartDaemon();
        var written = 0;
        var stop = false;
        var writing = Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; !Volatile.Read(ref stop); i++)
            {
                await AppendWhatever($"parcel/{writer}/{i}", writer);
                Interlocked.Increment(ref written);
            }
        })));
        for (var round = 0; round < rounds; round++)
        {
            var before = Volatile.Read(ref written);
            await Eventually.Holds("writers go on", () => Volatile.Read(ref written) > before + 40);
            await KillConnections("true");
        }

        Volatile.Write(ref stop, true);
        await writing;
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        (await it.Database.Scalar<long>("select count(*) from mt_events")).ShouldBe(written, "an append was lost or is there twice");
        await EveryViewIsWhole();
    }

    // Whether a commit arrived before the connection was cut is unknown: the same append again finds out, since a stream starts once.
    private async Task AppendWhatever(string key, int writer)
    {
        while (true)
        {
            try
            {
                await using var session = it.Store.LightweightSession();
                session.Events.StartStream<Parcel>(key, new Packed($"owner/{writer}", 1));
                await session.SaveChangesAsync();
                return;
            }
            catch (ExistingStreamIdCollisionException)
            {
                return;
            }
            catch (NpgsqlException cut) when (cut is not PostgresException { SqlState: not PostgresErrorCodes.AdminShutdown })
            {
                // Once more.
            }
        }
    }

    private async Task EveryViewIsWhole()
    {
        (await it.Database.Scalar<long>("""
            select count(*) from mt_streams s left join mt_doc_parcel d on d.id = s.id
            where d.id is null or d.mt_version <> s.version
                or d.data -> 'versions' <> (select jsonb_agg(version order by version) from mt_events e where e.stream_id = s.id)
            """)).ShouldBe(0, "views that are not what their streams say");
        (await it.Database.Scalar<long>("""
            select count(*) from mt_doc_shelf d
            where d.data -> 'sequences' <> (select jsonb_agg(seq_id order by seq_id) from mt_events e where type = 'parcel.packed' and e.data ->> 'owner' = d.id)
            """)).ShouldBe(0, "shelves that do not show each parcel once and in order");
        (await it.Database.Scalar<long>("""
            select count(*) from (select seq_id, lag(seq_id) over (partition by stream_id order by version) as previous from mt_events) as e where seq_id < previous
            """)).ShouldBe(0, "the log has a stream in another order than its versions");
    }

    private Task KillConnections(string which) => it.Database.Execute(
        $"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{it.Database.Name}' and {which} and pid <> pg_backend_pid()");

    private async Task<Shelf> Shelf()
    {
        await using var session = it.Store.QuerySession();
        return (await session.LoadAsync<Shelf>("anna"))!;
    }

    /// <summary>As another program would append, in a transaction that stays open.</summary>
    private static async Task Append(NpgsqlConnection connection, string key, int version)
    {
        await using var command = new NpgsqlCommand($$"""
            insert into mt_streams (id, version) values ('{{key}}', 1) on conflict (id) do update set version = mt_streams.version + 1;
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp)
            values (nextval('mt_events_sequence'), gen_random_uuid(), '{{key}}', {{version}}, '{"owner":"anna","items":1}', 'parcel.packed', now())
            """, connection);
        await command.ExecuteNonQueryAsync();
    }
}
