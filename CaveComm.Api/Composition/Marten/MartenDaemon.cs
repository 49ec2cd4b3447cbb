using JasperFx;
using Npgsql;
using IProjectionCoordinator = Marten.Events.Daemon.Coordination.IProjectionCoordinator;

namespace CaveComm.Api.Composition;

/// <summary>Marten's daemon, asked in the words of the kernel's.</summary>
internal sealed class MartenDaemon(IProjectionCoordinator coordinator, MartenProgress progress, TimeProvider clock, ILogger<MartenDaemon> log)
    : BackgroundService, EventStore.IProjectionDaemon
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WaitLook = TimeSpan.FromMilliseconds(25);

    public IReadOnlyList<ShardState> Shards { get; private set; } = [];

    public Task StartAllAsync() => coordinator.ResumeAsync();

    public Task StopAllAsync() => coordinator.PauseAsync();

    public Task WaitForNonStaleData(TimeSpan timeout) => coordinator.DaemonForMainDatabase().WaitForNonStaleData(timeout);

    public async Task<bool> WaitForPosition<TView>(long sequence, TimeSpan timeout, CancellationToken cancel)
        where TView : class
    {
        var projection = MartenProgress.Projections.Single(it => it.View == typeof(TView));
        var began = clock.GetTimestamp();
        while (await progress.Position(projection, cancel) < sequence)
        {
            if (clock.GetElapsedTime(began) > timeout)
            {
                return false;
            }

            await Task.Delay(WaitLook, clock, cancel);
        }

        return true;
    }

    public Task RebuildProjectionAsync(string projectionName, CancellationToken token) =>
        coordinator.DaemonForMainDatabase().RebuildProjectionAsync(MartenProgress.Find(projectionName).Name, token);

    public Task RebuildProjectionAsync<TView>(CancellationToken token) =>
        RebuildProjectionAsync(MartenProgress.Projections.Single(it => it.View == typeof(TView)).Name, token);

    /// <summary>What the node that asks knows of a shard: one that runs on another node looks stopped from here.</summary>
    public ShardStatus StatusOf(MartenProgress.Stored projection) => coordinator.DaemonForMainDatabase().StatusFor(projection.Shard) switch
    {
        AgentStatus.Running => ShardStatus.Running,
        AgentStatus.Paused => ShardStatus.Faulted,
        _ => ShardStatus.Elsewhere,
    };

    /// <summary>Starts a shard again that stands before an event which it could not apply.</summary>
    public Task StartAgain(MartenProgress.Stored projection, CancellationToken cancel) =>
        coordinator.DaemonForMainDatabase().StartAgentAsync(projection.Shard, cancel);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Look, clock);
        do
        {
            try
            {
                var read = await progress.Read(stoppingToken);
                Shards = [.. read.Select(it => new ShardState(
                    it.Projection.Shard, it.Projection.Version, it.Position, it.HighWaterMark, it.LagEvents, it.LagSeconds, StatusOf(it.Projection), Error: null))];
            }
            catch (NpgsqlException down)
            {
                log.LogWarning(down, "How far the views have got could not be read");
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
