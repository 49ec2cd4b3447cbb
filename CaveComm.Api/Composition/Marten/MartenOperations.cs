namespace CaveComm.Api.Composition;

/// <summary>What operators do to projections, as far as Marten knows the like.</summary>
internal sealed class MartenOperations(MartenProgress progress, MartenDaemon daemon) : IProjectionOperations
{
    public async Task<IReadOnlyList<ProjectionSummary>> List(CancellationToken cancel) =>
        [.. (await progress.Read(cancel)).Select(it => new ProjectionSummary(
            it.Projection.Name,
            it.Projection.Version,
            daemon.StatusOf(it.Projection) switch
            {
                ShardStatus.Faulted => "faulted",
                ShardStatus.Building => "building",
                _ => "running",
            },
            it.Position,
            it.LagEvents,
            it.LagSeconds,
            Parked: 0,
            Rebuild: null,
            Error: null))];

    public Task Pause(string name, CancellationToken cancel) => throw NoEqual(name, "Marten's daemon starts a stopped projection again by itself, so none can be kept paused on all nodes");

    public Task Resume(string name, CancellationToken cancel) => throw NoEqual(name, "Marten's daemon cannot keep one projection paused");

    /// <summary>Marten parks no keys: a projection that cannot apply an event stands still as a whole.</summary>
    public Task<IReadOnlyList<ParkedKey>> Parked(string name, CancellationToken cancel)
    {
        _ = MartenProgress.Find(name);
        return Task.FromResult<IReadOnlyList<ParkedKey>>([]);
    }

    public async Task<RetryOutcome> Retry(string name, string? key, CancellationToken cancel)
    {
        if (key is not null)
            throw NoEqual(name, "Marten parks no keys");
        await daemon.StartAgain(MartenProgress.Find(name), cancel);
        return new(Resumed: 0, StillParked: 0);
    }

    public Task RequestRebuild(string name, CancellationToken cancel) => daemon.RebuildProjectionAsync(name, cancel);

    public Task Rebuild(string name, IProgress<RebuildProgress>? progress, CancellationToken cancel) => daemon.RebuildProjectionAsync(name, cancel);

    /// <summary>Marten leaves the tables of earlier versions to its operator.</summary>
    public Task<IReadOnlyList<string>> DropRetired(TimeSpan idle, CancellationToken cancel) => Task.FromResult<IReadOnlyList<string>>([]);

    private static NotSupportedException NoEqual(string name, string why) => new($"{MartenProgress.Find(name).Name}: {why}. This works on the kernel only.");
}
