namespace CaveComm.EventStore;

/// <summary>When a view follows its events.</summary>
public enum ProjectionLifecycle
{
    /// <summary>In the writer's transaction.</summary>
    Inline,

    /// <summary>Behind the writer, by the daemon, in the log's order.</summary>
    Async,

    /// <summary>Folded when asked for; nothing is stored.</summary>
    Live,
}

/// <summary>A view that is folded from one stream's events; its id is the stream's key.</summary>
public abstract class SingleStreamProjection<TDoc, TId>
    where TDoc : class
    where TId : notnull
{
    /// <summary>The view after an event: a pure fold. Null deletes the view (or leaves it unmade).</summary>
    public virtual TDoc? Evolve(TDoc? snapshot, TId id, IEvent e) => snapshot;
}

/// <summary>A view that is folded from the events of many streams, each event going to the key that <see cref="Identity{TEvent}"/> names.</summary>
public abstract class MultiStreamProjection<TDoc, TId>
    where TDoc : class
    where TId : notnull
{
    internal Dictionary<Type, Func<object, TId>> Identities { get; } = [];

    /// <summary>The view's key for an event type; call it in the constructor.</summary>
    protected void Identity<TEvent>(Func<TEvent, TId> identityFunc)
        where TEvent : notnull => Identities[typeof(TEvent)] = e => identityFunc((TEvent)e);

    /// <summary>The view after an event: a pure fold. Null deletes the view (or leaves it unmade).</summary>
    public virtual TDoc? Evolve(TDoc? snapshot, TId id, IEvent e) => snapshot;
}
