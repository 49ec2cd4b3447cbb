using System.Diagnostics;
using CaveComm.EventStore;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>What auditors read, and the heads that they keep.</summary>
public sealed class HistoryTests : IAsyncLifetime
{
    private static readonly int Streams = Environment.GetEnvironmentVariable("CAVECOMM_SOAK") == "1" ? 10_000 : 300;
    private const int EventsEach = 100;
    private StoreUnderTest it = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task An_event_is_told_as_it_is_stored()
    {
        await using var session = it.Store.LightweightSession();
        (session.LastModifiedBy, session.CorrelationId, session.CausationId) = ("anna", "request-1", "message-1");
        var action = session.Events.StartStream<Parcel>("parcel/1", new Packed("anna", 2), new Weighed(700));
        await session.SaveChangesAsync();

        var events = await Read(new());

        events.Count.ShouldBe(2);
        var (first, second) = (events[0], events[1]);
        first.ShouldBe(new StoredEvent(
            action.Events[0].Sequence, action.Events[0].Id, "parcel/1", 1, "parcel.packed", action.Events[0].Timestamp, "anna", "request-1", "message-1",
            first.Hash, null, """{"items": 2, "owner": "anna"}"""));
        first.Hash.ShouldNotBeNull().Length.ShouldBe(64);
        second.PreviousHash.ShouldBe(first.Hash);
        second.Hash.ShouldNotBe(first.Hash);
        (await session.Events.FetchStreamAsync("parcel/1"))[0].Headers.ShouldNotBeNull()["hash"].ShouldBe(first.Hash);
    }

    [Fact]
    public async Task Events_are_found_by_place_type_stream_and_time()
    {
        var one = await it.Append("parcel/1", new Packed("anna", 1), new Weighed(1));
        var two = await it.Append("parcel/2", new Packed("bert", 1), new Weighed(2));
        var three = await it.Append("parcel/1", new Weighed(3));

        (await Found(new(After: one[1].Sequence))).ShouldBe([two[0].Id, two[1].Id, three[0].Id]);
        (await Found(new(Type: "parcel.weighed"))).ShouldBe([one[1].Id, two[1].Id, three[0].Id]);
        (await Found(new(Stream: "parcel/1"))).ShouldBe([one[0].Id, one[1].Id, three[0].Id]);
        (await Found(new(Stream: "parcel/1", Type: "parcel.weighed", After: one[1].Sequence))).ShouldBe([three[0].Id]);
        (await Found(new(From: two[0].Timestamp))).ShouldBe([two[0].Id, two[1].Id, three[0].Id]);
        (await Found(new(To: two[0].Timestamp))).ShouldBe([one[0].Id, one[1].Id, two[0].Id, two[1].Id]);
        (await Found(new(From: two[0].Timestamp, To: two[0].Timestamp))).ShouldBe([two[0].Id, two[1].Id]);
        (await Found(new(Stream: "parcel/9"))).ShouldBeEmpty();
        (await Found(new(After: three[0].Sequence))).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_event_that_nobody_knows_or_can_read_is_told_like_any_other()
    {
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(5));
        await it.Database.Execute("""
            update mt_events set type = 'parcel.forgotten' where version = 1;
            update mt_events set data = '{"grams": "heavy"}', headers = null where version = 2
            """);

        var events = await Read(new());

        events.Select(e => (e.Type, e.Data)).ShouldBe(
            [("parcel.forgotten", """{"items": 1, "owner": "anna"}"""), ("parcel.weighed", """{"grams": "heavy"}""")]);
        events[1].Hash.ShouldBeNull();
        events[1].Actor.ShouldBeNull();
        (await Found(new(Type: "parcel.forgotten"))).ShouldBe([events[0].Id]);
    }

    [Fact]
    public async Task Nothing_is_told_behind_a_gap_that_may_still_be_filled()
    {
        var before = await it.Append("parcel/1", new Packed("anna", 1));
        await using var connection = await it.Database.Open();
        await using (var transaction = await connection.BeginTransactionAsync(Cancel))
        {
            await using (var slow = new NpgsqlCommand(
                """
                insert into mt_streams (id, version) values ('parcel/slow', 1);
                insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp)
                values (nextval('mt_events_sequence'), gen_random_uuid(), 'parcel/slow', 1, '{"owner":"anna","items":1}', 'parcel.packed', now())
                """,
                connection,
                transaction))
                await slow.ExecuteNonQueryAsync(Cancel);
            await it.Append("parcel/2", new Packed("bert", 1));

            (await Found(new())).ShouldBe([before[0].Id]);
            await transaction.CommitAsync(Cancel);
        }

        (await Read(new())).Select(e => e.StreamKey).ShouldBe(["parcel/1", "parcel/slow", "parcel/2"]);
        await it.Database.Execute("select nextval('mt_events_sequence')");
        await it.Append("parcel/3", new Packed("bert", 1));
        (await Read(new())).Count.ShouldBe(4, "a burnt number hides nothing");
    }

    [Fact]
    public async Task Heads_tell_a_rewritten_history_that_fits_in_itself()
    {
        for (var i = 0; i < 1100; i++)
            await it.Append($"parcel/{i % 1050:0000}", new Weighed(i));
        var heads = await it.Store.History.Heads(Cancel).ToListAsync(Cancel);
        heads.Count.ShouldBe(1050);
        heads.Select(head => head.StreamKey).ShouldBe(heads.Select(head => head.StreamKey).Order(StringComparer.Ordinal));
        heads[3].Version.ShouldBe(2);
        await it.Append("parcel/0003", new Weighed(1));
        await it.Append("parcel/new", new Weighed(1));
        (await Compare(heads)).ShouldBeNull();

        // Who may write to the database can chain anew what was changed.
        var last = heads[^1];
        await it.Database.Execute($"delete from mt_streams where id = '{last.StreamKey}'");
        await it.Append(last.StreamKey, new Weighed(1_000_000));
        (await it.Store.History.Verify(null, Cancel)).Broken.ShouldBeNull();
        var rewritten = (await Compare(heads)).ShouldNotBeNull();
        (rewritten.StreamKey, rewritten.Version).ShouldBe((last.StreamKey, 1));
        rewritten.EventId.ShouldNotBeNull();

        await it.Database.Execute("delete from mt_streams where id = 'parcel/0003'");
        var missing = (await Compare(heads)).ShouldNotBeNull();
        (missing.StreamKey, missing.Version, missing.EventId).ShouldBe(("parcel/0003", 2, null));
    }

    [Fact]
    public async Task Heads_tell_rewritten_events_that_carry_no_hash()
    {
        // Marten wrote the last event of one stream, and the first of another.
        await it.Append("parcel/1", new Weighed(1), new Weighed(2));
        await it.Append("parcel/2", new Weighed(1));
        await it.Database.Execute("update mt_events set headers = null where seq_id in (2, 3)");
        await it.Append("parcel/2", new Weighed(2));
        var heads = await it.Store.History.Heads(Cancel).ToListAsync(Cancel);
        foreach (var key in new[] { "parcel/1", "parcel/2" })
            await it.Append(key, new Weighed(3));
        (await Compare(heads)).ShouldBeNull();

        foreach (var (key, position, grams) in new[] { ("parcel/1", 2, 2), ("parcel/2", 3, 1) })
        {
            await it.Database.Execute($"update mt_events set data = jsonb_set(data, '{{grams}}', '700') where seq_id = {position}");
            (await it.Store.History.Verify(null, Cancel)).Broken.ShouldBeNull();
            var rewritten = (await Compare(heads)).ShouldNotBeNull();
            (rewritten.StreamKey, rewritten.Version).ShouldBe((key, 2));
            await it.Database.Execute($"update mt_events set data = jsonb_set(data, '{{grams}}', '{grams}') where seq_id = {position}");
            (await Compare(heads)).ShouldBeNull();
        }

        // What was told before content could stand in for a hash still holds.
        (await Compare([new("parcel/1", 2, null)])).ShouldBeNull();
    }

    [Fact]
    public async Task A_long_log_is_read_and_verified_in_constant_memory()
    {
        await Parallel.ForAsync(0, Streams, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Cancel }, async (stream, _) =>
            await it.Append($"parcel/{stream}", [.. Enumerable.Range(0, EventsEach).Select(n => new Packed($"owner {n} of {stream}", n))]));
        var total = (long)Streams * EventsEach;
        GC.Collect();
        var memory = GC.GetTotalMemory(forceFullCollection: true);
        var most = 0L;
        var reports = new List<VerificationProgress>();

        var began = Stopwatch.GetTimestamp();
        var verified = await it.Store.History.Verify(new Direct(progress =>
        {
            reports.Add(progress);
            most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: false));
        }), Cancel);
        var took = Stopwatch.GetElapsedTime(began);

        verified.ShouldBe(new(total, Streams, 0, null));
        reports.Select(report => report.EventsDone).ShouldBeInOrder();
        reports[^1].ShouldBe(new(total, total));
        TestContext.Current.TestOutputHelper?.WriteLine($"{total} events verified, {total / took.TotalSeconds:N0} a second");

        var (count, sequence) = (0L, 0L);
        await foreach (var stored in it.Store.History.Read(new(), Cancel))
        {
            stored.Sequence.ShouldBeGreaterThan(sequence);
            sequence = stored.Sequence;
            if (++count % 10_000 == 0)
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: false));
        }

        count.ShouldBe(total);
        (most - memory).ShouldBeLessThan(100 << 20);
    }

    [Fact]
    public async Task Writers_go_on_while_the_log_is_verified()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var writing = Parallel.ForAsync(0, 4, Cancel, async (writer, _) =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
                await it.Append($"parcel/{(writer + i) % 7}", new Weighed(i));
        });
        for (var i = 0; i < 20; i++)
            (await it.Store.History.Verify(null, Cancel)).Broken.ShouldBeNull();
        await stop.CancelAsync();
        await writing;
        (await it.Store.History.Verify(null, Cancel)).Events.ShouldBe(await it.Database.Scalar<long>("select count(*) from mt_events"));
    }

    private async Task<List<StoredEvent>> Read(EventFilter filter) => await it.Store.History.Read(filter, Cancel).ToListAsync(Cancel);

    private async Task<IEnumerable<Guid>> Found(EventFilter filter) => (await Read(filter)).Select(e => e.Id);

    private Task<BrokenEvent?> Compare(IEnumerable<StreamHead> heads) => it.Store.History.Compare(heads.ToAsyncEnumerable(), Cancel);

    private sealed class Direct(Action<VerificationProgress> report) : IProgress<VerificationProgress>
    {
        public void Report(VerificationProgress value) => report(value);
    }
}
