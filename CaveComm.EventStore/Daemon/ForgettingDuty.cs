using Microsoft.Extensions.Logging;

namespace CaveComm.EventStore;

/// <summary>Looks, beside this node's shards, after parked keys whose rows may show somebody who was erased; see <see cref="ParkedForgetting"/>.</summary>
internal sealed class ForgettingDuty(DocumentStore store, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(10);

    // Views of many streams are folded from all of the log: that must stay a small part of what a server does.
    private const int PauseOfWork = 5;
    private readonly CancellationTokenSource stop = new();
    private readonly ParkedForgetting forgetting = new(store, logger);
    private Task running = Task.CompletedTask;
    private long nextAt;

    /// <param name="projections">Those whose shards are this node's, paused or not.</param>
    public void Begin(IEnumerable<ProjectionBase> projections)
    {
        if (!running.IsCompleted || Environment.TickCount64 < nextAt)
            return;
        ProjectionBase[] mine = [.. projections];
        running = Task.Run(() => Run(mine), CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private async Task Run(ProjectionBase[] projections)
    {
        var began = Environment.TickCount64;
        var pause = AfterFailure;
        try
        {
            if (await forgetting.Run(projections, stop.Token))
                pause = Pause;
        }
        catch (Exception failure) when (!stop.IsCancellationRequested)
        {
            logger.LogError(failure, "Parked views may show who was erased, and could not be folded anew: {Reason}", failure.Message);
        }
        finally
        {
            var now = Environment.TickCount64;
            nextAt = now + Math.Max((long)pause.TotalMilliseconds, PauseOfWork * (now - began));
        }
    }
}
