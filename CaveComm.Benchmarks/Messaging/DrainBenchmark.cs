using Npgsql;

namespace CaveComm.Benchmarks.Messaging;

/// <summary>Empties a full table with a handler that does nothing, beside a loop that leases a batch with <c>for update skip locked</c> and deletes it.</summary>
public sealed class DrainBenchmark : IBenchmark
{
    private const int Messages = 20_000;
    private const int Batch = 100;

    private const string CreatePlain =
        """
        create table plain (id uuid primary key, seq bigint generated always as identity, body jsonb not null, locked_until timestamptz);
        create index on plain (seq)
        """;

    private const string FillPlain =
        """insert into plain (id, body) select gen_random_uuid(), jsonb_build_object('number', n, 'note', 'in the hall') from generate_series(1, $1) n""";

    private const string Fill =
        """
        insert into cavecomm_messages (id, seq, type, queue, body, due_at)
        select gen_random_uuid(), nextval('cavecomm_messages_seq'), 'post', 'default', jsonb_build_object('number', n, 'note', 'in the hall'), now()
        from generate_series(1, $1) n
        """;

    private const string Lease =
        """
        with next as materialized (select id from plain where locked_until is null or locked_until <= now() order by seq limit $1 for update skip locked)
        update plain p set locked_until = now() + interval '30 seconds' from next where p.id = next.id returning p.id, p.body::text
        """;

    public string Name => "messages.drain-20000";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var database = await server.NewDatabase(cancel);
        var mailbox = new Mailbox();
        await using var office = new PostOffice(database.ConnectionString, mailbox);
        await office.Start(cancel);
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false, MaxAutoPrepare = 10 }.ConnectionString);
        await connection.OpenAsync(cancel);
        await Execute(connection, CreatePlain);

        var (plain, ours, ratio) = await Rounds.InTurns(
            Messages,
            async () =>
            {
                await Execute(connection, FillPlain, Messages);
                await Execute(connection, "vacuum analyze plain");
                return () => Drain(connection);
            },
            async () =>
            {
                var goal = mailbox.Count + Messages;
                await Execute(connection, Fill, Messages);
                await Execute(connection, "vacuum analyze cavecomm_messages");
                return async () =>
                {
                    office.Poke();
                    await mailbox.Until(goal, cancel);
                    await office.Messages.WaitForIdle(TimeSpan.FromSeconds(30));
                };
            });
        return [new($"{Name}.plain", plain, "msg/s"), new(Name, ours, "msg/s", Limit: 0.8, Ratio: ratio)];
    }

    private static async Task Drain(NpgsqlConnection connection)
    {
        while (true)
        {
            var taken = new List<Guid>();
            await using (var lease = new NpgsqlCommand(Lease, connection) { Parameters = { new() { Value = Batch } } })
            await using (var rows = await lease.ExecuteReaderAsync())
            {
                while (await rows.ReadAsync())
                {
                    taken.Add(rows.GetGuid(0));
                    _ = rows.GetString(1);
                }
            }

            if (taken.Count == 0)
            {
                return;
            }

            await Execute(connection, "delete from plain where id = any($1)", (object)taken.ToArray());
        }
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync();
    }
}
