using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CaveComm.EventStore;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>E11: each event's hash covers its content and the event before it.</summary>
public sealed class ChainTests : IAsyncLifetime
{
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task A_hash_can_be_computed_by_whoever_reads_its_definition()
    {
        await using var session = it.Store.LightweightSession();
        session.LastModifiedBy = "Ännä:\n2";
        session.Events.StartStream<Parcel>("parcel/ß", new Packed("zoë 🐈", 2));
        await session.SaveChangesAsync();
        session.LastModifiedBy = null;
        session.Events.Append("parcel/ß", 3, new Weighed(7), new Packed("a\nb", 1));
        await session.SaveChangesAsync();

        await using var connection = await it.Database.Open();
        await using var command = new NpgsqlCommand(
            "select id, version, type, timestamp, data::text, headers ->> 'hash', headers ->> 'actor' from mt_events order by version", connection);
        await using var row = await command.ExecuteReaderAsync();
        var before = "";
        for (var version = 1; version <= 3; version++)
        {
            (await row.ReadAsync()).ShouldBeTrue();
            string Measured(string text) => $"{Encoding.UTF8.GetByteCount(text)}:{text}";
            var microseconds = (row.GetFieldValue<DateTimeOffset>(3) - DateTimeOffset.UnixEpoch).Ticks / 10;
            var lines = new[]
            {
                before, microseconds.ToString(CultureInfo.InvariantCulture), row.IsDBNull(6) ? "-" : Measured(row.GetString(6)), Measured("parcel/ß"),
                row.GetGuid(0).ToString(), version.ToString(CultureInfo.InvariantCulture), Measured(row.GetString(2)), row.GetString(4),
            };
            before = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))));
            row.GetString(5).ShouldBe(before);
        }

        (await Verified()).ShouldBe(new(3, 1, 0, null));
    }

    [Fact]
    public async Task Every_way_to_append_continues_the_chain()
    {
        await it.Append("parcel/1", new Packed("anna", 1));
        await it.Append("parcel/1", new Weighed(1));
        await it.Append("parcel/2", new Packed("anna", 1), new Weighed(2), new Sent(DateTimeOffset.UnixEpoch));
        await it.Append("parcel/2", new Weighed(3), new Weighed(4));
        await using var session = it.Store.LightweightSession();
        session.LastModifiedBy = "anna";
        session.Events.StartStream<Parcel>("parcel/3", new Packed("anna", 1));
        session.Events.StartStream<Parcel>("parcel/4", new Packed("anna", 1), new Weighed(1));
        await session.SaveChangesAsync();
        session.Events.Append("parcel/3", 2, new Weighed(1));
        session.Events.Append("parcel/4", 4, new Weighed(2), new Weighed(3));
        await session.SaveChangesAsync();
        var one = await session.Events.FetchForWriting<Parcel>("parcel/3");
        var many = await session.Events.FetchForWriting<Parcel>("parcel/4");
        var begun = await session.Events.FetchForWriting<Parcel>("parcel/5");
        for (var round = 0; round < 2; round++)
        {
            one.AppendOne(new Weighed(4));
            many.AppendMany(new Weighed(4), new Weighed(5));
            begun.AppendOne(new Packed("anna", round));
            await session.SaveChangesAsync();
        }

        (await Verified()).ShouldBe(new(2 + 5 + 4 + 8 + 2, 5, 0, null));
    }

    [Fact]
    public async Task Numbers_that_Marten_fills_in_a_stream_of_its_own_break_nothing()
    {
        await it.Append("parcel/1", new Packed("anna", 1));
        await it.FillNumbers(2);
        await it.Append("parcel/1", new Weighed(1));

        (await Verified()).ShouldBe(new(2, 1, 0, null));
    }

    [Fact]
    public async Task An_event_put_among_those_numbers_is_counted_like_any_that_carries_no_hash()
    {
        await it.Append("parcel/1", new Packed("anna", 1));
        await it.FillNumbers(2);
        await it.Database.Execute(
            """
            update mt_streams set version = 1 where id = 'mt_tombstone';
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp)
            values (nextval('mt_events_sequence'), gen_random_uuid(), 'mt_tombstone', 1, '{"owner": "mallory", "items": 9}', 'parcel.packed', now())
            """);

        (await Verified()).ShouldBe(new(2, 2, 1, null));
    }

    [Theory]
    [InlineData("update mt_events set type = 'parcel.packed' where stream_id = 'mt_tombstone'", "mt_tombstone")]
    [InlineData("update mt_events set type = 'tombstone' where stream_id = 'parcel/1'", "parcel/1")]
    [InlineData("update mt_events set type = 'tombstone', stream_id = null where stream_id = 'parcel/1'", "")]
    public async Task What_only_looks_like_such_a_number_is_named(string tampering, string stream)
    {
        await it.Append("parcel/1", new Packed("anna", 1));
        await it.FillNumbers(1);
        await it.Database.Execute(tampering);

        (await Verified()).Broken.ShouldNotBeNull().StreamKey.ShouldBe(stream);
    }

    [Fact]
    public async Task A_stream_that_many_append_to_at_once_keeps_its_chain_whole()
    {
        const int writers = 12, each = 30;
        await Parallel.ForAsync(0, writers, new ParallelOptions { MaxDegreeOfParallelism = writers }, async (writer, cancel) =>
        {
            for (var i = 0; i < each; i++)
            {
                // Half of them meet on a stream that none has begun yet.
                var key = writer % 2 == 0 ? "parcel/hot" : $"parcel/{i / 10}";
                await it.Append(key, [.. Enumerable.Range(0, 1 + (i % 3)).Select(n => new Weighed(n))]);
            }
        });

        var found = await Verified();

        found.Broken.ShouldBeNull();
        found.Events.ShouldBe(writers * each * 2);
        (await it.Database.Scalar<long>("select version from mt_streams where id = 'parcel/hot'")).ShouldBe(writers * each);
    }

    [Fact]
    public async Task Writers_that_expect_a_version_and_lose_leave_the_chain_whole()
    {
        var lost = 0;
        await Parallel.ForAsync(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (writer, cancel) =>
        {
            for (var i = 0; i < 30; i++)
            {
                try
                {
                    await using var session = it.Store.LightweightSession();
                    if (i % 3 == 0)
                    {
                        session.Events.Append("parcel/hot", new Weighed(i));
                    }
                    else if (i % 3 == 1)
                    {
                        (await session.Events.FetchForWriting<Parcel>("parcel/hot", cancel)).AppendMany(new Weighed(i), new Weighed(i));
                    }
                    else
                    {
                        var state = await session.Events.FetchStreamStateAsync("parcel/hot", cancel);
                        session.Events.Append("parcel/hot", (state?.Version ?? 0) + 1, new Weighed(i));
                    }

                    await session.SaveChangesAsync(cancel);
                }
                catch (ConcurrencyException)
                {
                    Interlocked.Increment(ref lost);
                }
            }
        });

        lost.ShouldBeGreaterThan(0, "writers were to race");
        (await Verified()).Broken.ShouldBeNull();
    }

    [Theory]
    [InlineData("update mt_events set data = jsonb_set(data, '{grams}', '701') where stream_id = 'parcel/2' and version = 2", 2, "hash")]
    [InlineData("update mt_events set type = 'parcel.sent' where stream_id = 'parcel/2' and version = 2", 2, "hash")]
    [InlineData("update mt_events set timestamp = timestamp + interval '1 microsecond' where stream_id = 'parcel/2' and version = 2", 2, "hash")]
    [InlineData("update mt_events set headers = jsonb_set(headers, '{actor}', '\"bert\"') where stream_id = 'parcel/2' and version = 2", 2, "hash")]
    [InlineData("update mt_events set headers = headers - 'actor' where stream_id = 'parcel/2' and version = 2", 2, "hash")]
    [InlineData("update mt_events set id = gen_random_uuid() where stream_id = 'parcel/2' and version = 2", 2, "hash")]
    [InlineData("update mt_events set headers = jsonb_set(headers, '{hash}', '\"\"') where stream_id = 'parcel/2' and version = 2", 2, "hash")]
    [InlineData("update mt_events set headers = headers - 'hash' where stream_id = 'parcel/2' and version = 2", 3, "hash")]
    [InlineData("delete from mt_events where stream_id = 'parcel/2' and version = 2", 2, "missing")]
    [InlineData("delete from mt_events where stream_id = 'parcel/2' and version = 1", 1, "missing")]
    [InlineData("delete from mt_events where stream_id = 'parcel/2' and version = 4", 4, "row says version 4")]
    [InlineData("delete from mt_events where stream_id = 'parcel/2'", 1, "row says version 4")]
    [InlineData("update mt_streams set version = 3 where id = 'parcel/2'", 4, "behind")]
    [InlineData("update mt_events set version = version + 1 where stream_id = 'parcel/2' and version = 4", 4, "missing")]
    [InlineData("update mt_events set version = case version when 2 then 30 else 20 end where stream_id = 'parcel/2' and version in (2, 3); update mt_events set version = version / 10 where version > 9", 2, "before version|hash")]
    [InlineData("update mt_events set seq_id = 1000 - seq_id where stream_id = 'parcel/2'", 2, "before version 1")]
    [InlineData("update mt_events set seq_id = seq_id - 1000 where stream_id = 'parcel/2'", 1, "before the log's first place")]
    [InlineData("update mt_events set seq_id = 0 where stream_id = 'parcel/2' and version = 1", 1, "before the log's first place")]
    [InlineData("update mt_events e set data = o.data from mt_events o where e.stream_id = 'parcel/2' and e.version = 2 and o.stream_id = 'parcel/2' and o.version = 3", 2, "hash")]
    public async Task What_was_tampered_with_is_named(string tampering, long version, string reason)
    {
        foreach (var key in new[] { "parcel/1", "parcel/2", "parcel/3" })
        {
            await using var session = it.Store.LightweightSession();
            session.LastModifiedBy = "anna";
            session.Events.StartStream<Parcel>(key, new Packed("anna", 2), new Weighed(700), new Weighed(800), new Weighed(900));
            await session.SaveChangesAsync();
        }

        (await Verified()).Broken.ShouldBeNull();
        await it.Database.Execute(tampering);

        var broken = (await Verified()).Broken.ShouldNotBeNull();

        broken.StreamKey.ShouldBe("parcel/2");
        broken.Version.ShouldBe(version);
        reason.Split('|').ShouldContain(part => broken.Reason.Contains(part, StringComparison.Ordinal), broken.Reason);
    }

    [Fact]
    public async Task The_first_in_the_log_is_named_when_several_do_not_fit()
    {
        await it.Append("parcel/b", new Packed("anna", 1));
        var second = await it.Append("parcel/a", new Packed("anna", 1), new Weighed(1));
        await it.Append("parcel/b", new Weighed(2));
        await it.Database.Execute("""update mt_events set data = '{"grams": 9}' where type = 'parcel.weighed'""");

        var broken = (await Verified()).Broken.ShouldNotBeNull();

        (broken.StreamKey, broken.Version, broken.EventId, broken.Sequence).ShouldBe(("parcel/a", 2, second[1].Id, second[1].Sequence));
    }

    [Fact]
    public async Task Events_of_another_program_are_counted_as_unsealed_and_the_chain_begins_anew_behind_them()
    {
        await it.Append("parcel/1", new Packed("anna", 1));
        await it.Database.Execute(
            """
            update mt_streams set version = 3 where id = 'parcel/1';
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, headers)
            values (nextval('mt_events_sequence'), gen_random_uuid(), 'parcel/1', 2, '{"grams": 5}', 'parcel.weighed', now(), null),
                   (nextval('mt_events_sequence'), gen_random_uuid(), 'parcel/1', 3, '{"grams": 6}', 'parcel.weighed', now(), '{"actor": "bert"}')
            """);
        await it.Append("parcel/1", new Weighed(7));
        await using var session = it.Store.LightweightSession();
        (await session.Events.FetchForWriting<Parcel>("parcel/1")).AppendOne(new Weighed(8));
        await session.SaveChangesAsync();
        await it.Database.Execute(
            """
            update mt_streams set version = 6 where id = 'parcel/1';
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp)
            values (nextval('mt_events_sequence'), gen_random_uuid(), 'parcel/1', 6, '{"grams": 9}', 'parcel.weighed', now())
            """);
        (await session.Events.FetchForWriting<Parcel>("parcel/1")).AppendMany(new Weighed(10), new Weighed(11));
        await session.SaveChangesAsync();
        session.Events.Append("parcel/1", 9, new Weighed(12));
        await session.SaveChangesAsync();

        (await Verified()).ShouldBe(new(9, 1, 3, null));
    }

    private Task<Verification> Verified() => it.Store.History.Verify(null, TestContext.Current.CancellationToken);
}
