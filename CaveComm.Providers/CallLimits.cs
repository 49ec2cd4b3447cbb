namespace CaveComm.Providers;

/// <summary>What calls to one outside party may take: the settings <c>TimeoutSeconds</c>, <c>MostCalls</c> and <c>PauseSeconds</c> of its section.</summary>
public sealed record CallLimits
{
    /// <summary>For one try of one call. Shorter makes more unknown outcomes, not fewer charges.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Most calls of this node at one moment. Below the eight hands of the payments queue, so that some are left for the others.</summary>
    public int MostCalls { get; init; } = 5;

    /// <summary>How long a party that has stopped answering is left alone at first. The pauses grow to five minutes.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(15);
}
