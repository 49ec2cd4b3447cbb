using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.Messaging;

/// <summary>Takes the first message of a group when it is free: after each commit to the group, and after each end.</summary>
/// <remarks>
/// It looks in a transaction after that of the commit or the end. Either the look after an end sees what was committed to the group meanwhile, or
/// the look after that commit saw the end; so none is left lying, and the poller behind them is only for nodes that died. Where this node holds
/// the group's first message at the time of the commit, the look after its end is still to come and is enough.
/// </remarks>
internal sealed class GroupGate
{
    private const int MostFloors = 20_000;

    private readonly MessagingNode node;
    private readonly MessageCatalog catalog;
    private readonly IReadOnlyList<QueueRunner> queues;
    private readonly TimeProvider clock;
    private readonly Coalescer<string> looks;
    private readonly ConcurrentDictionary<string, Delivery> held = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> floors = new(StringComparer.Ordinal);

    public GroupGate(MessagingNode node, MessageCatalog catalog, IReadOnlyList<QueueRunner> queues, TimeProvider clock, ILogger log)
    {
        this.node = node;
        this.catalog = catalog;
        this.queues = queues;
        this.clock = clock;
        looks = new Coalescer<string>("Looking for the first of a group", 500, TakeHeads, log);
    }

    /// <summary>Whether this node has the group's first message in hand.</summary>
    public bool Holds(string group) => held.ContainsKey(group);

    /// <summary>No message of the group stands below this number, now or ever: the first of a group stays first until it ends.</summary>
    public long FloorOf(string group) => floors.GetValueOrDefault(group);

    public void Hold(Delivery delivery)
    {
        if (delivery.GroupId is not { } group)
        {
            return;
        }

        held[group] = delivery;
        if (floors.Count > MostFloors)
        {
            floors.Clear(); // They only spare work.
        }

        floors[group] = delivery.Seq;
    }

    /// <summary>A message was committed to the group, and may stand behind others.</summary>
    public void Joined(string group)
    {
        if (!held.TryGetValue(group, out var first) || !first.Follow())
        {
            Look(group);
        }
    }

    /// <summary>Has the group's first message taken, should it be free.</summary>
    public void Look(string group) => looks.Add(group);

    /// <summary>The message is no longer in the table, or may no longer be.</summary>
    public void Ended(Delivery delivery)
    {
        if (LetGo(delivery))
        {
            Look(delivery.GroupId!);
        }
    }

    /// <summary>The message stays the first of its group, but not in this node's hands.</summary>
    /// <returns>False when the group's next one is in hand already, and the look is to come after that.</returns>
    public bool LetGo(Delivery delivery)
    {
        delivery.Close();
        return delivery.GroupId is { } group && held.TryRemove(new KeyValuePair<string, Delivery>(group, delivery));
    }

    /// <summary>After the connection was lost: the server that answers now may have lost its last moments, and its numbers with them.</summary>
    public void ForgetFloors() => floors.Clear();

    public void Complete() => looks.Complete();

    public Task Run(CancellationToken cancel) => looks.Run(cancel);

    /// <summary>A take of the first messages of these groups; null when there is nothing that may be taken now.</summary>
    public HeadsTake? Heads(IEnumerable<string> groups)
    {
        var keys = groups.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        if (keys.Length == 0 || !node.IsRunning)
        {
            return null; // When the node stops, others come by.
        }

        foreach (var queue in queues.Where(queue => !queue.HasRoom))
        {
            queue.Starve(); // The poller comes by when there is room.
        }

        var open = queues.Where(queue => queue.HasRoom).Select(queue => queue.Name).ToArray();
        return open.Length == 0 ? null : new HeadsTake(node, catalog, keys, [.. keys.Select(FloorOf)], open, clock.GetUtcNow().ToUniversalTime());
    }

    private async Task TakeHeads(IReadOnlyList<string> groups, CancellationToken cancel)
    {
        node.ThrowIfKilled();
        if (Heads(groups) is { } heads)
        {
            await node.Execute(
                batch =>
                {
                    DeliveryCommands.AddSettings(batch);
                    heads.AddTo(batch);
                },
                async (rows, token) =>
                {
                    await rows.NextResultAsync(token);
                    await heads.Read(rows, token);
                },
                cancel);
            node.TakeInHand(heads.Taken);
        }
    }
}

/// <summary>Takes the first messages of some groups, within a batch.</summary>
internal sealed class HeadsTake(MessagingNode node, MessageCatalog catalog, string[] groups, long[] floors, string[] queues, DateTimeOffset now)
{
    private readonly List<Delivery> taken = [];
    private readonly long leasedAt = Environment.TickCount64;

    public IReadOnlyList<Delivery> Taken => taken;

    public void AddTo(NpgsqlBatch batch) => DeliveryCommands.AddTakeHeads(batch, groups, floors, now, catalog.Aliases, queues, node.Id, node.Lease);

    public async ValueTask Read(NpgsqlDataReader rows, CancellationToken cancel)
    {
        while (await rows.ReadAsync(cancel))
        {
            taken.Add(DeliveryReader.Read(rows, catalog, leasedAt));
        }
    }
}
