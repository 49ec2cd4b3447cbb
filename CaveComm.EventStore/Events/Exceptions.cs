namespace CaveComm.EventStore;

/// <summary>Somebody else wrote first.</summary>
public class ConcurrencyException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The stream is not at the version that the writer had read.</summary>
public sealed class EventStreamUnexpectedMaxEventIdException(string message, Exception? inner = null)
    : ConcurrencyException(message, inner);

/// <summary>A stream was to be started that exists already.</summary>
public sealed class ExistingStreamIdCollisionException(string id, Exception? inner = null)
    : Exception($"Stream '{id}' exists already.", inner)
{
    public object Id { get; } = id;
}

/// <summary>A document was to be inserted, and there is one by its id already.</summary>
public sealed class DocumentAlreadyExistsException(Type docType, Exception? inner = null)
    : Exception($"A {docType.Name} by this id exists already.", inner)
{
    public Type DocType { get; } = docType;
}

/// <summary>An event's record has no alias: <c>options.Events.MapEventType</c> was forgotten. A bug, found at the first append.</summary>
public sealed class UnmappedEventTypeException(Type type)
    : Exception($"{type} has no stored name. Give it one with options.Events.MapEventType<{type.Name}>(\"some.alias\").");

/// <summary>A stream holds an event that this program has no type for, say one that a newer version wrote: it cannot be folded, only read.</summary>
public sealed class UnknownEventTypeException(IEvent happened)
    : Exception($"{Beginning} the event {happened}.")
{
    /// <summary>What the reason of an event that waits for its type begins with.</summary>
    internal const string Beginning = "No type is mapped to";
}

/// <summary>The stored JSON of an event does not fit the record that its alias is mapped to.</summary>
public sealed class EventUnreadableException(IEvent happened, Exception inner)
    : Exception($"The data of event {happened} does not fit its type: {inner.Message}", inner);

/// <summary>A projection could not apply an event; its shard stands still until it can.</summary>
public sealed class ApplyEventException(string shard, IEvent happened, Exception inner)
    : Exception($"{shard} cannot apply event {happened}: {inner.Message}", inner)
{
    public Guid EventId { get; } = happened.Id;

    public long Sequence { get; } = happened.Sequence;
}
