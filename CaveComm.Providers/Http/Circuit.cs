namespace CaveComm.Providers.Http;

/// <summary>Stops asking a provider that has stopped answering, so that callers get their answer at once and the work waits in the queue.</summary>
/// <remarks>
/// After <see cref="Threshold"/> failures in a row it opens for <see cref="Pause"/>; then one call is let through to find out. While that keeps
/// failing the pauses grow, up to <see cref="LongestPause"/>. It says of a call that it was not made, never that it was refused.
/// </remarks>
/// <param name="changed">Told when it opens (true) and when it closes.</param>
internal sealed class Circuit(TimeProvider clock, Action<bool>? changed = null)
{
    public const int Threshold = 5;

    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(15);

    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>For those who come while one call finds out.</summary>
    private static readonly TimeSpan WhileTrying = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private int failures;
    private int opened;
    private DateTimeOffset? openUntil;
    private bool probing;

    public CircuitState State
    {
        get
        {
            lock (gate)
            {
                return openUntil is not { } until ? CircuitState.Closed : until > clock.GetUtcNow() ? CircuitState.Open : CircuitState.Trial;
            }
        }
    }

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
                return WhileTrying;
            }

            probing = true;
            return null;
        }
    }

    public void Succeeded()
    {
        bool closes;
        lock (gate)
        {
            closes = openUntil is not null;
            (failures, opened, openUntil, probing) = (0, 0, null, false);
        }

        if (closes)
        {
            changed?.Invoke(false);
        }
    }

    public void Failed()
    {
        var opens = false;
        lock (gate)
        {
            failures++;
            if (failures >= Threshold && (probing || openUntil is null))
            {
                // Calls that were under way when it opened say nothing new, so they do not lengthen the pause.
                opens = openUntil is null;
                opened++;
                openUntil = clock.GetUtcNow() + Longer();
            }

            probing = false;
        }

        if (opens)
        {
            changed?.Invoke(true);
        }
    }

    /// <summary>The provider itself asked to be left alone for a while: that holds for every caller.</summary>
    public void Rest(TimeSpan asked)
    {
        bool opens;
        lock (gate)
        {
            opens = openUntil is null;
            var until = clock.GetUtcNow() + (asked < LongestPause ? asked : LongestPause);
            openUntil = openUntil > until ? openUntil : until;
            probing = false;
        }

        if (opens)
        {
            changed?.Invoke(true);
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

    // Twice at the first length: a provider that is restarted is back soon.
    private TimeSpan Longer()
    {
        var pause = Pause * Math.Pow(2, Math.Clamp(opened - 2, 0, 10));
        return pause < LongestPause ? pause : LongestPause;
    }
}

internal enum CircuitState
{
    Closed,

    /// <summary>Nobody asks.</summary>
    Open,

    /// <summary>The pause is over; one call may find out.</summary>
    Trial,
}
