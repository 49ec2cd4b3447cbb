namespace CaveComm.Domain.Admin;

/// <summary>What people asked of a projection. Stored for ever: add, never edit.</summary>
/// <remarks>What the projection does by itself (falling behind, parking a key, finishing a rebuild) is not an event: it can be read from its tables.</remarks>
public abstract record ProjectionEvent
{
    private ProjectionEvent() { }

    /// <param name="By">The administrator's account; null for whoever sat at the command line.</param>
    /// <param name="Reason">Why, in the administrator's words; null when none was given.</param>
    public sealed record RebuildRequested(Guid? By, string? Reason) : ProjectionEvent;

    /// <inheritdoc cref="RebuildRequested"/>
    public sealed record Paused(Guid? By, string? Reason) : ProjectionEvent;

    /// <inheritdoc cref="RebuildRequested"/>
    public sealed record Resumed(Guid? By, string? Reason) : ProjectionEvent;

    /// <inheritdoc cref="RebuildRequested"/>
    /// <param name="Key">Only this parked key; null for all.</param>
    public sealed record Retried(Guid? By, string? Reason, string? Key) : ProjectionEvent;
}
