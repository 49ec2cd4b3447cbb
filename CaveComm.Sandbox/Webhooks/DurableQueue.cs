using System.Globalization;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Storage;

namespace CaveComm.Sandbox.Webhooks;

/// <summary>Work that must be done later, kept as documents beside the state it belongs to: it is still there after a kill -9.</summary>
/// <remarks>At least once: an item whose sending was cut off by the end of the process is sent again by the next.</remarks>
public sealed class DurableQueue : IAsyncDisposable
{
    private const int EndedKept = 500;

    private readonly SandboxStore store;
    private readonly string waiting;
    private readonly string ended;
    private readonly string contents;
    private readonly TimeProvider time;
    private readonly Func<QueuedItem, CancellationToken, Task<Attempted>> send;
    private readonly Action<string[]>? arrange;
    private readonly QueueLanes lanes;
    private readonly RetrySchedule schedule;
    private readonly SemaphoreSlim wake = new(0, 1);
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private int sequence;
    private Task? pump;
    private bool stopped;

    /// <param name="name">Begins the names of the collections: what waits, the last that have ended, and the contents of both.</param>
    /// <param name="laneIsOpen">Asked before each sending; items of a closed lane wait. Call <see cref="Wake"/> when an answer changes.</param>
    /// <param name="arrange">May change the order in which the due items (by id) of a lane are sent.</param>
    public DurableQueue(
        SandboxStore store,
        string name,
        RetrySchedule schedule,
        TimeProvider time,
        Func<QueuedItem, CancellationToken, Task<Attempted>> send,
        Func<string, bool>? laneIsOpen = null,
        Action<string[]>? arrange = null)
    {
        this.store = store;
        this.schedule = schedule;
        this.time = time;
        this.send = send;
        this.arrange = arrange;
        lanes = new QueueLanes(schedule, laneIsOpen ?? (_ => true));
        waiting = name + ".waiting";
        ended = name + ".ended";
        contents = name + ".contents";
    }

    public void Start() => pump ??= Task.Run(() => Pump(stopping.Token));

    /// <summary>Queues an item as part of the change it tells of: both are kept, or neither.</summary>
    public QueuedItem Enqueue(SandboxStore.Work work, string lane, string key, JsonObject content, TimeSpan delay = default)
    {
        var now = time.GetUtcNow();
        var id = string.Create(
            CultureInfo.InvariantCulture,
            $"{now.ToUnixTimeMilliseconds():D15}-{Interlocked.Increment(ref sequence):D8}-{Guid.NewGuid().ToString("N")[..8]}");
        var item = new QueuedItem(id, lane, key, content, now, now + delay);
        work.Put(contents, id, content);
        work.Put(waiting, id, item.ToDocument());
        Wake(); // The pump reads under the store's lock, so it sees this item once its transaction has ended.
        return item;
    }

    /// <summary>Queues what has ended (or still waits) once more, as a new item.</summary>
    /// <returns>The new item, or null when there is none of that id.</returns>
    public QueuedItem? Repeat(string id) => store.Transact(work => (Find(work, ended, id) ?? Find(work, waiting, id)) is { } item
        ? Enqueue(work, item.Lane, item.Key, item.Content)
        : null);

    /// <summary>Makes everything that waits in a lane for another attempt due now.</summary>
    public void Hurry(string lane)
    {
        lanes.Hurry(lane, time.GetUtcNow());
        Wake();
    }

    /// <summary>Lets the pump look again.</summary>
    public void Wake()
    {
        lock (gate)
        {
            if (wake.CurrentCount == 0 && !stopped)
            {
                wake.Release();
            }
        }
    }

    public IReadOnlyList<QueuedItem> Waiting() => All(waiting);

    public int CountWaiting() => store.Transact(work => work.Ids(waiting).Count);

    /// <summary>The last that were sent or given up, oldest first.</summary>
    public IReadOnlyList<QueuedItem> Ended() => All(ended);

    /// <summary>The keys of what waits and of what was given up.</summary>
    public IReadOnlySet<string> NotDone() => store.Transact(work => work
        .Select(waiting, it => (string?)it["key"])
        .Concat(work.Select(ended, it => (bool?)it["succeeded"] is false ? (string?)it["key"] : null))
        .OfType<string>()
        .ToHashSet());

    /// <summary>Drops what waits in a lane whose receiver is gone for good.</summary>
    public void Forget(SandboxStore.Work work, string lane)
    {
        foreach (var id in work.Select(waiting, it => (string?)it["lane"] == lane ? (string?)it["id"] : null).OfType<string>())
        {
            work.Remove(waiting, id);
            work.Remove(contents, id);
        }
    }

    /// <summary>Stops at once: what is being sent is cut off, and sent again by the next start. Can be called twice.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (gate)
        {
            if (stopped)
            {
                return;
            }

            stopped = true;
        }

        await stopping.CancelAsync();
        if (pump is not null)
        {
            await pump;
        }

        await lanes.Ended();
        stopping.Dispose();
        wake.Dispose();
    }

    private QueuedItem? Find(SandboxStore.Work work, string collection, string id) =>
        work.Find(collection, id) is { } document && work.Find(contents, id) is { } content
            ? QueuedItem.FromDocument(document, content)
            : null;

    private IReadOnlyList<QueuedItem> All(string collection) =>
        store.Transact(work => (IReadOnlyList<QueuedItem>)[.. work.Ids(collection).Select(id => Find(work, collection, id)).OfType<QueuedItem>()]);

    private async Task Pump(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            var next = StartLanes(cancel);

            // SemaphoreSlim knows no TimeProvider, so the alarm is a second task; whichever comes second is called off.
            using var alarm = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            var woken = wake.WaitAsync(alarm.Token);
            var rung = next is { } at ? Task.Delay(Until(at), time, alarm.Token) : Task.Delay(Timeout.Infinite, alarm.Token);
            await Task.WhenAny(woken, rung);
            await alarm.CancelAsync();
            await Task.WhenAll(woken, rung).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>A day at most: a timer of the framework can't wait for months, and the pump only looks again.</summary>
    private TimeSpan Until(DateTimeOffset at) => at - time.GetUtcNow() is { Ticks: > 0 } wait ? TimeSpan.FromTicks(Math.Min(wait.Ticks, TimeSpan.TicksPerDay)) : TimeSpan.Zero;

    /// <summary>Starts every lane that has something due and is not at work.</summary>
    /// <returns>When the next item of an idle lane comes due.</returns>
    private DateTimeOffset? StartLanes(CancellationToken cancel)
    {
        var idle = lanes.Idle();
        DateTimeOffset? next = null;
        var now = time.GetUtcNow();
        foreach (var lane in store.Transact(work => work.Select(waiting, QueueLanes.Place.Of)).GroupBy(it => it.Lane).Where(it => idle(it.Key)))
        {
            if (!lanes.IsOpen(lane.Key))
            {
                continue;
            }

            // What has waited longest goes first, so that one item which always fails never keeps the others back.
            var places = lane.Select(it => (it.Id, it.DueAt, Due: lanes.Due(it)))
                .OrderBy(it => it.Due).ThenBy(it => it.DueAt).ThenBy(it => it.Id, StringComparer.Ordinal).ToArray();
            if (places[0].Due > now)
            {
                next = next is null || places[0].Due < next ? places[0].Due : next;
                continue;
            }

            var due = places.TakeWhile(it => it.Due <= now).Select(it => it.Id).ToArray();
            arrange?.Invoke(due);
            lanes.Run(lane.Key, () => RunLane(lane.Key, due, cancel), Wake);
        }

        return next;
    }

    private async Task RunLane(string lane, IReadOnlyList<string> due, CancellationToken cancel)
    {
        foreach (var id in due)
        {
            if (cancel.IsCancellationRequested || !lanes.IsOpen(lane))
            {
                return;
            }

            if (store.Transact(work => Find(work, waiting, id)) is not { } item)
            {
                continue;
            }

            if (await Attempt(item, cancel) is not { } attempted)
            {
                return;
            }

            Record(item, attempted);
            if (attempted.Is == Attempted.Verdict.NobodyThere)
            {
                lanes.Pause(lane, time.GetUtcNow());
                return;
            }

            lanes.Resume(lane);
        }
    }

    /// <returns>What became of it, or null when it was cut off by the end of the process.</returns>
    private async Task<Attempted?> Attempt(QueuedItem item, CancellationToken cancel)
    {
        try
        {
            return await send(item, cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception fault)
        {
            // Whatever broke, the item must not be lost nor stop the others; what it was stands in the list of deliveries.
            return new Attempted(Attempted.Verdict.TryAgain, $"{fault.GetType().Name}: {fault.Message}");
        }
    }

    private void Record(QueuedItem item, Attempted attempted) => store.Transact(work =>
    {
        if (work.Find(waiting, item.Id) is null)
        {
            return; // Forgotten while it was sent.
        }

        var now = time.GetUtcNow();
        var tried = item with
        {
            Attempts = item.Attempts + 1,
            FirstAttemptAt = item.FirstAttemptAt ?? now,
            LastAttemptAt = now,
            LastResult = attempted.Result,
        };
        if (attempted.Is is Attempted.Verdict.TryAgain or Attempted.Verdict.NobodyThere
            && schedule.Next(tried.Attempts, tried.FirstAttemptAt.Value, now) is { } next)
        {
            work.Put(waiting, item.Id, (tried with { DueAt = next }).ToDocument());
            return;
        }

        work.Remove(waiting, item.Id);
        work.Put(ended, item.Id, (tried with { Succeeded = attempted.Is == Attempted.Verdict.Done }).ToDocument());
        foreach (var old in work.Ids(ended).SkipLast(EndedKept))
        {
            work.Remove(ended, old);
            work.Remove(contents, old);
        }
    });
}
