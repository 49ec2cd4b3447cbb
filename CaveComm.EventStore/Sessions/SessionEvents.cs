namespace CaveComm.EventStore;

/// <summary>Reads streams and collects what its session will append.</summary>
internal sealed class SessionEvents(DocumentStore store) : QueryEvents(store), IEventStoreOperations
{
    // Ordered, since all savers must lock streams in one order.
    private SortedDictionary<string, PendingStream> pending = new(StringComparer.Ordinal);

    public StreamAction StartStream<TAggregate>(string streamKey, params object[] events)
        where TAggregate : class
    {
        var (stream, added) = Add(streamKey, events);
        (stream.Starts, stream.ExpectedVersion, stream.AggregateAlias) = (true, 0, AliasOf<TAggregate>.Alias);
        return new(streamKey, added);
    }

    public StreamAction Append(string stream, params object[] events) => new(stream, Add(stream, events).Added);

    public StreamAction Append(string stream, long expectedVersion, params object[] events)
    {
        if (expectedVersion < events.Length)
            throw new ArgumentOutOfRangeException(
                nameof(expectedVersion), expectedVersion, $"It is the version after the append, so with {events.Length} events it cannot be lower.");
        var (pendingStream, added) = Add(stream, events);
        pendingStream.ExpectedVersion ??= expectedVersion - pendingStream.Events.Count;
        return new(stream, added);
    }

    public async Task<IEventStream<T>> FetchForWriting<T>(string key, CancellationToken cancellation = default)
        where T : class
    {
        var (aggregate, version, hash) = await FoldWhole<T>(key, null, forWriting: true, cancellation);
        return new EventStream<T>(this, key, aggregate, version, hash, cancellation);
    }

    public async Task<IEventStream<T>> FetchForWriting<T>(string key, long expectedVersion, CancellationToken cancellation = default)
        where T : class
    {
        var stream = await FetchForWriting<T>(key, cancellation);
        return stream.StartingVersion == expectedVersion
            ? stream
            : throw new EventStreamUnexpectedMaxEventIdException(
                $"Stream '{key}' is at version {stream.StartingVersion}, not {expectedVersion}: another writer was first.");
    }

    /// <summary>Appends what was decided on a stream that had <paramref name="version"/> when it was read.</summary>
    /// <param name="hash">The hash of the event at that version, empty where it has none; null when it is not known.</param>
    internal IReadOnlyList<IEvent> AppendExpecting<T>(string key, long version, string? hash, object[] events)
    {
        var (stream, added) = Add(key, events);

        // Who decided on an older state than another reading in this session must not be carried by that one.
        if (stream.ExpectedVersion is not { } expected || version < expected)
            (stream.ExpectedVersion, stream.HashBefore) = (version, hash);
        stream.AggregateAlias ??= AliasOf<T>.Alias;
        return added;
    }

    /// <summary>The streams that have something to append, in key order.</summary>
    internal IReadOnlyList<PendingStream> Pending => [.. pending.Values.Where(it => it.Events.Count > 0)];

    internal void Clear() => pending = new(StringComparer.Ordinal);

    private (PendingStream Stream, List<IEvent> Added) Add(string key, object[] events)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        var wrapped = Array.ConvertAll(events, it => Wrap(key, it)); // All or none: an unmapped one throws before any is added.
        if (!pending.TryGetValue(key, out var stream))
            pending[key] = stream = new(key);
        foreach (var happened in wrapped)
            stream.Add(happened);
        return (stream, [.. wrapped]);
    }

    private static class AliasOf<T>
    {
        public static readonly string Alias = TypeNames.Snake(typeof(T).Name);
    }

    private RecordedEvent Wrap(string key, object data)
    {
        var mapping = Store.Options.Events.For(data.GetType());
        var happened = mapping.Wrap(data);
        happened.Id = Guid.CreateVersion7(Store.Time.GetUtcNow());
        happened.StreamKey = key;
        happened.EventTypeName = mapping.Alias;
        happened.DotNetTypeName = mapping.DotNetTypeName;
        return happened;
    }
}
