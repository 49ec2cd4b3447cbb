using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore.Conformance;

/// <summary>E12: start-up, tail and reads of one stream look only at what they need, however long the log is. (The times stand in docs/benchmarks.md.)</summary>
public sealed class GrowthTests : IAsyncLifetime
{
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task Nothing_but_a_rebuild_reads_the_whole_log()
    {
        var daemon = await it.StartDaemon();
        var events = Soak.Size(50_000, 1_000_000);
        await Fill(events);
        await daemon.WaitForNonStaleData(TimeSpan.FromMinutes(5));
        await daemon.StopAllAsync();
        var start = await RowsRead();
        await it.Database.Scalar<long>("select count(*) from mt_events where data ? 'x'");
        var before = await RowsRead();
        (before - start).ShouldBeGreaterThanOrEqualTo(events, "the measure sees who reads the whole log");

        var node = it.AnotherNode();
        await node.ApplyAllConfiguredChangesToDatabaseAsync();
        var again = await it.StartDaemon(node);
        await Eventually.Holds("it runs", () => again.Shards.All(shard => shard.State == ShardStatus.Running));
        for (var i = 0; i < 20; i++)
        {
            await using var session = node.LightweightSession();
            var stream = await session.Events.FetchForWriting<Parcel>($"parcel/{i}");
            stream.AppendOne(new Weighed(i));
            session.Events.StartStream<Parcel>($"parcel/new/{i}", new Packed("anna", 1));
            await session.SaveChangesAsync();
        }

        await again.WaitForNonStaleData(StoreUnderTest.Patience);
        await node.ProjectionOperations.List(CancellationToken.None);
        await again.StopAllAsync(); // A session tells the server what it read when it ends.

        (await RowsRead() - before).ShouldBeLessThan(2_000);
    }

    private Task Fill(int events) => it.Database.Execute($$"""
        insert into mt_streams (id, version) select 'parcel/' || n, 10 from generate_series(0, {{events / 10 - 1}}) n;
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp)
            select nextval('mt_events_sequence'), gen_random_uuid(), 'parcel/' || n, v,
                case v when 1 then '{"owner":"anna' || n % 100 || '","items":1}' else '{"grams":7}' end::jsonb,
                case v when 1 then 'parcel.packed' else 'parcel.weighed' end, now()
            from generate_series(0, {{events / 10 - 1}}) n cross join generate_series(1, 10) v order by n, v;
        analyze mt_events
        """);

    // Counted by the server over all sessions that have ended.
    private async Task<long> RowsRead()
    {
        await Eventually.Holds("all other sessions have ended", async () =>
            await it.Database.Scalar<long>($"select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '{it.Database.Name}' and pid <> pg_backend_pid()") == 0);
        return await it.Database.Scalar<long>("select seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_user_tables where relname = 'mt_events'");
    }
}
