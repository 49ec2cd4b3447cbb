using Npgsql;

namespace CaveComm.Messaging;

/// <summary>Takes what is due and in nobody's hands: scheduled messages, those whose lease ran out or whose node died, and those there was no room for.</summary>
internal sealed class Poller(
    MessagingNode node, MessageCatalog catalog, IReadOnlyList<QueueRunner> queues, GroupGate gate, TimeProvider clock, TimeSpan interval, Signal bell, DueTimer timer)
{
    /// <summary>What the clocks of two nodes may differ by.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, long> floors = queues.ToDictionary(queue => queue.Name, _ => long.MinValue, StringComparer.Ordinal);
    private DateTimeOffset dueFloor = DateTimeOffset.MinValue;
    private DateTimeOffset latest = DateTimeOffset.MinValue;
    private bool everything = true;
    private int fruitless;

    /// <summary>Below these nothing was left half a minute ago: the rounds need not walk over index entries of finished messages that an old snapshot keeps alive.</summary>
    /// <remarks>A transaction that drew its number before and commits after that is found by the full round which follows.</remarks>
    public void Raise(IReadOnlyDictionary<string, long> seqs, DateTimeOffset due)
    {
        lock (floors)
        {
            foreach (var (queue, seq) in seqs)
            {
                floors[queue] = seq;
            }

            dueFloor = due;
            everything = true;
        }

        bell.Ring();
    }

    public async Task Run(CancellationToken cancel)
    {
        while (true)
        {
            while (await Round(cancel))
            {
                // Something due is left. Where a round got nowhere, somebody holds a group's lock, and asking again and again would not make them quicker.
                var pause = TimeSpan.FromMilliseconds(2 << Math.Min(fruitless, 10));
                await bell.Wait(pause < interval ? pause : interval, cancel);
            }

            // Spread a little, so that nodes which were started together do not ask together.
            await bell.Wait(interval * (0.8 + (0.4 * Random.Shared.NextDouble())), cancel);
        }
    }

    /// <summary>A clock that was set back must not make a pause of seconds one of hours: waiting retries are moved back with it.</summary>
    /// <remarks>Of several nodes the first does it: afterwards their due times lie before what the others remember. A floor from before the jump counts no more.</remarks>
    private async Task NoticeSetBack(DateTimeOffset now, CancellationToken cancel)
    {
        if (latest - now > ClockTolerance)
        {
            await node.Execute(batch => DeliveryCommands.AddShiftRetries(batch, latest, latest - now), cancel);
        }

        latest = now;
    }

    /// <returns>Whether something due was left for the next round, which should come at once.</returns>
    private async Task<bool> Round(CancellationToken cancel)
    {
        foreach (var queue in queues.Where(queue => !queue.HasRoom))
        {
            queue.Starve();
        }

        var open = queues.Select(queue => (Queue: queue, queue.Room)).Where(queue => queue.Room > 0).ToList();
        if (open.Count == 0)
        {
            return false; // A queue that has room again rings.
        }

        timer.Ask();
        var now = clock.GetUtcNow().ToUniversalTime();
        await NoticeSetBack(now, cancel);
        await using var connection = await node.Database.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection);
        DeliveryCommands.AddSettings(batch);
        DeliveryCommands.AddPromoteGrouped(batch, now, catalog.Aliases);
        lock (floors)
        {
            foreach (var (queue, room) in open)
            {
                DeliveryCommands.AddTakeReady(batch, queue.Name, now, catalog.Aliases, room, node.Id, node.Lease, everything ? long.MinValue : floors[queue.Name]);
                DeliveryCommands.AddTakeScheduled(batch, queue.Name, now, catalog.Aliases, room, node.Id, node.Lease, everything || dueFloor > now - ClockTolerance ? DateTimeOffset.MinValue : dueFloor);
            }

            everything = false;
        }

        DeliveryCommands.AddNextDue(batch, now, catalog.Aliases);

        var taken = new List<Delivery>();
        var full = new List<QueueRunner>();
        var groups = new HashSet<string>(StringComparer.Ordinal);
        DateTimeOffset? next = null;
        var left = false;
        var leasedAt = Environment.TickCount64;
        await using (var reader = await batch.ExecuteReaderAsync(cancel))
        {
            await reader.NextResultAsync(cancel); // past the settings
            while (await reader.ReadAsync(cancel))
            {
                groups.Add(reader.GetString(0));
            }

            for (var i = 0; i < open.Count * 2; i++)
            {
                await reader.NextResultAsync(cancel);
                var before = taken.Count;
                while (await reader.ReadAsync(cancel))
                {
                    taken.Add(DeliveryReader.Read(reader, catalog, leasedAt));
                }

                if (taken.Count - before == open[i / 2].Room)
                {
                    full.Add(open[i / 2].Queue);
                }
            }

            await reader.NextResultAsync(cancel);
            if (await reader.ReadAsync(cancel))
            {
                next = await reader.IsDBNullAsync(0, cancel) ? null : reader.GetFieldValue<DateTimeOffset>(0);
                left = reader.GetBoolean(1);
            }
        }

        timer.Answer(next);
        node.TakeInHand(taken);
        foreach (var group in groups)
        {
            gate.Look(group);
        }

        full.ForEach(queue => queue.Starve());
        fruitless = taken.Count > 0 || groups.Count > 0 ? 0 : fruitless + 1;
        return left || full.Exists(queue => queue.IsHalfEmpty);
    }
}
