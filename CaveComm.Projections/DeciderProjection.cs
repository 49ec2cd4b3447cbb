using CaveComm.Domain;

namespace CaveComm.Projections;

/// <summary>Lets the store fold a stream into a Domain state by the state's own <c>Evolve</c>, so that Domain need not know the store.</summary>
public sealed partial class DeciderProjection<TState, TEvent> : SingleStreamProjection<TState, string>
    where TState : class, IState<TState, TEvent>
    where TEvent : class
{
    public override TState? Evolve(TState? snapshot, string id, IEvent e) =>
        e.Data is TEvent happened ? TState.Evolve(snapshot ?? TState.Initial, happened) : snapshot;
}
