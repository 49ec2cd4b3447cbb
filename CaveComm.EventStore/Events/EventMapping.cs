using System.Text.Json;

namespace CaveComm.EventStore;

/// <summary>Ties a record to its stored name.</summary>
internal abstract class EventMapping(Type type, string alias)
{
    public Type Type { get; } = type;

    public string Alias { get; } = alias;

    public string DotNetTypeName { get; } = TypeNames.DotNet(type);

    public abstract RecordedEvent Wrap(object data);

    public abstract RecordedEvent Read(ReadOnlySpan<byte> json, JsonSerializerOptions options);
}

internal sealed class EventMapping<T>(string alias) : EventMapping(typeof(T), alias)
    where T : notnull
{
    public override RecordedEvent Wrap(object data) => new Event<T>((T)data);

    public override RecordedEvent Read(ReadOnlySpan<byte> json, JsonSerializerOptions options) =>
        new Event<T>(JsonSerializer.Deserialize<T>(json, options) ?? throw new JsonException("The stored data is null."));
}
