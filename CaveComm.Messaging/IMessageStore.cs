namespace CaveComm.Messaging;

/// <summary>The stored messages, for admins, health checks and tests.</summary>
public interface IMessageStore
{
    /// <summary>Makes the tables, or brings older ones up to date; a node does so when it starts.</summary>
    Task Migrate(CancellationToken cancel);

    Task<MessageCounts> Count(CancellationToken cancel);

    /// <summary>How many there are in each state. It reads the whole table: for a look now and then.</summary>
    Task<MessageFigures> Measure(CancellationToken cancel);

    /// <summary>Messages as they stand: first the dead ones, the last to die first, then the others as they are due. Discarded ones only when asked for.</summary>
    /// <param name="after">Where the page before ended.</param>
    Task<IReadOnlyList<StoredMessage>> List(MessageFilter filter, int limit, MessageCursor? after, CancellationToken cancel);

    /// <summary>One message with all its errors; null when it was handled, or never was.</summary>
    Task<StoredMessage?> Find(Guid id, CancellationToken cancel);

    /// <summary>Dead letters that wait for a person, the newest first.</summary>
    /// <param name="after">The last id of the page before.</param>
    Task<IReadOnlyList<DeadLetter>> ListDeadLetters(int limit, Guid? after, CancellationToken cancel);

    /// <summary>One dead letter, discarded ones too; null when there is none.</summary>
    Task<DeadLetter?> FindDeadLetter(Guid id, CancellationToken cancel);

    /// <summary>Sends one dead letter again, behind what its group has waiting by now. Its attempts begin anew, its errors are kept.</summary>
    /// <returns>False when there is no such dead letter or it was discarded.</returns>
    Task<bool> Replay(Guid id, CancellationToken cancel);

    /// <summary>Sends dead letters again in their first order, at most so many a second. What fails again is a dead letter again; nothing is replayed by itself.</summary>
    /// <param name="messageType">Only this alias; all when null.</param>
    Task<int> ReplayAll(string? messageType, int perSecond, CancellationToken cancel);

    /// <summary>How many dead letters a replay would send.</summary>
    Task<int> CountDeadLetters(ReplayFilter filter, CancellationToken cancel);

    /// <summary>As <see cref="ReplayAll"/>, one at a time over all nodes, under a name by which its progress can be asked for.</summary>
    /// <remarks>
    /// All its letters are back among the messages when this returns, each with a turn of its own, so it needs nobody to go on. Turns that passed while no
    /// node ran are not made up for in a flood: the next node to start puts the rest off by as much. A letter that dies again is not taken again.
    /// </remarks>
    /// <param name="id">A new one.</param>
    /// <returns>Null when no dead letter fits.</returns>
    /// <exception cref="ReplayRunningException">An earlier one still has letters whose turn has not come.</exception>
    Task<ReplayRun?> Replay(Guid id, ReplayFilter filter, int perSecond, CancellationToken cancel);

    Task<ReplayRun?> FindReplay(Guid id, CancellationToken cancel);

    /// <summary>The newest first.</summary>
    Task<IReadOnlyList<ReplayRun>> ListReplays(int limit, CancellationToken cancel);

    /// <summary>Takes a dead letter off the list for good. It stays readable with the reason.</summary>
    /// <returns>False when there is no such dead letter or it was discarded before.</returns>
    Task<bool> Discard(Guid id, string reason, CancellationToken cancel);

    /// <summary>Waits until nothing is due or running; scheduled messages and waiting retries do not count.</summary>
    /// <exception cref="TimeoutException">Something still is.</exception>
    Task WaitForIdle(TimeSpan timeout);
}

/// <param name="Due">Ready to run, or running.</param>
/// <param name="Running">In the hands of a node.</param>
/// <param name="Scheduled">To run later, waiting retries included.</param>
/// <param name="OldestDueAge">How long the oldest message has been due; zero when none is.</param>
public sealed record MessageCounts(long Due, long Running, long Scheduled, long Dead, TimeSpan OldestDueAge);

/// <param name="Body">JSON as it was stored.</param>
/// <param name="Reason">Why it was given up.</param>
/// <param name="Errors">Every failed attempt, oldest first; also those from before a replay.</param>
/// <param name="Replays">How often it was sent again.</param>
public sealed record DeadLetter(
    Guid Id, string MessageType, string Queue, string? GroupId, string Body, string Reason, IReadOnlyList<DeliveryError> Errors, int Attempts, int Replays,
    string TraceId, DateTimeOffset SentAt, DateTimeOffset DiedAt, DateTimeOffset? DiscardedAt, string? DiscardReason);

/// <param name="Type">The exception's full name.</param>
public sealed record DeliveryError(DateTimeOffset At, int Attempt, string Type, string Message);
