using System.Collections.Concurrent;

namespace CaveComm.EventStore;

/// <summary>A view that is folded from the events of many streams, each event going to the key that <see cref="Identity{TEvent}"/> names.</summary>
public abstract class MultiStreamProjection<TDoc, TId> : ProjectionBase
    where TDoc : class
    where TId : notnull
{
    private readonly List<(Type Type, Func<IEvent, TId> Key)> identities = [];
    private readonly ConcurrentDictionary<Type, Func<IEvent, TId>?> found = [];

    /// <summary>The view's key for an event type; call it in the constructor. An <see cref="IEvent{T}"/> asks for the envelope too, say for the stream's key. An event that no rule names is not shown.</summary>
    protected void Identity<TEvent>(Func<TEvent, TId> identityFunc)
        where TEvent : notnull
    {
        var wantsEnvelope = typeof(IEvent).IsAssignableFrom(typeof(TEvent));
        identities.Add((typeof(TEvent), wantsEnvelope ? e => identityFunc((TEvent)e) : e => identityFunc((TEvent)e.Data)));
        found.Clear();
    }

    /// <summary>The view after an event: a pure fold. Null deletes the view (or leaves it unmade).</summary>
    public virtual TDoc? Evolve(TDoc? snapshot, TId id, IEvent e) => snapshot;

    internal sealed override Type ViewType => typeof(TDoc);

    internal sealed override Type KeyType => typeof(TId);

    internal sealed override bool IsSingleStream => false;

    internal sealed override bool Concerns(Type eventType) =>
        base.Concerns(eventType)
        && identities.Exists(it => it.Type.IsAssignableFrom(eventType) || it.Type.IsAssignableFrom(typeof(IEvent<>).MakeGenericType(eventType)));

    private protected sealed override string? FindKey(IEvent happened)
    {
        // Whom it belongs to is in the data, which throws where it cannot be read.
        if (happened.Data is UnknownEvent)
            throw new UnknownEventTypeException(happened);

        var key = found.GetOrAdd(happened.GetType(), _ => Rule(happened));
        return key is null ? null : (string?)(object?)key(happened) is { Length: > 0 } named ? named : null;
    }

    internal sealed override object? Fold(object? snapshot, string key, IEvent happened) =>
        Evolve((TDoc?)snapshot, (TId)(object)key, happened);

    // The rule for the very type goes before one for a base type or interface.
    private Func<IEvent, TId>? Rule(IEvent happened)
    {
        if (!base.Concerns(happened.Data.GetType()))
            return null; // A rule may reach further than what is included; a rebuild does not read it.
        var exact = identities.FirstOrDefault(it => it.Type == happened.Data.GetType());
        return exact.Key ?? identities.FirstOrDefault(it => it.Type.IsInstanceOfType(happened) || it.Type.IsInstanceOfType(happened.Data)).Key;
    }
}
