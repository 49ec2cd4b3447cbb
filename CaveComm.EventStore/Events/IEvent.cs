namespace CaveComm.EventStore;

/// <summary>A recorded event: the fact itself and its envelope.</summary>
public interface IEvent
{
    /// <summary>This event's own id, unique in the store.</summary>
    Guid Id { get; }

    /// <summary>Its place in its stream; the first event has 1.</summary>
    long Version { get; }

    /// <summary>Its place in the whole log (<c>seq_id</c>). Zero until the session was saved.</summary>
    long Sequence { get; }

    /// <summary>The fact: a record that was appended.</summary>
    object Data { get; }

    string? StreamKey { get; }

    /// <summary>When it was recorded (UTC).</summary>
    DateTimeOffset Timestamp { get; }

    string TenantId { get; }

    /// <summary>The stored alias, such as <c>commission.payment-received</c>.</summary>
    string EventTypeName { get; }

    /// <summary><c>Full.Type.Name, AssemblyName</c> of the record when it was written.</summary>
    string DotNetTypeName { get; }

    string? CausationId { get; }

    string? CorrelationId { get; }

    Dictionary<string, object>? Headers { get; }

    bool IsArchived { get; }
}

/// <summary>An event whose data is known to be <typeparamref name="T"/>.</summary>
public interface IEvent<out T> : IEvent
    where T : notnull
{
    new T Data { get; }
}
