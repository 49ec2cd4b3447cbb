namespace CaveComm.EventStore;

/// <summary>What operators see of the stored projections and do to them, from any node or from a process of their own: all of it is in the database.</summary>
/// <remarks>Every member that takes a name throws <see cref="UnknownProjectionException"/> when no stored projection is called so.</remarks>
public interface IProjectionOperations
{
    Task<IReadOnlyList<ProjectionSummary>> List(CancellationToken cancel);

    /// <summary>Stops feeding a view, on whatever node that happens, until <see cref="Resume"/>. Readers keep what it has. A running rebuild pauses too.</summary>
    Task Pause(string name, CancellationToken cancel);

    Task Resume(string name, CancellationToken cancel);

    /// <summary>The keys whose events wait because one of them could not be applied.</summary>
    Task<IReadOnlyList<ParkedKey>> Parked(string name, CancellationToken cancel);

    /// <summary>Applies what waits, key by key and in order. A key whose event still cannot be applied stays parked, at that event.</summary>
    /// <param name="key">Only this view's key; null for all.</param>
    Task<RetryOutcome> Retry(string name, string? key, CancellationToken cancel);

    /// <summary>Asks for a rebuild, which a node that runs the daemon begins at once and finishes even if another node has to.</summary>
    /// <exception cref="RebuildRunningException">One is under way.</exception>
    Task RequestRebuild(string name, CancellationToken cancel);

    /// <summary>Rebuilds in this process and returns when the new table is in place.</summary>
    /// <exception cref="RebuildRunningException">One is under way.</exception>
    Task Rebuild(string name, IProgress<RebuildProgress>? progress, CancellationToken cancel);

    /// <summary>Drops the tables of earlier versions that no node feeds now, nor did within <paramref name="idle"/>. Old code that comes back builds its own anew.</summary>
    /// <returns>The tables that are gone.</returns>
    Task<IReadOnlyList<string>> DropRetired(TimeSpan idle, CancellationToken cancel);
}

/// <summary>One stored projection, as the database tells it.</summary>
/// <param name="State">One word: <c>running</c>, <c>paused</c>, <c>rebuilding</c> (readers see the old table), <c>building</c> (a new version that has no complete table yet), <c>faulted</c> or <c>stopped</c> (no node feeds it).</param>
/// <param name="Position">The last place in the log that the view has applied.</param>
/// <param name="LagSeconds">The age of the oldest event that the view has not applied; 0 when it has all.</param>
/// <param name="Parked">How many keys are parked.</param>
/// <param name="Rebuild">The rebuild that is under way, or the last one; null when there was none.</param>
/// <param name="Error">What it stumbled over, while it is faulted.</param>
public sealed record ProjectionSummary(
    string Name, uint Version, string State, long Position, long LagEvents, double LagSeconds, int Parked, RebuildProgress? Rebuild, string? Error);

/// <summary>How far a rebuild has come.</summary>
/// <param name="State"><c>requested</c>, <c>running</c>, <c>paused</c>, <c>done</c> or <c>failed</c>.</param>
/// <param name="EventsDone">Events folded into the new table so far.</param>
/// <param name="EventsTotal">Events in the log when it began.</param>
public sealed record RebuildProgress(string State, long EventsDone, long EventsTotal, DateTimeOffset StartedAt, DateTimeOffset UpdatedAt, string? Error)
{
    /// <summary>From 0 to 1.</summary>
    public double Fraction => State == "done" ? 1 : EventsTotal == 0 ? 0 : Math.Min(1, (double)EventsDone / EventsTotal);
}

/// <summary>A view's key whose events wait.</summary>
/// <param name="EventId">The event that could not be applied.</param>
/// <param name="Sequence">Its place in the log.</param>
/// <param name="Waiting">How many events wait, that one included.</param>
public sealed record ParkedKey(string Projection, string Key, Guid EventId, long Sequence, string Reason, int Waiting, DateTimeOffset ParkedAt);

/// <param name="Resumed">Keys whose events are all applied now.</param>
/// <param name="StillParked">Keys that stumbled again.</param>
public sealed record RetryOutcome(int Resumed, int StillParked);

/// <summary>No stored projection has that name.</summary>
public sealed class UnknownProjectionException(string name, IReadOnlyList<string> known)
    : Exception($"There is no projection '{name}'. There are: {string.Join(", ", known)}.")
{
    public IReadOnlyList<string> Known { get; } = known;
}

/// <summary>A rebuild of that projection is under way already.</summary>
public sealed class RebuildRunningException(string name, RebuildProgress progress)
    : Exception($"{name} is being rebuilt already: {progress.EventsDone} of {progress.EventsTotal} events.")
{
    public RebuildProgress Progress { get; } = progress;
}
