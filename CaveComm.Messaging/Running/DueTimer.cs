namespace CaveComm.Messaging;

/// <summary>Rings when the next scheduled message is due, by the clock that due times are measured with.</summary>
internal sealed class DueTimer : IDisposable
{
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private readonly Lock gate = new();
    private DateTimeOffset armed = DateTimeOffset.MaxValue;
    private DateTimeOffset noted = DateTimeOffset.MaxValue;

    public DueTimer(TimeProvider clock, Action ring)
    {
        this.clock = clock;
        timer = clock.CreateTimer(_ => ring(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A message was scheduled here.</summary>
    public void Note(DateTimeOffset due)
    {
        lock (gate)
        {
            noted = due < noted ? due : noted;
            if (due < armed)
            {
                Arm(due);
            }
        }
    }

    /// <summary>The table is about to be asked; what is noted from now on may be missing from its answer.</summary>
    public void Ask()
    {
        lock (gate)
        {
            noted = DateTimeOffset.MaxValue;
        }
    }

    public void Answer(DateTimeOffset? next)
    {
        lock (gate)
        {
            Arm(next is { } due && due < noted ? due : noted);
        }
    }

    public void Dispose() => timer.Dispose();

    private void Arm(DateTimeOffset due)
    {
        armed = due;
        var wait = due - clock.GetUtcNow();
        timer.Change(
            due == DateTimeOffset.MaxValue ? Timeout.InfiniteTimeSpan : wait <= TimeSpan.Zero ? TimeSpan.Zero : wait < TimeSpan.FromDays(1) ? wait : TimeSpan.FromDays(1),
            Timeout.InfiniteTimeSpan);
    }
}
