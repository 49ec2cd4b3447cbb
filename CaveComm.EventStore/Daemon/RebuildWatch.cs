using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Tells how far a rebuild is and hears whether it shall pause.</summary>
internal sealed class RebuildWatch(
    DocumentStore store, NpgsqlConnection connection, RebuildTable table, string shard, DateTimeOffset startedAt, TimeSpan checkpointEvery, IProgress<RebuildProgress>? progress)
{
    // A pause is heard within a second, and so is the progress told.
    private static readonly TimeSpan TellEvery = TimeSpan.FromMilliseconds(400);
    private long told = Environment.TickCount64;
    private long kept = Environment.TickCount64;
    private RebuildProgress last = new(RebuildTable.Running, 0, 0, startedAt, startedAt, null);
    private bool isPaused;

    /// <summary>Whether what was done should be put down now: because much was, or because somebody wants a pause.</summary>
    public async ValueTask<bool> WantsCheckpoint(long done, long total, CancellationToken cancel)
    {
        var now = Environment.TickCount64;
        if (now - told < TellEvery.TotalMilliseconds && now - kept < checkpointEvery.TotalMilliseconds)
            return false;
        await Tell(done, total, cancel);
        return isPaused || now - kept >= checkpointEvery.TotalMilliseconds;
    }

    public async Task Tell(long done, long total, CancellationToken cancel)
    {
        told = Environment.TickCount64;
        isPaused = await table.Tell(connection, shard, done, total, cancel) == RebuildTable.Paused;
        last = last with { State = isPaused ? RebuildTable.Paused : RebuildTable.Running, EventsDone = done, EventsTotal = total, UpdatedAt = store.Time.GetUtcNow() };
        progress?.Report(last);
    }

    /// <exception cref="RebuildPausedException">Somebody wants a pause.</exception>
    public void ThrowIfPaused()
    {
        if (isPaused)
            throw new RebuildPausedException(shard, last);
    }

    /// <summary>Writes down, in the running transaction, what is done by then.</summary>
    public async Task Keep(IReadOnlyList<WaitingRow> waiting, RebuildCheckpoint checkpoint, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection);
        if (waiting.Count > 0)
            batch.BatchCommands.Add(table.AddWaiting(shard, waiting));
        batch.BatchCommands.Add(table.Keep(shard, checkpoint));
        await batch.ExecuteNonQueryAsync(cancel);
        kept = Environment.TickCount64;
    }

    public Task<HashSet<string>> WaitingKeys(CancellationToken cancel) => table.WaitingKeys(connection, shard, cancel);

    public void Finished(long total) =>
        progress?.Report(last with { State = RebuildTable.Done, EventsDone = total, EventsTotal = total, UpdatedAt = store.Time.GetUtcNow() });
}

/// <summary>Somebody paused the rebuild. What it had done is kept, and the next attempt goes on from there.</summary>
public sealed class RebuildPausedException(string name, RebuildProgress progress)
    : Exception($"The rebuild of {name} was paused at {progress.EventsDone} of {progress.EventsTotal} events.")
{
    public RebuildProgress Progress { get; } = progress;
}
