using Npgsql;

namespace CaveComm.Benchmarks.Http;

/// <summary><c>POST …/request</c> by eight customers at once, with the two mails that follow each, beside the same rows inserted plainly.</summary>
public sealed class RequestBenchmark : IBenchmark
{
    private const int Customers = 8;

    private const string Plainly = """
        with stream as (insert into plain_stream (id, version) values ($1, 1)),
             event as (insert into plain_event (id, stream_id, version, data) values ($2, $1, 1, $3)),
             customer as (insert into plain_document (id, data) values ($4, '{}'))
        insert into plain_message (id, body) values ($5, '{"letter":"requestReceived"}'), ($6, '{"letter":"newRequest"}')
        """;

    private int number;

    public string Name => "http.request";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var office = await OfficeUnderLoad.Start(server, cancel);
        var address = await office.Publish("portrait", cancel);
        var connections = new List<NpgsqlConnection>();
        for (var i = 0; i < Customers; i++)
        {
            connections.Add(await office.Open(cancel));
        }

        await using (var tables = new NpgsqlCommand(
            """
            create table plain_stream (id varchar primary key, version bigint not null);
            create table plain_event (seq bigserial primary key, id uuid, stream_id varchar, version bigint, data jsonb, unique (stream_id, version));
            create table plain_document (id varchar primary key, data jsonb not null);
            create table plain_message (id uuid primary key, body jsonb not null);
            """, connections[0]))
        {
            await tables.ExecuteNonQueryAsync(cancel);
        }

        using var client = office.Client();
        var (plain, ours, ratio) = await Measure.InTurns(
            rounds: 3,
            each: TimeSpan.FromSeconds(3),
            Customers,
            customer => Plain(connections[customer]),
            _ => () => OfficeUnderLoad.Ask(client, address, $"customer-{Interlocked.Increment(ref number)}@example.com"));
        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }

        return
        [
            new($"{Name}.plain", plain.PerSecond, "inserts/s", plain.P50, plain.P99),
            new(Name, ours.PerSecond, "requests/s", ours.P50, ours.P99, Ratio: ratio),
        ];
    }

    private static Func<Task> Plain(NpgsqlConnection connection)
    {
        var body = $$$"""{"freelancer":"mira","customer":{"name":"Ada Lovelace","email":"ada@example.com"},"template":{"name":"portrait","price":{"minor":12000,"currency":"EUR"}},"note":"{{{new string('x', 400)}}}"}""";
        var command = new NpgsqlCommand(Plainly, connection)
        {
            Parameters =
            {
                new NpgsqlParameter<string>(), new NpgsqlParameter<Guid>(), new NpgsqlParameter<string> { TypedValue = body, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Jsonb },
                new NpgsqlParameter<string>(), new NpgsqlParameter<Guid>(), new NpgsqlParameter<Guid>(),
            },
        };
        return async () =>
        {
            var id = Guid.CreateVersion7();
            command.Parameters[0].Value = $"commission:{id}";
            command.Parameters[1].Value = Guid.CreateVersion7();
            command.Parameters[3].Value = $"{id}";
            command.Parameters[4].Value = Guid.CreateVersion7();
            command.Parameters[5].Value = Guid.CreateVersion7();
            await command.ExecuteNonQueryAsync();
        };
    }
}
