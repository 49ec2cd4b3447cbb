namespace CaveComm.EventStore;

/// <summary>Reads the log.</summary>
public interface IQueryEventStore
{
    /// <summary>The events of a stream in version order; empty when there is no such stream.</summary>
    /// <param name="version">The last version to read; 0 reads all.</param>
    /// <param name="timestamp">Only events recorded at or before this moment.</param>
    /// <param name="fromVersion">The first version to read; 0 starts at the beginning.</param>
    Task<IReadOnlyList<IEvent>> FetchStreamAsync(string streamKey, long version = 0, DateTimeOffset? timestamp = null, long fromVersion = 0, CancellationToken token = default);

    /// <summary>Folds a stream into its state, up to a version or a moment; null when nothing is there.</summary>
    Task<T?> AggregateStreamAsync<T>(string streamKey, long version = 0, DateTimeOffset? timestamp = null, T? state = null, long fromVersion = 0, CancellationToken token = default)
        where T : class;

    /// <summary>The stream's row, or null when there is no such stream.</summary>
    Task<StreamState?> FetchStreamStateAsync(string streamKey, CancellationToken token = default);
}

/// <summary>Reads the log and collects what the session shall append when it is saved.</summary>
public interface IEventStoreOperations : IQueryEventStore
{
    /// <summary>Starts a new stream. Saving throws <see cref="ExistingStreamIdCollisionException"/> when it exists.</summary>
    StreamAction StartStream<TAggregate>(string streamKey, params object[] events)
        where TAggregate : class;

    /// <summary>Appends at the end, whatever the version is; makes the stream where there is none.</summary>
    StreamAction Append(string stream, params object[] events);

    /// <summary>Appends so that the stream's version afterwards is <paramref name="expectedVersion"/>. Saving throws <see cref="EventStreamUnexpectedMaxEventIdException"/> otherwise.</summary>
    StreamAction Append(string stream, long expectedVersion, params object[] events);

    /// <summary>Folds the stream and remembers its version: saving throws <see cref="EventStreamUnexpectedMaxEventIdException"/> when somebody else appended in between.</summary>
    Task<IEventStream<T>> FetchForWriting<T>(string key, CancellationToken cancellation = default)
        where T : class;

    /// <summary>As above, and throws at once when the stream is not at <paramref name="expectedVersion"/>.</summary>
    Task<IEventStream<T>> FetchForWriting<T>(string key, long expectedVersion, CancellationToken cancellation = default)
        where T : class;
}

/// <summary>A stream that was folded to be appended to.</summary>
public interface IEventStream<out T>
    where T : notnull
{
    /// <summary>The folded state; null when the stream has no events.</summary>
    T? Aggregate { get; }

    /// <summary>The version that was read; 0 for a new stream.</summary>
    long? StartingVersion { get; }

    /// <summary>The version after what was appended here.</summary>
    long? CurrentVersion { get; }

    CancellationToken Cancellation { get; }

    Guid Id { get; }

    /// <summary>The stream's key. Null only in Marten, for streams that are named by Guid.</summary>
    string? Key { get; }

    IReadOnlyList<IEvent> Events { get; }

    void AppendOne(object @event);

    void AppendMany(params object[] events);

    void AppendMany(IEnumerable<object> events);
}

/// <summary>What a session shall append to one stream.</summary>
public sealed class StreamAction
{
    internal StreamAction(string key, IReadOnlyList<IEvent> events)
    {
        Key = key;
        Events = events;
    }

    public string? Key { get; }

    /// <summary>The events; their versions and sequence numbers are known after the session was saved.</summary>
    public IReadOnlyList<IEvent> Events { get; }
}

/// <summary>A stream's row.</summary>
public sealed record StreamState(string Key, long Version, DateTimeOffset LastTimestamp, DateTimeOffset Created, bool IsArchived);
