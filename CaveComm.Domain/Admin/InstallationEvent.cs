namespace CaveComm.Domain.Admin;

/// <summary>What was done to the installation as a whole. Stored for ever: add, never edit.</summary>
public abstract record InstallationEvent
{
    private InstallationEvent() { }

    /// <summary>A backup was put in place of what was there. What had been recorded after it was saved is not in this log.</summary>
    /// <param name="SavedAt">When the backup was made (UTC).</param>
    /// <param name="Position">Where the log ended in the backup; what follows was recorded after the restore.</param>
    public sealed record Restored(DateTimeOffset SavedAt, long Position) : InstallationEvent;
}
