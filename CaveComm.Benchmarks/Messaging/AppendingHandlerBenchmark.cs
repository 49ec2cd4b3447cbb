using CaveComm.Benchmarks.EventStore;
using Npgsql;

namespace CaveComm.Benchmarks.Messaging;

/// <summary>Handlers that start a stream each, for messages that wait in the table, beside as many writers that start streams without any message.</summary>
public sealed class AppendingHandlerBenchmark : IBenchmark
{
    private const int Appends = 4_000;
    private const int Writers = 16; // As many handlers as a node runs side by side.

    private const string Fill =
        """
        insert into cavecomm_messages (id, seq, type, queue, body, due_at)
        select gen_random_uuid(), nextval('cavecomm_messages_seq'), 'read-meter', 'default', jsonb_build_object('number', n), now()
        from generate_series($1, $2) n
        """;

    private long number;

    public string Name => "messages.appending-handlers";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var meters = await MeterStore.Create(server, cancel);
        var mailbox = new Mailbox();
        await using var office = new PostOffice(meters.ConnectionString, mailbox, meters.Store);
        await office.Start(cancel);
        await using var connection = await meters.Open();

        var (plain, ours, ratio) = await Rounds.InTurns(
            Appends,
            () => Task.FromResult<Func<Task>>(() => Append(meters)),
            async () =>
            {
                await using var fill = new NpgsqlCommand(Fill, connection) { Parameters = { new() { Value = number + 1 }, new() { Value = number += Appends } } };
                await fill.ExecuteNonQueryAsync(cancel);
                await using var vacuum = new NpgsqlCommand("vacuum analyze cavecomm_messages", connection);
                await vacuum.ExecuteNonQueryAsync(cancel);
                var goal = mailbox.Count + Appends;
                return async () =>
                {
                    office.Poke();
                    await mailbox.Until(goal, cancel);
                    await office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));
                };
            });
        await using var count = new NpgsqlCommand("select count(*) from mt_events", connection);
        return await count.ExecuteScalarAsync(cancel) is long appended && appended == number
            ? [new($"{Name}.plain", plain, "appends/s"), new(Name, ours, "appends/s", Limit: 0.7, Ratio: ratio)]
            : throw new InvalidOperationException("Not each message appended one event.");
    }

    private Task Append(MeterStore meters)
    {
        var last = number + Appends;
        return Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref number) is var mine && mine <= last)
            {
                var key = $"meter/{mine}";
                await using var session = MeterStore.Session(meters.Store);
                session.Events.StartStream<MeterView>(key, MeterStore.Reading(key));
                await session.SaveChangesAsync();
            }
        }))).ContinueWith(done => number = last, CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
    }
}
