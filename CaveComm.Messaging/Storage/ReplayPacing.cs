using Microsoft.Extensions.Hosting;

namespace CaveComm.Messaging;

/// <summary>Before a node takes its first message, replays that were interrupted by the stop of all nodes get their pace back.</summary>
internal sealed class ReplayPacing(MessageReplays replays, MessagingNode node) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await MessagingSchema.Ensure(node.Database, cancellationToken);
        await replays.Pace(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
