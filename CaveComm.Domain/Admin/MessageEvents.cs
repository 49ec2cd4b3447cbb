namespace CaveComm.Domain.Admin;

/// <summary>What people did with a dead letter. Stored for ever: add, never edit.</summary>
/// <remarks>That it died, and what became of it afterwards, is not an event: it can be read from the tables of messages.</remarks>
public abstract record MessageEvent
{
    private MessageEvent() { }

    /// <summary>It was sent again.</summary>
    /// <param name="Type">The message's stored alias.</param>
    /// <param name="By">The administrator's account; null for whoever sat at the command line.</param>
    /// <param name="Reason">Why, in the administrator's words; null when none was given.</param>
    public sealed record Replayed(string Type, Guid? By, string? Reason) : MessageEvent;

    /// <summary>It was dealt with, and is off the list.</summary>
    /// <inheritdoc cref="Replayed"/>
    public sealed record Discarded(string Type, Guid? By, string Reason) : MessageEvent;
}

/// <summary>What people asked of dead letters by the number.</summary>
public abstract record ReplayEvent
{
    private ReplayEvent() { }

    /// <summary>Dead letters that fit all that is given shall be sent again.</summary>
    /// <param name="Type">Messages of this alias only.</param>
    /// <param name="Queue">Messages of this queue only.</param>
    /// <param name="Since">Only what died then or later.</param>
    /// <param name="Error">Only what was given up for a reason that holds this text.</param>
    /// <param name="PerSecond">At most so many a second.</param>
    /// <param name="By">The administrator's account; null for whoever sat at the command line.</param>
    /// <param name="Reason">Why, in the administrator's words; null when none was given.</param>
    public sealed record Requested(string? Type, string? Queue, DateTimeOffset? Since, string? Error, int PerSecond, Guid? By, string? Reason) : ReplayEvent;
}
