using System.Text.Json;
using CaveComm.EventStore;

namespace CaveComm.Tests.Support;

/// <summary>JSON as the event store writes it: camelCase, enums by name.</summary>
internal static class StoreJson
{
    public static JsonSerializerOptions Options { get; } = new StoreOptions().JsonSerializerOptions;

    public static string Write(object it) => JsonSerializer.Serialize(it, it.GetType(), Options);

    /// <summary>The same after a stay in the store.</summary>
    public static T Again<T>(T it)
        where T : notnull => (T)JsonSerializer.Deserialize(Write(it), it.GetType(), Options)!;

    /// <summary>Type and content. Records with lists in them compare the lists by identity, so tests compare this.</summary>
    public static string Describe(object it) => $"{it.GetType().Name} {Write(it)}";
}
