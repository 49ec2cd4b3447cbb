using System.Collections.Concurrent;
using Npgsql;

namespace CaveComm.Messaging;

/// <summary>Knows what this node holds and renews the leases of what takes longer.</summary>
internal sealed class LeaseKeeper(MessagingNode node)
{
    private readonly ConcurrentDictionary<Guid, Delivery> held = new();

    /// <returns>False when it is held already.</returns>
    public bool Hold(Delivery delivery)
    {
        if (held.TryGetValue(delivery.Id, out var earlier) && earlier.Claims < delivery.Claims)
        {
            Lose(earlier); // Its lease ran out before this was noticed here, and this node was the one to take it again.
        }

        return held.TryAdd(delivery.Id, delivery);
    }

    public void Drop(Delivery delivery) => held.TryRemove(new KeyValuePair<Guid, Delivery>(delivery.Id, delivery));

    public async Task Run(CancellationToken cancel)
    {
        using var tick = new PeriodicTimer(node.Lease / 6);
        while (await tick.WaitForNextTickAsync(cancel))
        {
            await Renew(cancel);
        }
    }

    private async Task Renew(CancellationToken cancel)
    {
        var now = Environment.TickCount64;
        var lease = (long)node.Lease.TotalMilliseconds;
        foreach (var late in held.Values.Where(delivery => now - delivery.LeasedAt > lease))
        {
            Lose(late);
        }

        var due = held.Values.Where(delivery => now - delivery.LeasedAt > lease / 3).ToList();
        if (due.Count == 0)
        {
            return;
        }

        var kept = new HashSet<Guid>();
        await using var connection = await node.Database.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection);
        DeliveryCommands.AddSettings(batch);
        DeliveryCommands.AddRenew(batch, due, node.Id, node.Lease);
        await using (var reader = await batch.ExecuteReaderAsync(cancel))
        {
            await reader.NextResultAsync(cancel);
            while (await reader.ReadAsync(cancel))
            {
                kept.Add(reader.GetGuid(0));
            }
        }

        foreach (var delivery in due)
        {
            if (kept.Contains(delivery.Id))
            {
                delivery.LeasedAt = now;
            }
            else
            {
                Lose(delivery); // Or it ended in this moment, and nobody minds.
            }
        }
    }

    private void Lose(Delivery delivery)
    {
        Drop(delivery);
        delivery.Lose();
    }
}
