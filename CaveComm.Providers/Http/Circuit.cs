namespace CaveComm.Providers.Http;

/// <summary>Stops asking a provider that has stopped answering, so that callers get their answer at once and the work waits in the queue.</summary>
/// <remarks>After <see cref="Threshold"/> failures in a row it opens for <see cref="Pause"/>; then one call is let through to find out.</remarks>
internal sealed class Circuit(TimeProvider clock)
{
    public const int Threshold = 5;

    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(15);

    private readonly Lock gate = new();
    private int failures;
    private DateTimeOffset? openUntil;
    private bool probing;

    /// <returns>Null when the call may be made; else how long to leave the provider alone.</returns>
    public TimeSpan? Enter()
    {
        lock (gate)
        {
            if (openUntil is not { } until)
            {
                return null;
            }

            var left = until - clock.GetUtcNow();
            if (left > TimeSpan.Zero)
            {
                return left;
            }

            if (probing)
            {
                return TimeSpan.FromSeconds(1);
            }

            probing = true;
            return null;
        }
    }

    public void Succeeded()
    {
        lock (gate)
        {
            (failures, openUntil, probing) = (0, null, false);
        }
    }

    public void Failed()
    {
        lock (gate)
        {
            failures++;
            probing = false;
            if (failures >= Threshold)
            {
                openUntil = clock.GetUtcNow() + Pause;
            }
        }
    }

    /// <summary>The caller gave up, which says nothing about the provider.</summary>
    public void Abandoned()
    {
        lock (gate)
        {
            probing = false;
        }
    }
}
