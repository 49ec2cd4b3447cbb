namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>What a node in a process of its own is told.</summary>
internal sealed record NodeSettings
{
    public required string Database { get; init; }

    public required Uri Effects { get; init; }

    /// <summary>The product's own clockwork, or the quick one of tests.</summary>
    public bool ProductTimings { get; init; }

    public int Parallel { get; init; } = 16;

    /// <summary>How long each handler works before its outside effect.</summary>
    public int WorkMilliseconds { get; init; }

    /// <summary>The numbers that it asks for itself when it is up.</summary>
    public int FirstNumber { get; init; }

    public int Numbers { get; init; }

    /// <summary>Where it ends itself with SIGKILL.</summary>
    public KillPoint? KillAt { get; init; }

    /// <summary>At how many-th time of coming by there.</summary>
    public int KillCount { get; init; } = 1;
}

/// <summary>The places between the steps of a message's life.</summary>
public enum KillPoint
{
    /// <summary>Its publisher has committed and does not know of it yet, or just does; a grouped one is looked for at this moment.</summary>
    Published,

    /// <summary>Committed, not yet with a worker.</summary>
    Stored,

    /// <summary>With a worker, the handler not yet called.</summary>
    Taken,

    /// <summary>The handler and its outside effect are done, nothing is committed.</summary>
    Handled,

    /// <summary>The handler's work is committed, the worker has not taken note.</summary>
    Committed,
}
