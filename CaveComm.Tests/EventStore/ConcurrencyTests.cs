using CaveComm.EventStore;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>Many writers on few streams, while the daemon reads on.</summary>
public sealed class ConcurrencyTests : IAsyncLifetime
{
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task Under_sixteen_writers_each_committed_event_is_seen_once_and_in_order()
    {
        var daemon = await it.StartDaemon();
        var committed = (await Task.WhenAll(Enumerable.Range(0, 16).Select(Write))).Sum();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await it.Database.Scalar<long>("select count(*) from mt_events")).ShouldBe(committed);
        (await it.Database.Scalar<long>("select max(seq_id) from mt_events")).ShouldBeGreaterThan(committed, "some were to be rolled back");
        (await Violations("version <> row_number")).ShouldBe(0, "gaps or forks in a stream");
        (await Violations("seq_id < previous")).ShouldBe(0, "the log has a stream in another order than its versions");
        (await it.Database.Scalar<long>(
            "select count(*) from mt_streams s where version <> (select max(version) from mt_events e where e.stream_id = s.id)")).ShouldBe(0);

        await using var session = it.Store.QuerySession();
        var parcels = (await session.QueryAsync<Parcel>("", CancellationToken.None)).ToDictionary(parcel => parcel.Id);
        foreach (var key in await Streams())
        {
            var events = await session.Events.FetchStreamAsync(key);
            parcels[key].Versions.ShouldBe(Enumerable.Range(1, events.Count).Select(version => (long)version), $"in the view of {key}");
        }
    }

    [Fact]
    public async Task Of_two_readings_of_a_stream_in_one_session_the_older_is_what_is_expected()
    {
        await it.Append("parcel/1", new Packed("anna", 1));
        await using var session = it.Store.LightweightSession();
        var older = await session.Events.FetchForWriting<Parcel>("parcel/1");
        await it.Append("parcel/1", new Weighed(1));
        var newer = await session.Events.FetchForWriting<Parcel>("parcel/1");

        newer.AppendOne(new Weighed(2));
        older.AppendOne(new Weighed(3)); // Decided without knowing of the first weighing.

        await Should.ThrowAsync<EventStreamUnexpectedMaxEventIdException>(() => session.SaveChangesAsync());
    }

    // Each round: a new stream or a hot one, with or without an expectation, one event or three; a tenth is rolled back.
    private async Task<int> Write(int writer)
    {
        var random = new Random(writer);
        var committed = 0;
        for (var round = 0; round < 40; round++)
        {
            await using var session = it.Store.LightweightSession();
            var key = random.Next(4) == 0 ? $"new/{writer}/{round}" : $"hot/{random.Next(3)}";
            object[] events = random.Next(2) == 0 ? [new Packed("anna", 1)] : [new Packed("anna", 1), new Weighed(1), new Weighed(2)];
            if (random.Next(2) == 0)
                session.Events.Append(key, events);
            else
                (await session.Events.FetchForWriting<Parcel>(key)).AppendMany(events);
            if (random.Next(10) == 0)
                ((ISessionTransaction)session).Enlist(new Rollback());
            try
            {
                await session.SaveChangesAsync();
                committed += events.Length;
            }
            catch (ConcurrencyException)
            {
                // Lost the race; what counts is what the others wrote.
            }
            catch (PostgresException rolledBack) when (rolledBack.SqlState == PostgresErrorCodes.DivisionByZero)
            {
            }
        }

        return committed;
    }

    private Task<long> Violations(string condition) => it.Database.Scalar<long>($"""
        select count(*) from (
            select version, seq_id, row_number() over (partition by stream_id order by version),
                lag(seq_id) over (partition by stream_id order by version) as previous
            from mt_events) as e
        where {condition}
        """);

    private async Task<IReadOnlyList<string>> Streams()
    {
        await using var connection = await it.Database.Open();
        await using var command = new NpgsqlCommand("select id from mt_streams", connection);
        await using var rows = await command.ExecuteReaderAsync();
        var keys = new List<string>();
        while (await rows.ReadAsync())
            keys.Add(rows.GetString(0));
        return keys;
    }

    private sealed class Rollback : ITransactionParticipant
    {
        public void AddTo(NpgsqlBatch batch) => batch.BatchCommands.Add(new("select 1 / 0"));

        public Exception? Translate(PostgresException error) => null;

        public void Committed()
        {
        }
    }
}
