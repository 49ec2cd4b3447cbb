namespace CaveComm.EventStore;

/// <summary>A position that others can wait for.</summary>
internal sealed class Watermark
{
    private readonly Lock change = new();
    private TaskCompletionSource? waiters;
    private long value;

    public long Value => Volatile.Read(ref value);

    public void MoveTo(long position)
    {
        TaskCompletionSource? awaken;
        lock (change)
        {
            Volatile.Write(ref value, position);
            (awaken, waiters) = (waiters, null);
        }

        awaken?.SetResult();
    }

    /// <summary>False when the position was not reached in time.</summary>
    public async Task<bool> WaitFor(long position, TimeSpan timeout, CancellationToken cancel)
    {
        var started = Environment.TickCount64;
        while (true)
        {
            Task moved;
            lock (change)
            {
                if (value >= position)
                    return true;
                waiters ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
                moved = waiters.Task;
            }

            var left = timeout - TimeSpan.FromMilliseconds(Environment.TickCount64 - started);
            if (timeout != Timeout.InfiniteTimeSpan && left <= TimeSpan.Zero)
                return false;
            try
            {
                await moved.WaitAsync(timeout == Timeout.InfiniteTimeSpan ? timeout : left, cancel);
            }
            catch (TimeoutException)
            {
                return Value >= position;
            }
        }
    }
}
