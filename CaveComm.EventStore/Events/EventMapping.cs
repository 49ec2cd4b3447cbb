using System.Text.Json;

namespace CaveComm.EventStore;

/// <summary>Ties a record to its stored name.</summary>
internal abstract class EventMapping(Type type, string alias)
{
    public Type Type { get; } = type;

    public string Alias { get; } = alias;

    public string DotNetTypeName { get; } = TypeNames.DotNet(type);

    /// <summary>Whether it only reads what older code wrote.</summary>
    public virtual bool IsOldShape => false;

    public abstract RecordedEvent Wrap(object data);

    public abstract RecordedEvent Read(ReadOnlySpan<byte> json, JsonSerializerOptions options);
}

internal class EventMapping<T>(string alias) : EventMapping(typeof(T), alias)
    where T : notnull
{
    public override RecordedEvent Wrap(object data) => new Event<T>((T)data);

    public override RecordedEvent Read(ReadOnlySpan<byte> json, JsonSerializerOptions options) =>
        new Event<T>(JsonSerializer.Deserialize<T>(json, options) ?? throw new JsonException("The stored data is null."));
}

/// <summary>Reads an old shape and makes today's of it.</summary>
internal sealed class UpcastMapping<TOld, T>(string alias, Func<TOld, T> upcast) : EventMapping<T>(alias)
    where TOld : class
    where T : class
{
    public override bool IsOldShape => true;

    public override RecordedEvent Read(ReadOnlySpan<byte> json, JsonSerializerOptions options)
    {
        var old = JsonSerializer.Deserialize<TOld>(json, options) ?? throw new JsonException("The stored data is null.");
        try
        {
            return new Event<T>(upcast(old));
        }
        catch (Exception unfit)
        {
            // Whatever an upcaster stumbles over, it is this event that does not fit, and no other may suffer from it.
            throw new JsonException($"The upcaster of '{Alias}' failed: {unfit.Message}", unfit);
        }
    }
}
