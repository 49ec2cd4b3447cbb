using System.Collections.Concurrent;
using JasperFx;
using JasperFx.Events.Daemon;
using Npgsql;
using IProjectionCoordinator = Marten.Events.Daemon.Coordination.IProjectionCoordinator;

namespace CaveComm.Api.Composition;

/// <summary>Marten's daemon, asked in the words of the kernel's.</summary>
internal sealed class MartenDaemon(IProjectionCoordinator coordinator, MartenProgress progress, TimeProvider clock, ILogger<MartenDaemon> log)
    : BackgroundService, EventStore.IProjectionDaemon
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WaitLook = TimeSpan.FromMilliseconds(25);

    private readonly ConcurrentDictionary<string, bool> rebuilding = new(StringComparer.Ordinal);

    public IReadOnlyList<ShardState> Shards { get; private set; } = [];

    public Task StartAllAsync() => coordinator.ResumeAsync();

    public Task StopAllAsync() => coordinator.PauseAsync();

    public Task WaitForNonStaleData(TimeSpan timeout) => coordinator.DaemonForMainDatabase().WaitForNonStaleData(timeout);

    /// <summary>Nothing is sealed on Marten; and its views pass by an event that they cannot apply, and so come to the one that forgets.</summary>
    public Task<bool> WaitUntilForgotten(TimeSpan timeout, CancellationToken cancel) => Task.FromResult(true);

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

    /// <exception cref="NotSupportedException">This process does not run it.</exception>
    public async Task RebuildProjectionAsync(string projectionName, CancellationToken token)
    {
        var projection = MartenProgress.Find(projectionName);
        var daemon = Here(projection);
        rebuilding[projection.Name] = true;
        try
        {
            await daemon.RebuildProjectionAsync(projection.Name, token);
        }
        finally
        {
            // Marten stops the shard for it, and starts only those again that stumbled.
            rebuilding.TryRemove(projection.Name, out _);
            await daemon.StartAgentAsync(projection.Shard, CancellationToken.None);
        }
    }

    public Task RebuildProjectionAsync<TView>(CancellationToken token) =>
        RebuildProjectionAsync(MartenProgress.Projections.Single(it => it.View == typeof(TView)).Name, token);

    /// <summary>What the node that asks knows of a shard: it has those that it runs or ran, and cannot see those of others.</summary>
    public ShardStatus StatusOf(MartenProgress.Stored projection) => AgentOf(projection)?.Status switch
    {
        null => ShardStatus.Elsewhere,
        _ when rebuilding.ContainsKey(projection.Name) => ShardStatus.Building,
        AgentStatus.Running => ShardStatus.Running,
        _ => ShardStatus.Faulted,
    };

    /// <summary>Starts a shard again that stands before an event which it could not apply.</summary>
    /// <exception cref="NotSupportedException">This process does not run it.</exception>
    public Task StartAgain(MartenProgress.Stored projection, CancellationToken cancel) => Here(projection).StartAgentAsync(projection.Shard, cancel);

    // Two processes at one shard: the later one stops for good, since the row of progress is not as it left it.
    private JasperFx.Events.Daemon.IProjectionDaemon Here(MartenProgress.Stored projection) => AgentOf(projection) is not null
        ? coordinator.DaemonForMainDatabase()
        : throw new NotSupportedException($"{projection.Name}: on Marten only the node that runs a projection can rebuild it or start it again. Ask the product that runs it, at /admin/projections.");

    private ISubscriptionAgent? AgentOf(MartenProgress.Stored projection) =>
        coordinator.DaemonForMainDatabase().CurrentAgents().FirstOrDefault(it => it.Name.Identity == projection.Shard);

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
