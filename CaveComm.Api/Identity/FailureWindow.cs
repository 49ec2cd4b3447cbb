using System.Collections.Concurrent;

namespace CaveComm.Api.Identity;

/// <param name="RetryAfter">How long it was over the limit when it happened; null when it was not.</param>
/// <param name="IsFirst">The first one over the limit since it was last under.</param>
internal readonly record struct FailureCount(TimeSpan? RetryAfter, bool IsFirst);

/// <summary>
/// Counts failures by key over a sliding window, in memory: each node counts what it sees, and a restart forgets. It keeps the last
/// <paramref name="most"/> times of a key and no more, however many there were.
/// </summary>
internal sealed class FailureWindow(int most, TimeSpan window, TimeProvider clock)
{
    private const int LeastBeforeSweep = 4_096;

    private readonly ConcurrentDictionary<string, Failures> byKey = new(StringComparer.Ordinal);
    private int sweepAt = LeastBeforeSweep;

    /// <summary>How many keys it remembers.</summary>
    public int Kept => byKey.Count;

    /// <returns>How long the key is over the limit; null when it is not.</returns>
    public TimeSpan? Over(string key)
    {
        if (!byKey.TryGetValue(key, out var failures))
        {
            return null;
        }

        lock (failures)
        {
            return Over(failures, clock.GetUtcNow());
        }
    }

    public FailureCount Fail(string key) => Count(key, goesOnCounting: true);

    /// <summary>Counts a try as a failure before anybody knows how it ends: of many at once no more go on than of as many one after the other.</summary>
    /// <returns>As for <see cref="Fail"/>; over the limit nothing is counted.</returns>
    public FailureCount Try(string key) => Count(key, goesOnCounting: false);

    /// <summary>A try went well after all.</summary>
    public void Forgive(string key)
    {
        if (byKey.TryGetValue(key, out var failures))
        {
            lock (failures)
            {
                failures.TakeBack();
            }
        }
    }

    /// <param name="goesOnCounting">Whether failures over the limit are counted too, so that whoever goes on stays over it.</param>
    private FailureCount Count(string key, bool goesOnCounting)
    {
        Sweep();
        var failures = byKey.GetOrAdd(key, _ => new Failures(most));
        lock (failures)
        {
            var now = clock.GetUtcNow();
            var over = Over(failures, now);
            var isFirst = over is not null && !failures.WasTold;
            failures.WasTold = over is not null;
            if (over is null || goesOnCounting)
            {
                failures.Add(now);
            }

            return new FailureCount(over, isFirst);
        }
    }

    private TimeSpan? Over(Failures failures, DateTimeOffset now) =>
        failures.Oldest + window - now is { } left && left > TimeSpan.Zero ? left : null;

    /// <summary>Forgets keys that have been quiet. The work is shared out: each sweep pays for as many keys as came since the one before.</summary>
    private void Sweep()
    {
        if (byKey.Count < Volatile.Read(ref sweepAt))
        {
            return;
        }

        var now = clock.GetUtcNow();
        foreach (var (key, failures) in byKey)
        {
            lock (failures)
            {
                if (failures.Newest is not { } newest || newest + window <= now)
                {
                    byKey.TryRemove(key, out _);
                }
            }
        }

        Volatile.Write(ref sweepAt, Math.Max(LeastBeforeSweep, byKey.Count * 2));
    }

    private sealed class Failures(int most)
    {
        private readonly DateTimeOffset?[] times = new DateTimeOffset?[most];
        private int next;

        public bool WasTold { get; set; }

        /// <summary>Of the last so many; null while there were fewer.</summary>
        public DateTimeOffset? Oldest => times[next];

        public DateTimeOffset? Newest => times[(next + times.Length - 1) % times.Length];

        public void Add(DateTimeOffset at)
        {
            times[next] = at;
            next = (next + 1) % times.Length;
        }

        /// <summary>Forgets the newest. What it took the place of was out of the window, or it would not have been let through.</summary>
        public void TakeBack()
        {
            next = (next + times.Length - 1) % times.Length;
            times[next] = null;
        }
    }
}
