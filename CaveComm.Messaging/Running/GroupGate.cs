using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.Messaging;

/// <summary>Takes the first message of a group when it is free: after each commit to the group, and after each end.</summary>
/// <remarks>
/// It looks in a transaction after that of the commit or the end. Either the look after an end sees what was committed to the group meanwhile, or
/// the look after that commit saw the end; so none is left lying, and the poller behind them is only for nodes that died.
/// </remarks>
internal sealed class GroupGate
{
    private readonly MessagingNode node;
    private readonly MessageCatalog catalog;
    private readonly IReadOnlyList<QueueRunner> queues;
    private readonly TimeProvider clock;
    private readonly Coalescer<string> looks;

    public GroupGate(MessagingNode node, MessageCatalog catalog, IReadOnlyList<QueueRunner> queues, TimeProvider clock, ILogger log)
    {
        this.node = node;
        this.catalog = catalog;
        this.queues = queues;
        this.clock = clock;
        looks = new Coalescer<string>("Looking for the first of a group", 500, TakeHeads, log);
    }

    public void Look(string group) => looks.Add(group);

    public void Complete() => looks.Complete();

    public Task Run(CancellationToken cancel) => looks.Run(cancel);

    private async Task TakeHeads(IReadOnlyList<string> groups, CancellationToken cancel)
    {
        node.ThrowIfKilled();
        foreach (var queue in queues.Where(queue => !queue.HasRoom))
        {
            queue.Starve();
        }

        var open = queues.Where(queue => queue.HasRoom).Select(queue => queue.Name).ToArray();
        if (open.Length == 0 || !node.IsRunning)
        {
            return; // The poller comes by when there is room; when the node stops, others do.
        }

        var taken = new List<Delivery>();
        var leasedAt = Environment.TickCount64;
        await using var connection = await node.Database.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection);
        DeliveryCommands.AddSettings(batch);
        DeliveryCommands.AddTakeHeads(batch, [.. groups.Distinct()], clock.GetUtcNow().ToUniversalTime(), catalog.Aliases, open, node.Id, node.Lease);
        await using (var reader = await batch.ExecuteReaderAsync(cancel))
        {
            await reader.NextResultAsync(cancel);
            while (await reader.ReadAsync(cancel))
            {
                taken.Add(DeliveryReader.Read(reader, catalog, leasedAt));
            }
        }

        node.TakeInHand(taken);
    }
}
