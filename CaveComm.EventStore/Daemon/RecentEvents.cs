namespace CaveComm.EventStore;

/// <summary>The end of the log as this node has read it: projections that are up to date share it instead of reading it once each.</summary>
internal sealed class RecentEvents(long start)
{
    private const int Kept = 4096;
    private readonly Lock change = new();
    private readonly List<IEvent> events = [];
    private long completeAfter = start;
    private long highestSeen = start;
    private DateTimeOffset? waitingSince;

    /// <summary>Everything up to here is final: no commit can put anything before it any more.</summary>
    public Watermark HighWater { get; } = At(start);

    /// <summary>The highest place in the log that was read, be it behind a gap or not.</summary>
    public long HighestSeen => Volatile.Read(ref highestSeen);

    /// <summary>The time of the first event that waits behind a gap.</summary>
    public DateTimeOffset? WaitingSince
    {
        get
        {
            lock (change)
                return waitingSince;
        }
    }

    /// <param name="final">Events that follow the high-water mark and are final.</param>
    /// <param name="highWater">The new high-water mark.</param>
    public void Publish(IReadOnlyList<IEvent> final, long highWater)
    {
        lock (change)
        {
            events.AddRange(final);
            if (events.Count > 2 * Kept)
            {
                var cut = events.Count - Kept;
                completeAfter = events[cut - 1].Sequence;
                events.RemoveRange(0, cut);
            }

            highestSeen = Math.Max(highestSeen, highWater);
        }

        HighWater.MoveTo(highWater);
    }

    public void Seen(long highest, DateTimeOffset? waiting)
    {
        lock (change)
        {
            highestSeen = Math.Max(highestSeen, highest);
            waitingSince = waiting;
        }
    }

    /// <summary>The events after a position, at most so many; null when they are no longer kept here.</summary>
    public IReadOnlyList<IEvent>? After(long position, int most)
    {
        lock (change)
        {
            if (position < completeAfter)
                return null;
            var (low, high) = (0, events.Count);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (events[middle].Sequence <= position)
                    low = middle + 1;
                else
                    high = middle;
            }

            return events.GetRange(low, Math.Min(most, events.Count - low));
        }
    }

    private static Watermark At(long position)
    {
        var mark = new Watermark();
        mark.MoveTo(position);
        return mark;
    }
}
