using CaveComm.EventStore;

namespace CaveComm.Benchmarks.EventStore;

/// <param name="Answers">What is sealed, as the answers of a commission's request are.</param>
public sealed record Asked(string Who, string Email, IReadOnlyDictionary<string, string> Answers);

/// <summary>The same, stored open.</summary>
public sealed record AskedOpenly(string Who, string Email, IReadOnlyDictionary<string, string> Answers);

/// <summary>Reads a commission's life: ten events, of which the first has five sealed texts, beside the same with all texts open. And every event sealed.</summary>
public sealed class SealedReadBenchmark : IBenchmark
{
    public string Name => "read.sealed";

    public async Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel)
    {
        await using var database = await server.NewDatabase(cancel);
        await using var store = DocumentStore.For(options =>
        {
            options.Connection(database.ConnectionString);
            options.Events.MapEventType<Asked>("asked");
            options.Events.MapEventType<AskedOpenly>("asked-openly");
            options.Personal.MasterKey = new byte[PersonalOptions.KeySize];
            options.Personal.Seal<Asked>(it => $"person:{it.Who}", "who", "email", "answers");
        });
        await store.ApplyAllConfiguredChangesToDatabaseAsync(cancel);
        var answers = new Dictionary<string, string> { ["subject"] = "A raven on a cliff, at night", ["size"] = "large", ["mood"] = "calm" };
        await using (var session = store.LightweightSession())
        {
            var asked = new Asked("Ada Lovelace", "ada@example.com", answers);
            object open = new AskedOpenly(asked.Who, asked.Email, asked.Answers);
            session.Events.Append("open", [.. Enumerable.Repeat(open, 10)]);
            session.Events.Append("life", [asked, .. Enumerable.Repeat(open, 9)]);
            session.Events.Append("all", [.. Enumerable.Repeat<object>(asked, 10)]);
            await session.SaveChangesAsync(cancel);
        }

        var results = new List<BenchmarkResult>();
        foreach (var (stream, limit) in new[] { ("life", 0.6), ("all", 0.3) })
        {
            var (plain, ours, ratio) = await Measure.InTurns(
                rounds: 5, each: TimeSpan.FromSeconds(1), writers: 1, _ => () => Read(store, "open"), _ => () => Read(store, stream));
            results.Add(new($"{Name}.{stream}.plain", plain.PerSecond, "streams/s", plain.P50, plain.P99));
            results.Add(new($"{Name}.{stream}", ours.PerSecond, "streams/s", ours.P50, ours.P99, Limit: limit, Ratio: ratio));
        }

        return results;
    }

    private static async Task Read(DocumentStore store, string key)
    {
        await using var session = store.QuerySession();
        if ((await session.Events.FetchStreamAsync(key)).Count != 10)
            throw new InvalidOperationException($"The stream '{key}' is not whole.");
    }
}
