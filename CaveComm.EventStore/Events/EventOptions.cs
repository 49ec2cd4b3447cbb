using System.Collections.Concurrent;
using System.Text.Json;

namespace CaveComm.EventStore;

/// <summary>Which records are events, and what they are called in the store.</summary>
public sealed class EventOptions
{
    private readonly Dictionary<string, EventMapping> byAlias = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Type, EventMapping> byType = [];

    internal EventOptions()
    {
    }

    /// <summary>Gives a record its stored name. The name is kept for ever; the record may be renamed and moved.</summary>
    public void MapEventType<T>(string eventTypeName)
        where T : class => Map(new EventMapping<T>(eventTypeName));

    /// <summary>As <see cref="MapEventType{T}"/>, for types that are listed in a table.</summary>
    public void MapEventType(Type eventType, string eventTypeName) =>
        Map((EventMapping)Activator.CreateInstance(typeof(EventMapping<>).MakeGenericType(eventType), eventTypeName)!);

    /// <summary>Turns events that were stored under an old name, in an old shape, into the record of today when they are read.</summary>
    /// <remarks>
    /// What is stored stays as it is. Today's record is written under another name (<see cref="MapEventType{T}"/>), such as the old one with <c>-2</c>
    /// behind it. <typeparamref name="TOldEvent"/> may be <see cref="JsonDocument"/> where no record of the old shape is worth keeping.
    /// </remarks>
    public void Upcast<TOldEvent, TEvent>(string eventTypeName, Func<TOldEvent, TEvent> upcast)
        where TOldEvent : class
        where TEvent : class
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(eventTypeName);
        ArgumentNullException.ThrowIfNull(upcast);
        if (!byAlias.TryAdd(eventTypeName, new UpcastMapping<TOldEvent, TEvent>(eventTypeName, upcast)))
            throw new ArgumentException($"'{eventTypeName}' is the name of {byAlias[eventTypeName].Type} already; an old shape needs a name of its own.");
    }

    private void Map(EventMapping mapping)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(mapping.Alias);
        if (byAlias.TryGetValue(mapping.Alias, out var other) && (other.Type != mapping.Type || other.IsOldShape))
            throw new ArgumentException($"'{mapping.Alias}' is the name of {other.Type} already; it cannot be that of {mapping.Type} too.");
        if (byType.TryGetValue(mapping.Type, out var earlier) && earlier.Alias != mapping.Alias)
            throw new ArgumentException($"{mapping.Type} is called '{earlier.Alias}' already; it cannot be '{mapping.Alias}' too.");
        byAlias[mapping.Alias] = mapping;
        byType[mapping.Type] = mapping;
    }

    internal IEnumerable<EventMapping> Mapped => byAlias.Values;

    /// <exception cref="UnmappedEventTypeException">The record has no name.</exception>
    internal EventMapping For(Type type) => byType.TryGetValue(type, out var mapping) ? mapping : throw new UnmappedEventTypeException(type);

    /// <summary>The event of a row's data. It does not throw on data that does not fit: see <see cref="UnreadableEvent"/>.</summary>
    internal RecordedEvent Read(string alias, ReadOnlySpan<byte> json, JsonSerializerOptions options)
    {
        try
        {
            return byAlias.TryGetValue(alias, out var mapping)
                ? mapping.Read(json, options)
                : new Event<UnknownEvent>(new UnknownEvent(alias, JsonSerializer.Deserialize<JsonElement>(json)));
        }
        catch (Exception unfit) when (unfit is not OutOfMemoryException)
        {
            // A record may throw what it likes when it is made: who reads the log for all views must not stand still before one event.
            return Unreadable(alias, unfit);
        }
    }

    /// <summary>An event whose data could not be opened or read.</summary>
    internal UnreadableEvent Unreadable(string alias, Exception reason) => new(reason, byAlias.GetValueOrDefault(alias)?.Type);
}
