namespace CaveComm.EventStore;

/// <summary>What all projections have in common.</summary>
public abstract class ProjectionBase
{
    private protected ProjectionBase() => Name = TypeNames.Projection(GetType());

    /// <summary>Names the projection in the progress table; the class's name unless set.</summary>
    public string Name { get; set; }

    /// <summary>Raise it when the fold or the view's shape changes: a version above 1 has a table of its own, filled from the whole log.</summary>
    public uint Version { get; set; } = 1;

    /// <summary>The name of its row in <c>mt_event_progression</c>.</summary>
    internal string ShardName => ShardOf(Name, Version);

    internal abstract Type ViewType { get; }

    internal abstract Type KeyType { get; }

    internal abstract bool IsSingleStream { get; }

    /// <summary>The view that an event goes to; null when it goes to none.</summary>
    internal abstract string? KeyFor(IEvent happened);

    internal abstract object? Fold(object? snapshot, string key, IEvent happened);

    /// <summary>What the row of a version is called.</summary>
    internal static string ShardOf(string name, uint version) => version > 1 ? $"{name}:V{version}:All" : $"{name}:All";
}
