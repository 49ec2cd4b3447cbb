using CaveComm.Messaging;
using Npgsql;
using NpgsqlTypes;

namespace CaveComm.Benchmarks.Messaging;

/// <summary>Eight publishers and a handler that does nothing, beside a prepared insert and a prepared mark on held connections.</summary>
/// <param name="groups">Over how many groups the messages are spread; 0 for none.</param>
public sealed class ThroughputBenchmark(int groups) : IBenchmark
{
    private const int Publishers = 8;
    private const int MostAhead = 2_000;
    private const string Note = "the parcel stands behind the flower pot";

    private long number;

    public string Name => groups == 0 ? "messages.8-publishers" : $"messages.8-publishers-{groups}-groups";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var database = await server.NewDatabase(cancel);
        var mailbox = new Mailbox();
        await using var office = new PostOffice(database.ConnectionString, mailbox);
        await office.Start(cancel);
        var connections = new List<NpgsqlConnection>();
        for (var i = 0; i < Publishers; i++)
        {
            var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString);
            await connection.OpenAsync(cancel);
            connections.Add(connection);
        }

        await using (var create = new NpgsqlCommand("create table plain (id uuid primary key, body jsonb not null, handled timestamptz)", connections[0]))
        {
            await create.ExecuteNonQueryAsync(cancel);
        }

        var (plain, ours, ratio) = await Measure.InTurns(
            rounds: 5, each: TimeSpan.FromSeconds(2), Publishers, publisher => Plain(connections[publisher]), _ => () => Ours(office, mailbox));
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(30));
        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }

        return mailbox.Count == number
            ? [new($"{Name}.plain", plain.PerSecond, "msg/s", plain.P50, plain.P99), new(Name, ours.PerSecond, "msg/s", ours.P50, ours.P99, Limit: 1, Ratio: ratio)]
            : throw new InvalidOperationException($"{number} messages were published and {mailbox.Count} handled.");
    }

    private static Func<Task> Plain(NpgsqlConnection connection)
    {
        var insert = new NpgsqlCommand("insert into plain (id, body) values ($1, $2)", connection)
        {
            Parameters = { new() { NpgsqlDbType = NpgsqlDbType.Uuid }, new() { NpgsqlDbType = NpgsqlDbType.Jsonb } },
        };
        var mark = new NpgsqlCommand("update plain set handled = now() where id = $1", connection) { Parameters = { new() { NpgsqlDbType = NpgsqlDbType.Uuid } } };
        insert.Prepare();
        mark.Prepare();
        return async () =>
        {
            var id = Guid.CreateVersion7();
            insert.Parameters[0].Value = id;
            insert.Parameters[1].Value = $$"""{"number":1,"note":"{{Note}}"}""";
            await insert.ExecuteNonQueryAsync();
            mark.Parameters[0].Value = id;
            await mark.ExecuteNonQueryAsync();
        };
    }

    private async Task Ours(PostOffice office, Mailbox mailbox)
    {
        var mine = Interlocked.Increment(ref number);
        await office.Publish(new Post(mine, Note), groups == 0 ? null : new DeliveryOptions { GroupId = $"group-{mine % groups}" });
        while (Volatile.Read(ref number) - mailbox.Count > MostAhead)
        {
            await Task.Delay(1); // Publishing faster than handling is no throughput.
        }
    }
}
