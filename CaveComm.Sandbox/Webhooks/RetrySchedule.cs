namespace CaveComm.Sandbox.Webhooks;

/// <summary>How long a failed sending waits before it is tried again, and when it is given up.</summary>
/// <param name="First">The pauses after the first failures, one each.</param>
/// <param name="Then">The pause after every later failure.</param>
/// <param name="GiveUpAfter">Counted from the first attempt: waiting for a target costs nothing.</param>
public sealed record RetrySchedule(IReadOnlyList<TimeSpan> First, TimeSpan Then, TimeSpan GiveUpAfter)
{
    /// <summary>Days of a real provider's schedule, scaled to what somebody in front of a sandbox will wait for.</summary>
    public static RetrySchedule Sandbox { get; } = new(
        [.. new[] { 0.3, 0.6, 1, 2, 3, 5 }.Select(seconds => TimeSpan.FromSeconds(seconds))],
        TimeSpan.FromSeconds(10),
        TimeSpan.FromHours(1));

    /// <summary>How long to wait after the n-th failure.</summary>
    public TimeSpan Pause(int failures) => failures <= First.Count ? First[failures - 1] : Then;

    /// <summary>When to try again after so many attempts, or null when it is time to give up.</summary>
    public DateTimeOffset? Next(int attempts, DateTimeOffset firstAttempt, DateTimeOffset now)
    {
        var next = now + Pause(attempts);
        return next - firstAttempt > GiveUpAfter ? null : next;
    }
}
