namespace CaveComm.EventStore;

/// <summary>A view that is folded from one stream's events; its id is the stream's key.</summary>
public abstract class SingleStreamProjection<TDoc, TId> : ProjectionBase
    where TDoc : class
    where TId : notnull
{
    /// <summary>The view after an event: a pure fold. Null deletes the view (or leaves it unmade).</summary>
    public virtual TDoc? Evolve(TDoc? snapshot, TId id, IEvent e) => snapshot;

    internal sealed override Type ViewType => typeof(TDoc);

    internal sealed override Type KeyType => typeof(TId);

    internal sealed override bool IsSingleStream => true;

    // What cannot be read, or has no type here, may be of any stream.
    private protected sealed override string? FindKey(IEvent happened) =>
        happened is UnreadableEvent || happened.Data is var data && (data is UnknownEvent || Concerns(data.GetType())) ? happened.StreamKey : null;

    internal sealed override object? Fold(object? snapshot, string key, IEvent happened) =>
        Evolve((TDoc?)snapshot, (TId)(object)key, happened);
}
