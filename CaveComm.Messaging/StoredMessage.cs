namespace CaveComm.Messaging;

/// <summary>Where a message stands. A message that was handled leaves no row.</summary>
public enum MessageState
{
    /// <summary>To run later; nothing has gone wrong.</summary>
    Scheduled,

    /// <summary>Ready, and in nobody's hands; perhaps behind others of its group.</summary>
    Due,

    /// <summary>In the hands of a node.</summary>
    Running,

    /// <summary>It failed and will be tried again.</summary>
    Retrying,

    /// <summary>Given up, for a person to look at.</summary>
    Dead,

    /// <summary>Dead, and dealt with.</summary>
    Discarded,
}

/// <summary>A message as it stands in the tables.</summary>
/// <param name="Body">JSON as it was stored.</param>
/// <param name="Errors">Failed attempts, oldest first; in lists only the last five.</param>
/// <param name="Replays">How often it was sent again after it had died.</param>
/// <param name="DueAt">When it runs next; null for a dead one.</param>
/// <param name="Node">Who has it in hand.</param>
/// <param name="Reason">Why it was given up.</param>
public sealed record StoredMessage(
    Guid Id, MessageState State, string MessageType, string Queue, string? GroupId, string Body, IReadOnlyList<DeliveryError> Errors, int Attempts, int Replays,
    string TraceId, DateTimeOffset SentAt, DateTimeOffset? DueAt, string? Node, string? Reason, DateTimeOffset? DiedAt, DateTimeOffset? DiscardedAt, string? DiscardReason)
{
    /// <summary>Where a list goes on behind it.</summary>
    public MessageCursor Cursor => new(DiedAt is not null, DiedAt ?? DueAt ?? SentAt, Id);
}

/// <param name="State">Only these; all but discarded ones when null.</param>
public sealed record MessageFilter(MessageState? State = null, string? MessageType = null, string? Queue = null, string? GroupId = null)
{
    internal bool TakesDead => State is null or MessageState.Dead or MessageState.Discarded;

    internal bool TakesLive => State is not (MessageState.Dead or MessageState.Discarded);
}

/// <summary>A place in the list of messages.</summary>
/// <param name="Dead">Among the dead, which come first.</param>
public sealed record MessageCursor(bool Dead, DateTimeOffset At, Guid Id);

/// <summary>How many messages there are.</summary>
/// <param name="Queues">By queue and state, dead and discarded ones left out.</param>
/// <param name="DeadByType">Waiting for a person.</param>
public sealed record MessageFigures(IReadOnlyList<QueueFigure> Queues, IReadOnlyDictionary<string, long> DeadByType)
{
    public long Of(MessageState state) => state == MessageState.Dead ? DeadByType.Values.Sum() : Queues.Where(it => it.State == state).Sum(it => it.Count);
}

/// <param name="OldestDueAge">How long the oldest of them has been due; zero when none is.</param>
public sealed record QueueFigure(string Queue, MessageState State, long Count, TimeSpan OldestDueAge);
