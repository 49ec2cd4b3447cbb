using Npgsql;

namespace CaveComm.Benchmarks.Http;

/// <summary><c>GET inbox</c>, fifty lines as JSON, by eight readers at once, beside the plain query on held connections.</summary>
public sealed class InboxBenchmark : IBenchmark
{
    private const int Readers = 8;
    private const int Lines = 50;
    private const string Plainly = "select data from mt_doc_inboxitem_3 where freelancer = $1 order by id desc limit 51";

    public string Name => "http.inbox";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var office = await OfficeUnderLoad.Start(server, cancel);
        var address = await office.Publish("portrait", cancel);
        using var client = office.Client(await office.SignIn(cancel));
        for (var i = 0; i < Lines * 2; i++)
        {
            await OfficeUnderLoad.Ask(client, address, $"customer-{i}@example.com");
        }

        var connections = new List<NpgsqlConnection>();
        for (var i = 0; i < Readers; i++)
        {
            connections.Add(await office.Open(cancel));
        }

        var (plain, ours, ratio) = await Measure.InTurns(
            rounds: 3, each: TimeSpan.FromSeconds(3), Readers, reader => Plain(connections[reader]), _ => () => Read(client));
        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }

        return
        [
            new($"{Name}.plain", plain.PerSecond, "queries/s", plain.P50, plain.P99),
            new(Name, ours.PerSecond, "requests/s", ours.P50, ours.P99, Ratio: ratio),
        ];
    }

    private static async Task Read(HttpClient client)
    {
        using var answer = await client.GetAsync($"freelancer/{OfficeUnderLoad.Handle}/inbox?limit={Lines}");
        answer.EnsureSuccessStatusCode();
        await answer.Content.ReadAsByteArrayAsync();
    }

    private static Func<Task> Plain(NpgsqlConnection connection)
    {
        var command = new NpgsqlCommand(Plainly, connection) { Parameters = { new NpgsqlParameter<string> { TypedValue = OfficeUnderLoad.Handle } } };
        command.Prepare();
        return async () =>
        {
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                reader.GetString(0);
            }
        };
    }
}
