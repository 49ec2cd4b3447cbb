namespace CaveComm.EventStore;

/// <summary>Somebody else wrote first.</summary>
public class ConcurrencyException(string message) : Exception(message);

/// <summary>The stream is not at the version that the writer had read.</summary>
public sealed class EventStreamUnexpectedMaxEventIdException(string message) : ConcurrencyException(message);

/// <summary>A stream was to be started that exists already.</summary>
public sealed class ExistingStreamIdCollisionException(string id)
    : Exception($"Stream '{id}' exists already.")
{
    public object Id { get; } = id;
}
