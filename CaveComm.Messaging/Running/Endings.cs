using Microsoft.Extensions.Logging;

namespace CaveComm.Messaging;

/// <summary>Ends messages whose handlers needed no transaction, many at once, and in the same round trip takes what waits behind them in their groups.</summary>
internal sealed class Endings
{
    private readonly MessagingNode node;
    private readonly GroupGate groups;
    private readonly Coalescer<Delivery> ends;

    public Endings(MessagingNode node, GroupGate groups, ILogger log)
    {
        this.node = node;
        this.groups = groups;
        ends = new Coalescer<Delivery>("Ending", 500, EndAll, log);
    }

    public void Add(Delivery delivery) => ends.Add(delivery);

    public void Complete() => ends.Complete();

    public Task Run(CancellationToken cancel) => ends.Run(cancel);

    private async Task EndAll(IReadOnlyList<Delivery> deliveries, CancellationToken cancel)
    {
        node.ThrowIfKilled();
        var followed = deliveries.Where(delivery => delivery.IsFollowed).Select(delivery => delivery.GroupId!).ToList();
        var heads = groups.Heads(followed);
        await node.Execute(
            batch =>
            {
                if (heads is not null)
                {
                    DeliveryCommands.AddPlanSettings(batch);
                }

                DeliveryCommands.AddDelete(batch, deliveries, node.Id);
                heads?.AddTo(batch);
            },
            async (rows, token) =>
            {
                if (heads is not null)
                {
                    await rows.NextResultAsync(token);
                    await heads.Read(rows, token);
                }
            },
            cancel);

        // The next ones are in hand before the ended ones are closed, so that nobody looks for a group's first message in between.
        node.TakeInHand(heads?.Taken ?? []);
        foreach (var delivery in deliveries)
        {
            node.Ended(delivery);
        }
    }
}
