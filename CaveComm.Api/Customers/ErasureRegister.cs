using System.Text;
using System.Text.Json;
using CaveComm.Api.Http;

namespace CaveComm.Api.Customers;

/// <param name="At">When it was asked for (UTC).</param>
public sealed record RememberedErasure(Guid Customer, DateTimeOffset At);

/// <summary>Who was erased, in a file beside the database: a database of last week does not know, and has to be told when it comes back.</summary>
internal sealed class ErasureRegister(IConfiguration configuration, TimeProvider clock) : IDisposable
{
    public const string FileName = "erasures.jsonl";

    private readonly SemaphoreSlim writing = new(1);
    private readonly string path = Path.Combine(DataFolder.Root(configuration), FileName);

    /// <summary>On the disk when it returns. Somebody who is in it already stays in it once.</summary>
    public Task Remember(Guid customer, CancellationToken cancel) => Remember(new RememberedErasure(customer, clock.GetUtcNow()), cancel);

    /// <summary>As above, for an erasure that another register or a database remembers.</summary>
    public async Task Remember(RememberedErasure erasure, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(erasure);
        await writing.WaitAsync(cancel);
        try
        {
            if ((await All(cancel)).Any(it => it.Customer == erasure.Customer))
            {
                return;
            }

            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);

            // The line break comes first, too: what a crash left half written must not swallow this line.
            await file.WriteAsync(Encoding.UTF8.GetBytes($"\n{JsonSerializer.Serialize(erasure, Json.Options)}\n"), cancel);
            file.Flush(flushToDisk: true);
        }
        finally
        {
            writing.Release();
        }
    }

    public async Task<IReadOnlyList<RememberedErasure>> All(CancellationToken cancel)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var lines = new StreamReader(file);
        var remembered = new List<RememberedErasure>();
        while (await lines.ReadLineAsync(cancel) is { } line)
        {
            if (Read(line) is { } erasure)
            {
                remembered.Add(erasure);
            }
        }

        return remembered;
    }

    public void Dispose() => writing.Dispose();

    // A line that ends in the middle was never answered for: its key was not destroyed yet.
    private static RememberedErasure? Read(string line)
    {
        try
        {
            return line.Length == 0 ? null : JsonSerializer.Deserialize<RememberedErasure>(line, Json.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
