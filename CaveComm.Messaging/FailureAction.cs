namespace CaveComm.Messaging;

/// <summary>What becomes of a message whose handler threw.</summary>
/// <remarks>
/// A message that waits for its retry holds up the later messages of its group: order is worth more than speed there. Messages without a
/// group never wait for one another. A dead letter lets its group go on.
/// </remarks>
public abstract record FailureAction
{
    private FailureAction() { }

    /// <summary>At once, in place, at most <paramref name="Limit"/> times in one delivery; then with back-off.</summary>
    public sealed record RetryNow(int Limit) : FailureAction;

    /// <summary>After a pause that grows with every attempt (see <see cref="MessagingOptions.Backoff"/>), spread by a random part.</summary>
    /// <param name="MaxAttempts">Then a dead letter; <see cref="MessagingOptions.MaxAttempts"/> when null.</param>
    public sealed record RetryWithBackoff(int? MaxAttempts = null) : FailureAction;

    /// <summary>After the pause that the other side asked for. Such attempts never make a dead letter before <see cref="MessagingOptions.MaxThrottledAttempts"/>.</summary>
    public sealed record RetryAfter(TimeSpan Pause) : FailureAction;

    /// <summary>Trying again is pointless; a person shall look.</summary>
    public sealed record DeadLetter(string Reason) : FailureAction;
}
