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
