namespace CaveComm.EventStore;

/// <summary>Reads and turns the switches that the nodes obey; see <see cref="IProjectionOperations"/>.</summary>
internal sealed class ProjectionOperations(DocumentStore store) : IProjectionOperations
{
    private readonly ShardSwitches switches = new(store);
    private readonly ParkedEvents parked = new(store);
    private readonly ProjectionRebuild rebuild = new(store);

    public async Task<IReadOnlyList<ProjectionSummary>> List(CancellationToken cancel)
    {
        var said = await switches.All(cancel);
        var found = new List<ProjectionSummary>();
        foreach (var registration in store.Options.Projections.Stored())
            found.Add(await Summary(registration, said.GetValueOrDefault(registration.Projection.ShardName), cancel));
        return found;
    }

    public async Task Pause(string name, CancellationToken cancel)
    {
        var shard = Async(name).ShardName;
        await switches.SetPaused(shard, true, cancel);
        await rebuild.SetPaused(shard, true, cancel);
    }

    public async Task Resume(string name, CancellationToken cancel)
    {
        var shard = Async(name).ShardName;
        await switches.SetPaused(shard, false, cancel);
        await rebuild.SetPaused(shard, false, cancel);
    }

    public Task<IReadOnlyList<ParkedKey>> Parked(string name, CancellationToken cancel) =>
        parked.List(name, Find(name).Projection.ShardName, cancel);

    public async Task<RetryOutcome> Retry(string name, string? key, CancellationToken cancel)
    {
        var projection = Find(name).Projection;
        var (resumed, still) = (0, 0);
        foreach (var waiting in await parked.Keys(projection.ShardName, cancel))
        {
            if (key is not null && key != waiting)
                continue;
            if (await parked.Retry(projection, store.Documents.For(projection.ViewType), waiting, cancel))
                resumed++;
            else
                still++;
        }

        return new(resumed, still);
    }

    public Task RequestRebuild(string name, CancellationToken cancel) => rebuild.Request(Find(name), cancel);

    public Task Rebuild(string name, IProgress<RebuildProgress>? progress, CancellationToken cancel) => rebuild.Run(Find(name), progress, cancel);

    public Task<IReadOnlyList<string>> DropRetired(TimeSpan idle, CancellationToken cancel) => new RetiredViews(store).Drop(idle, cancel);

    private ProjectionOptions.Registration Find(string name) =>
        store.Options.Projections.Stored().FirstOrDefault(it => it.Projection.Name == name)
            ?? throw new UnknownProjectionException(name, [.. store.Options.Projections.Stored().Select(it => it.Projection.Name)]);

    private ProjectionBase Async(string name) => Find(name) is { Lifecycle: ProjectionLifecycle.Async } found
        ? found.Projection
        : throw new NotSupportedException($"{name} is written together with its events: it cannot be paused.");

    private async Task<ProjectionSummary> Summary(ProjectionOptions.Registration registration, ShardSwitches.State? said, CancellationToken cancel)
    {
        var (projection, lifecycle) = registration;
        var rebuilding = await rebuild.Progress(projection.ShardName, cancel);
        var isUnbuilt = await rebuild.NeedsBuilding(registration, cancel);
        await using var command = store.DataSource.CreateCommand(
            $"""
            with at as (select coalesce(max(last_seq_id), 0) as position, count(*) > 0 as is_known from {store.Options.DatabaseSchemaName}.mt_event_progression where name = $1)
            select at.position, at.is_known,
                (select count(*) from (select from {store.Options.DatabaseSchemaName}.mt_events e where e.seq_id > at.position limit {MostCounted}) as behind),
                (select e.timestamp from {store.Options.DatabaseSchemaName}.mt_events e where e.seq_id > at.position order by e.seq_id limit 1),
                (select count(distinct p.key) from {store.Options.DatabaseSchemaName}.cavecomm_parked_event p where p.shard = $1),
                $2 in (select * from ({ShardLocks.Held}) as held (key))
            from at
            """);
        command.Parameters.Add(Sql.Text(projection.ShardName));
        command.Parameters.Add(Sql.Number(ShardLocks.KeyOf(store, projection.ShardName)));
        await using var row = await command.ExecuteReaderAsync(cancel);
        await row.ReadAsync(cancel);
        var isInline = lifecycle == ProjectionLifecycle.Inline;
        var (position, behind) = (row.GetInt64(0), isInline ? 0 : row.GetInt64(2));
        var oldest = isInline || row.IsDBNull(3) ? (DateTimeOffset?)null : row.GetFieldValue<DateTimeOffset>(3);
        var state = said switch
        {
            { Paused: true } => "paused",
            { Error: not null } => "faulted",
            _ when isUnbuilt => "building",
            _ when rebuilding is { State: RebuildTable.Requested or RebuildTable.Running } => "rebuilding",
            _ when isInline || row.GetBoolean(5) => "running",
            _ => "stopped",
        };
        return new(
            projection.Name, projection.Version, state, position, behind,
            oldest is { } since ? Math.Max(0, (store.Time.GetUtcNow() - since).TotalSeconds) : 0,
            (int)row.GetInt64(4), rebuilding, said?.Error);
    }

    // Counting further would cost more than anybody learns from it.
    private const int MostCounted = 1_000_000;
}
