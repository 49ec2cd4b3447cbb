namespace CaveComm.Sandbox.BtcPay;

/// <summary>When to look at what again. It is made anew from the state at each start, so no alarm is lost with the process.</summary>
/// <remarks>An entry is a hint: whoever is rung looks at the time and the state himself, and a second ring does nothing.</remarks>
internal sealed class Agenda(TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(12);
    private readonly Lock gate = new();
    private readonly PriorityQueue<Action, DateTimeOffset> entries = new();
    private ITimer? timer;
    private bool stopped;

    public void Add(DateTimeOffset at, Action look)
    {
        lock (gate)
        {
            if (stopped)
            {
                return;
            }

            timer ??= time.CreateTimer(_ => Ring(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            entries.Enqueue(look, at);
            SetAlarm(timer);
        }
    }

    public async ValueTask DisposeAsync()
    {
        ITimer? last;
        lock (gate)
        {
            stopped = true;
            last = timer;
        }

        if (last is not null)
        {
            await last.DisposeAsync(); // Waits for a ring that is under way.
        }
    }

    private void Ring()
    {
        while (Next() is { } look)
        {
            look();
        }
    }

    private Action? Next()
    {
        lock (gate)
        {
            if (stopped || timer is null)
            {
                return null;
            }

            if (entries.TryPeek(out var look, out var at) && at <= time.GetUtcNow())
            {
                entries.Dequeue();
                return look;
            }

            SetAlarm(timer);
            return null;
        }
    }

    private void SetAlarm(ITimer alarm)
    {
        if (entries.TryPeek(out _, out var at))
        {
            // Timers count whole milliseconds; one more, so that the moment has passed when it rings.
            var wait = at - time.GetUtcNow() + TimeSpan.FromMilliseconds(1);
            alarm.Change(wait < TimeSpan.Zero ? TimeSpan.Zero : wait < LongestWait ? wait : LongestWait, Timeout.InfiniteTimeSpan);
        }
    }
}
