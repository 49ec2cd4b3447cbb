namespace CaveComm.EventStore;

/// <summary>Keeps the async projections up with the log.</summary>
public interface IProjectionDaemon
{
    /// <summary>What each async projection is doing. On a node that does not run them, as last read from the database.</summary>
    IReadOnlyList<ShardState> Shards { get; }

    /// <summary>Takes part in running the async projections: at once where no other node does, otherwise when that one goes.</summary>
    Task StartAllAsync();

    Task StopAllAsync();

    /// <summary>Waits until every async projection has applied what was committed when this was called.</summary>
    /// <exception cref="TimeoutException">They have not in time.</exception>
    Task WaitForNonStaleData(TimeSpan timeout);

    /// <summary>Waits until a view has applied everything up to a place in the log; false when it has not in time.</summary>
    /// <param name="sequence">The <see cref="IEvent.Sequence"/> of the event that shall be seen.</param>
    Task<bool> WaitForPosition<TView>(long sequence, TimeSpan timeout, CancellationToken cancel)
        where TView : class;

    /// <summary>Waits until no view shows, behind an event that is parked, what was sealed for somebody whose key was destroyed since; false when one still may.</summary>
    Task<bool> WaitUntilForgotten(TimeSpan timeout, CancellationToken cancel);

    /// <summary>Folds a view anew from the whole log. Readers see the old rows until the new ones are complete.</summary>
    Task RebuildProjectionAsync(string projectionName, CancellationToken token);

    /// <inheritdoc cref="RebuildProjectionAsync(string, CancellationToken)"/>
    Task RebuildProjectionAsync<TView>(CancellationToken token);
}

/// <summary>What a projection is doing.</summary>
public enum ShardStatus
{
    /// <summary>Not started on this node.</summary>
    Stopped,

    /// <summary>Another node runs it.</summary>
    Elsewhere,

    Running,

    /// <summary>An operator stopped it.</summary>
    Paused,

    /// <summary>A new version whose view is being filled from the log; nobody should read it yet.</summary>
    Building,

    /// <summary>It stands before a database that does not answer or rows that it cannot read, and tries again and again.</summary>
    Faulted,
}

/// <summary>One async projection's state.</summary>
/// <param name="Name">Its name in <c>mt_event_progression</c>.</param>
/// <param name="Position">The last place in the log that its view has applied.</param>
/// <param name="HighWaterMark">The highest place in the log that is known; it may lie behind an append that is still being committed.</param>
/// <param name="LagSeconds">The age of the oldest event that the view has not applied; 0 when it has all.</param>
/// <param name="Error">What it stumbled over, while it is <see cref="ShardStatus.Faulted"/>.</param>
public sealed record ShardState(
    string Name, uint Version, long Position, long HighWaterMark, long LagEvents, double LagSeconds, ShardStatus State, string? Error);
