namespace CaveComm.Messaging;

/// <summary>The stored messages, for admins, health checks and tests.</summary>
public interface IMessageStore
{
    Task<MessageCounts> Count(CancellationToken cancel);

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
