using System.Diagnostics;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

public sealed class DaemonTests : IAsyncLifetime
{
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task Views_follow_the_log_and_a_position_can_be_waited_for()
    {
        var daemon = await it.StartDaemon();
        var events = await it.Append("parcel/1", new Packed("anna", 2), new Weighed(5));

        (await daemon.WaitForPosition<Parcel>(events[^1].Sequence, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();

        await using var session = it.Store.QuerySession();
        (await session.LoadAsync<Parcel>("parcel/1"))!.Versions.ShouldBe([1, 2]);
        (await it.Database.Scalar<long>("select mt_version from mt_doc_parcel")).ShouldBe(2);
        (await it.Database.Scalar<long>("select last_seq_id from mt_event_progression where name = 'ParcelProjection:All'"))
            .ShouldBe(events[^1].Sequence);
        (await daemon.WaitForPosition<Parcel>(events[^1].Sequence + 1, TimeSpan.FromMilliseconds(20), CancellationToken.None)).ShouldBeFalse();
        await Eventually.Holds("the high-water mark is kept", async () =>
            await it.Database.Scalar<long>("select coalesce(max(last_seq_id), 0) from mt_event_progression where name = 'HighWaterMark'") == events[^1].Sequence);
    }

    [Fact]
    public async Task A_transaction_held_open_delays_what_follows_it_and_hides_nothing()
    {
        var daemon = await it.StartDaemon();
        await it.Append("parcel/0", new Packed("anna", 1));
        await using var slow = await it.Database.Open();
        await using var transaction = await slow.BeginTransactionAsync();
        await InsertByHand(slow, "parcel/slow");
        var after = await it.Append("parcel/2", new Packed("anna", 1));

        await Eventually.Holds("the event behind the gap is known", () => daemon.Shards.All(shard => shard.HighWaterMark == after[0].Sequence));
        (await daemon.WaitForPosition<Parcel>(after[0].Sequence, TimeSpan.FromMilliseconds(400), CancellationToken.None)).ShouldBeFalse();
        daemon.Shards.ShouldAllBe(shard => shard.LagEvents > 0 && shard.LagSeconds > 0);
        await transaction.CommitAsync();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        await using var session = it.Store.QuerySession();
        (await session.LoadAsync<Parcel>("parcel/slow")).ShouldNotBeNull();
        (await session.LoadAsync<Shelf>("anna"))!.Parcels.ShouldBe(3);
        daemon.Shards.ShouldAllBe(shard => shard.LagEvents == 0 && shard.LagSeconds == 0);
    }

    [Fact]
    public async Task A_burnt_number_costs_no_seconds()
    {
        var daemon = await it.StartDaemon();
        await it.Append("parcel/0", new Packed("anna", 1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await it.Database.Execute("select nextval('mt_events_sequence') from generate_series(1, 5)");

        var waited = Stopwatch.StartNew();
        var events = await it.Append("parcel/1", new Packed("anna", 1));
        (await daemon.WaitForPosition<Parcel>(events[0].Sequence, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();

        events[0].Sequence.ShouldBe(7);
        waited.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_write_transaction_in_another_database_is_not_waited_for()
    {
        await using var elsewhere = await TestDatabase.Create();
        await elsewhere.Execute("create table busy (id int)");
        await using var connection = await elsewhere.Open();
        await using var open = await connection.BeginTransactionAsync();
        await using (var write = new NpgsqlCommand("insert into busy values (1)", connection))
            await write.ExecuteNonQueryAsync();
        var daemon = await it.StartDaemon();
        await it.Append("parcel/0", new Packed("anna", 1));
        await it.Database.Execute("select nextval('mt_events_sequence')");

        var events = await it.Append("parcel/1", new Packed("anna", 1));

        (await daemon.WaitForPosition<Parcel>(events[0].Sequence, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task Events_of_another_process_are_heard_of()
    {
        var daemon = await it.StartDaemon();
        var other = it.AnotherNode();
        await using var session = other.LightweightSession();
        var action = session.Events.Append("parcel/1", new Packed("anna", 1));
        await session.SaveChangesAsync();

        (await daemon.WaitForPosition<Parcel>(action.Events[0].Sequence, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_daemon_that_is_killed_again_and_again_applies_each_event_once()
    {
        var stop = false;
        var writing = Task.Run(async () =>
        {
            for (var i = 0; !Volatile.Read(ref stop); i++)
                await it.Append($"parcel/{i % 7}", new Packed("anna", 1));
        });
        var daemon = await it.StartDaemon();
        for (var round = 0; round < 10; round++)
        {
            var applied = daemon.Shards[0].Position;
            await Eventually.Holds("something is applied", () => daemon.Shards[0].Position > applied + 5);
            if (round % 2 == 0)
            {
                await it.Database.Execute(
                    $"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{it.Database.Name}' and application_name like 'cavecomm%' and pid <> pg_backend_pid()");
            }
            else
            {
                await daemon.DisposeAsync();
                daemon = await it.StartDaemon();
            }
        }

        Volatile.Write(ref stop, true);
        await writing;
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        await using var session = it.Store.QuerySession();
        var sequences = (await session.LoadAsync<Shelf>("anna"))!.Sequences;
        sequences.Count.ShouldBe((int)await it.Database.Scalar<long>("select count(*) from mt_events"));
        sequences.ShouldBeInOrder();
        sequences.ShouldBeUnique();
    }

    [Fact]
    public async Task A_projection_that_was_moved_by_another_goes_on_from_there()
    {
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", 1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await it.Database.Execute("update mt_event_progression set last_seq_id = 0; delete from mt_doc_shelf");
        await it.Append("parcel/2", new Packed("anna", 1));

        await Eventually.Holds("the view is complete again", async () =>
        {
            await using var session = it.Store.QuerySession();
            return await session.LoadAsync<Shelf>("anna") is { Sequences: [1, 2] };
        });
    }

    private static async Task InsertByHand(NpgsqlConnection connection, string key)
    {
        await using var command = new NpgsqlCommand($$"""
            insert into mt_streams (id, version) values ('{{key}}', 1);
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp)
            values (nextval('mt_events_sequence'), gen_random_uuid(), '{{key}}', 1, '{"owner":"anna","items":1}', 'parcel.packed', now())
            """, connection);
        await command.ExecuteNonQueryAsync();
    }
}
