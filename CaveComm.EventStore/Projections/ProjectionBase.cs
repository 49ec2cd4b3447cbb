namespace CaveComm.EventStore;

/// <summary>What all projections have in common.</summary>
public abstract class ProjectionBase
{
    private readonly List<Type> included = [];

    private protected ProjectionBase() => Name = TypeNames.Projection(GetType());

    /// <summary>Names the projection in the progress table; the class's name unless set.</summary>
    public string Name { get; set; }

    /// <summary>Raise it when the fold or the view's shape changes: a version above 1 has a table of its own, filled from the whole log.</summary>
    public uint Version { get; set; } = 1;

    /// <summary>Names the kind of events that the view is about; call it in the constructor. Streams of others are passed by, and what no view is about is not even read.</summary>
    /// <remarks>A view of one stream must name all events of its streams, shown or not: their versions have no gaps. Named is a base type, as a rule.</remarks>
    public void IncludeType<T>() => included.Add(typeof(T));

    /// <summary>The name of its row in <c>mt_event_progression</c>.</summary>
    internal string ShardName => ShardOf(Name, Version);

    internal abstract Type ViewType { get; }

    internal abstract Type KeyType { get; }

    internal abstract bool IsSingleStream { get; }

    /// <summary>The view that an event goes to; null when it goes to none.</summary>
    /// <remarks>Whoever reads for several projections hands each of them events that the others are about: those are passed by too, be they readable or not.</remarks>
    internal string? KeyFor(IEvent happened) =>
        happened is PassedByEvent || Tombstones.Include(happened) || (happened is UnreadableEvent { Type: { } type } && !Concerns(type)) ? null : FindKey(happened);

    /// <summary>Whether events of a type may go to a view.</summary>
    internal virtual bool Concerns(Type eventType) => included.Count == 0 || included.Exists(it => it.IsAssignableFrom(eventType));

    private protected abstract string? FindKey(IEvent happened);

    internal abstract object? Fold(object? snapshot, string key, IEvent happened);

    /// <summary>What the row of a version is called.</summary>
    internal static string ShardOf(string name, uint version) => version > 1 ? $"{name}:V{version}:All" : $"{name}:All";
}
