using Microsoft.Extensions.Logging;

namespace CaveComm.EventStore;

/// <summary>One async projection on this node: what is known of it, and the run that feeds it while it is this node's.</summary>
internal sealed class ProjectionShard(DocumentStore store, ProjectionBase projection, ILogger logger)
{
    private volatile ShardRun? run;

    public ProjectionBase Projection => projection;

    public string Name => projection.ShardName;

    /// <summary>How far the view has come.</summary>
    public Watermark Position { get; } = new();

    public ShardStatus Status { get; set; } = ShardStatus.Stopped;

    /// <summary>Whether it is fed here, so that its position is known without asking the database.</summary>
    public bool IsHere => run is not null;

    /// <summary>Feeds the view until it is cancelled.</summary>
    public async Task Run(RecentEvents recent, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested(); // One that was left behind must not take the place of the run that replaced it.
        var mine = new ShardRun(store, this, logger);
        run = mine;
        try
        {
            await mine.Run(recent, cancel);
        }
        finally
        {
            Interlocked.CompareExchange(ref run, null, mine);
        }
    }

    /// <summary>Whether a run is still the one that feeds the view: one that hung and was replaced has nothing more to say.</summary>
    public bool Believes(ShardRun candidate) => ReferenceEquals(run, candidate);

    /// <summary>Whether there has been work for so long without any of it getting done.</summary>
    public bool StandsStill(RecentEvents recent, TimeSpan patience) =>
        run is { } current && current.SinceLastStep > patience && Position.Value < recent.HighWater.Value;

    public ShardState State(RecentEvents? recent, long highestKnown, DateTimeOffset now)
    {
        var position = Position.Value;
        var current = run;
        var highest = Math.Max(position, recent?.HighestSeen ?? highestKnown);
        var since = position >= highest ? null : current?.OldestPending ?? recent?.WaitingSince;
        return new(
            Name, projection.Version, position, highest, highest - position,
            since is { } oldest ? Math.Max(0, (now - oldest).TotalSeconds) : 0,
            Status, current?.Error);
    }
}
