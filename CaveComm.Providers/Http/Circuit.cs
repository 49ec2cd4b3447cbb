namespace CaveComm.Providers.Http;

/// <summary>Stops asking a provider that has stopped answering, so that callers get their answer at once and the work waits in the queue.</summary>
/// <remarks>
/// After <see cref="Threshold"/> failures in a row it opens for the first pause; then one call is let through to find out. While that keeps
/// failing the pauses grow, up to <see cref="LongestPause"/>. It says of a call that it was not made, never that it was refused.
/// </remarks>
/// <param name="changed">Told when it opens (true) and when it closes.</param>
internal sealed class Circuit(TimeSpan pause, TimeProvider clock, Action<bool>? changed = null)
{
    public const int Threshold = 5;

    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>For those who come while one call finds out.</summary>
    private readonly TimeSpan whileTrying = pause / 3;

    private readonly Lock gate = new();
    private int failures;
    private int opened;
    private DateTimeOffset? openUntil;
    private DateTimeOffset restUntil = DateTimeOffset.MinValue;
    private bool probing;

    public CircuitState State
    {
        get
        {
            lock (gate)
            {
                var now = clock.GetUtcNow();
                return restUntil > now || openUntil > now ? CircuitState.Open : IsTrusted ? CircuitState.Closed : CircuitState.Trial;
            }
        }
    }

    /// <returns>Null when the call may be made; else how long to leave the provider alone.</returns>
    public TimeSpan? Enter()
    {
        lock (gate)
        {
            // A clock that was set back must not make a pause of seconds one of hours.
            var now = clock.GetUtcNow();
            restUntil = Sooner(restUntil, now + LongestPause);
            openUntil = openUntil is { } until ? Sooner(until, now + LongestPause) : null;
            if (restUntil > now || openUntil > now)
            {
                return (openUntil > restUntil ? openUntil.Value : restUntil) - now;
            }

            if (IsTrusted)
            {
                return null;
            }

            if (probing)
            {
                return whileTrying;
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
            var isRested = restUntil > DateTimeOffset.MinValue && restUntil <= clock.GetUtcNow();
            closes = isRested || (openUntil is not null && restUntil == DateTimeOffset.MinValue);
            (failures, opened, openUntil, probing) = (0, 0, null, false);
            restUntil = isRested ? DateTimeOffset.MinValue : restUntil;
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
            // Apart from what failures lead to: a call that was under way and succeeds does not take back what the provider asked for.
            var now = clock.GetUtcNow();
            opens = openUntil is null && restUntil <= now;
            var until = now + (asked < LongestPause ? asked : LongestPause);
            restUntil = restUntil > until ? restUntil : until;
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

    /// <summary>No pause is under way, and none is over of which nobody knows yet whether it has helped.</summary>
    private bool IsTrusted => openUntil is null && restUntil == DateTimeOffset.MinValue;

    private static DateTimeOffset Sooner(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    // Twice at the first length: a provider that is restarted is back soon.
    private TimeSpan Longer()
    {
        var longer = pause * Math.Pow(2, Math.Clamp(opened - 2, 0, 10));
        return longer < LongestPause ? longer : LongestPause;
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
