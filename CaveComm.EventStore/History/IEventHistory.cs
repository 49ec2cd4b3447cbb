namespace CaveComm.EventStore;

/// <summary>What auditors do: read the log as it is stored, whatever its events are, and check that nobody rewrote it.</summary>
public interface IEventHistory
{
    /// <summary>The log in its order, in constant memory, up to what is final when it is called.</summary>
    IAsyncEnumerable<StoredEvent> Read(EventFilter filter, CancellationToken cancel);

    /// <summary>Recomputes the hash of every event and compares it with the one that was stored.</summary>
    Task<Verification> Verify(IProgress<VerificationProgress>? progress, CancellationToken cancel);

    /// <summary>The newest hash of each stream, in the order of the streams' keys: whoever keeps them elsewhere can later tell a rewritten history.</summary>
    IAsyncEnumerable<StreamHead> Heads(CancellationToken cancel);

    /// <summary>Looks up whether the streams still hold what <see cref="Heads"/> once told; the first that does not, or null.</summary>
    Task<BrokenEvent?> Compare(IAsyncEnumerable<StreamHead> heads, CancellationToken cancel);
}

/// <param name="After">Only what stands behind this place in the log.</param>
/// <param name="Type">Only this alias.</param>
/// <param name="Stream">Only this stream.</param>
/// <param name="From">Recorded at or after.</param>
/// <param name="To">Recorded at or before.</param>
public sealed record EventFilter(long After = 0, string? Type = null, string? Stream = null, DateTimeOffset? From = null, DateTimeOffset? To = null);

/// <summary>An event as it is stored. Its data is JSON text, personal data in it opened or shown as erased.</summary>
/// <param name="Hash">SHA-256 in lower-case hex over the content and the hash before it; null for an event that another program wrote.</param>
/// <param name="PreviousHash">The hash of the event before it in its stream; null for the first.</param>
public sealed record StoredEvent(
    long Sequence, Guid Id, string StreamKey, long Version, string Type, DateTimeOffset Timestamp, string? Actor,
    string? CorrelationId, string? CausationId, string? Hash, string? PreviousHash, string Data);

/// <param name="Events">How many were checked.</param>
/// <param name="Unsealed">How many carry no hash, and so are not broken: another program wrote them, or they were the last of their streams when somebody removed it.</param>
/// <param name="Broken">The first event that does not fit; null when all do.</param>
public sealed record Verification(long Events, long Streams, long Unsealed, BrokenEvent? Broken);

public sealed record VerificationProgress(long EventsDone, long EventsTotal);

/// <summary>An event that is not what was written, or that is missing.</summary>
/// <param name="Reason">One sentence for people.</param>
public sealed record BrokenEvent(string StreamKey, long Version, Guid? EventId, long? Sequence, string Reason);

/// <param name="Hash">Of its last event; where any event up to that one carries none, <c>content:</c> and a SHA-256 over all of them. Null only in heads that older programs told.</param>
public sealed record StreamHead(string StreamKey, long Version, string? Hash);
