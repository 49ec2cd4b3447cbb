namespace CaveComm.Domain;

/// <summary>A state that is folded from the events of one stream.</summary>
public interface IState<TSelf, in TEvent>
    where TSelf : class, IState<TSelf, TEvent>
    where TEvent : class
{
    /// <summary>Before anything happened.</summary>
    static abstract TSelf Initial { get; }

    /// <summary>The state after an event. It never judges: what is stored, happened.</summary>
    static abstract TSelf Evolve(TSelf it, TEvent happened);
}
