using System.Collections.Concurrent;

namespace CaveComm.EventStore;

/// <summary>The document types of a store.</summary>
internal sealed class DocumentCatalog
{
    private readonly Dictionary<Type, DocumentMapping> mappings = [];
    private readonly ConcurrentDictionary<(Type, string), string> queries = [];

    public DocumentCatalog(StoreOptions options)
    {
        foreach (var (projection, _) in options.Projections.Stored())
            mappings[projection.ViewType] = new(projection.ViewType, options, projection);
        foreach (var type in options.Schema.Types)
            mappings.TryAdd(type, new(type, options, projection: null));
        if (mappings.Values.GroupBy(it => it.Table).FirstOrDefault(it => it.Count() > 1) is { } clash)
            throw new ArgumentException($"{string.Join(" and ", clash.Select(it => it.Type))} would share the table {clash.Key}.");
    }

    public IReadOnlyCollection<DocumentMapping> All => mappings.Values;

    public DocumentMapping For(Type type) => mappings.TryGetValue(type, out var mapping)
        ? mapping
        : throw new InvalidOperationException(
            $"{type} is no document of this store. Register its projection with options.Projections.Add, or the type with options.Schema.For<{type.Name}>().");

    public string Query(DocumentMapping mapping, string tail) =>
        queries.GetOrAdd((mapping.Type, tail), _ => SqlTail.Statement(mapping, tail));
}
