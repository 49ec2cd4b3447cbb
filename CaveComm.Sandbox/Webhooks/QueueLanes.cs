using System.Globalization;
using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Webhooks;

/// <summary>Which lanes of a queue are at work, and which wait because nobody was there. Forgotten at the end of the process.</summary>
internal sealed class QueueLanes(RetrySchedule schedule, Func<string, bool> isOpen)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Task> running = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (int Failures, DateTimeOffset Until)> paused = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> hurried = new(StringComparer.Ordinal);

    public bool IsOpen(string lane) => isOpen(lane);

    /// <summary>Which lanes are idle as of now. One that ends later wakes the pump, so nothing is overlooked.</summary>
    public Func<string, bool> Idle()
    {
        lock (gate)
        {
            var busy = running.Keys.ToHashSet();
            return lane => !busy.Contains(lane);
        }
    }

    /// <summary>When an item is to be sent, by its own schedule and its lane's.</summary>
    public DateTimeOffset Due(Place item)
    {
        lock (gate)
        {
            var due = item.LastAttemptAt is { } last && hurried.TryGetValue(item.Lane, out var at) && last <= at && at < item.DueAt ? at : item.DueAt;
            return paused.TryGetValue(item.Lane, out var pause) && pause.Until > due ? pause.Until : due;
        }
    }

    public void Hurry(string lane, DateTimeOffset now)
    {
        lock (gate)
        {
            hurried[lane] = now;
            paused.Remove(lane);
        }
    }

    public void Pause(string lane, DateTimeOffset now)
    {
        lock (gate)
        {
            var failures = paused.TryGetValue(lane, out var pause) ? pause.Failures + 1 : 1;
            paused[lane] = (failures, now + schedule.Pause(failures));
        }
    }

    public void Resume(string lane)
    {
        lock (gate)
        {
            paused.Remove(lane);
        }
    }

    public void Run(string lane, Func<Task> work, Action ended)
    {
        lock (gate)
        {
            running[lane] = Task.Run(async () =>
            {
                await work();
                lock (gate)
                {
                    running.Remove(lane);
                }

                ended();
            });
        }
    }

    public Task Ended()
    {
        lock (gate)
        {
            return Task.WhenAll(running.Values);
        }
    }

    /// <summary>As much of a waiting item as it takes to see whether it is due.</summary>
    public readonly record struct Place(string Id, string Lane, DateTimeOffset DueAt, DateTimeOffset? LastAttemptAt)
    {
        public static Place Of(JsonObject document) => new(
            (string)document["id"]!,
            (string)document["lane"]!,
            Time((string)document["dueAt"]!),
            (string?)document["lastAttemptAt"] is { } last ? Time(last) : null);

        private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
    }
}
