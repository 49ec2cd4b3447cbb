using System.Text.Json;

namespace CaveComm.EventStore;

/// <summary>An event with its envelope. Tests of projections make them by hand; the store fills them when it appends and reads.</summary>
public class Event<T>(T data) : RecordedEvent, IEvent<T>
    where T : notnull
{
    T IEvent<T>.Data => data;

    public override object Data => data;
}

/// <summary>The envelope of every event; see <see cref="IEvent"/> for what its parts mean.</summary>
public abstract class RecordedEvent : IEvent
{
    /// <summary>The tenant of a store that has only one.</summary>
    public const string DefaultTenant = "*DEFAULT*";

    private byte[]? headersJson;
    private Dictionary<string, object>? headers;

    public Guid Id { get; set; }

    public long Version { get; set; }

    public long Sequence { get; set; }

    public abstract object Data { get; }

    public string? StreamKey { get; set; }

    public DateTimeOffset Timestamp { get; set; }

    public string TenantId { get => Whole(field); set; } = DefaultTenant;

    public string EventTypeName { get; set; } = "";

    public string DotNetTypeName { get => Whole(field); set; } = "";

    public string? CausationId { get => Whole(field); set; }

    public string? CorrelationId { get => Whole(field); set; }

    public Dictionary<string, object>? Headers
    {
        get => Whole(headersJson is null ? headers : headers ??= EventHeaders.Parse(headersJson));
        set => (headers, headersJson) = (value, null);
    }

    public bool IsArchived { get => Whole(field); set; }

    /// <summary>Whether only what nearly all folds look at was read.</summary>
    internal bool IsNarrow { get; set; }

    /// <summary>The hash that the event was stored with; null while it was not read, and where another program wrote it.</summary>
    internal string? Hash => headersJson is null ? null : EventHeaders.Text(headersJson, HashChain.Header);

    /// <summary>Takes the headers as they are stored: who folds a stream never asks for them.</summary>
    internal void HeadersFrom(byte[] json) => headersJson = json;

    internal void TakeEnvelope(RecordedEvent other)
    {
        (Id, Version, Sequence, StreamKey, Timestamp) = (other.Id, other.Version, other.Sequence, other.StreamKey, other.Timestamp);
        (EventTypeName, headersJson, IsNarrow) = (other.EventTypeName, other.headersJson, other.IsNarrow);
        if (!IsNarrow)
            (TenantId, DotNetTypeName, CausationId, CorrelationId, IsArchived) = (other.TenantId, other.DotNetTypeName, other.CausationId, other.CorrelationId, other.IsArchived);
    }

    /// <summary>Names the event without its data, which may be personal.</summary>
    public override string ToString() => $"{EventTypeName} {Id} at {StreamKey}/{Version} (seq_id {Sequence})";

    private T Whole<T>(T value) => IsNarrow ? throw new NarrowEventException() : value;
}

/// <summary>Somebody asked for a part of the envelope that was left out; whoever left it out reads again with all of it.</summary>
internal sealed class NarrowEventException() : Exception("That part of the event's envelope was not read.");

/// <summary>The data of an event whose alias no type is mapped to: still there to be read, say by an auditor.</summary>
/// <param name="Json">The stored data.</param>
public sealed record UnknownEvent(string Alias, JsonElement Json);

/// <summary>An event whose stored JSON does not fit its type. Only who asks for its data fails, so that one event cannot stop every reader.</summary>
/// <param name="type">What its alias is mapped to; null where nobody knows it.</param>
internal sealed class UnreadableEvent(Exception reason, Type? type) : RecordedEvent
{
    public Type? Type => type;

    public override object Data => throw new EventUnreadableException(this, reason);
}

/// <summary>An event that concerns no projection of its reader: its data was left where it is.</summary>
internal sealed class PassedByEvent : RecordedEvent
{
    public override object Data => throw new InvalidOperationException($"The data of {this} was not read.");
}

/// <summary>An event with sealed texts, on its way from its row to its type. Nobody outside the reader meets one.</summary>
internal sealed class SealedEvent(byte[] json) : RecordedEvent
{
    public byte[] Json => json;

    public override object Data => throw new InvalidOperationException($"{this} was not opened.");
}
