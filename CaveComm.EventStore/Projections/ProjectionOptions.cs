namespace CaveComm.EventStore;

/// <summary>The store's projections.</summary>
public sealed class ProjectionOptions
{
    private readonly List<Registration> all = [];
    private readonly Dictionary<Type, ProjectionBase> folds = [];

    internal ProjectionOptions()
    {
    }

    internal sealed record Registration(ProjectionBase Projection, ProjectionLifecycle Lifecycle);

    internal IReadOnlyList<Registration> All => all;

    /// <summary>Whether this process takes part in running the async projections. A process that only writes says no.</summary>
    public bool RunDaemon { get; set; } = true;

    /// <summary>The most events that a projection applies in one transaction.</summary>
    public int BatchSize { get; set; } = 500;

    /// <summary>How long a projection may have work without getting any done before it is started again.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(60);

    public void Add<TProjection>(ProjectionLifecycle lifecycle)
        where TProjection : ProjectionBase, new() => Add(new TProjection(), lifecycle);

    public void Add(ProjectionBase projection, ProjectionLifecycle lifecycle)
    {
        if (projection.KeyType != typeof(string))
            throw new ArgumentException($"{projection.Name}: streams are named by strings, so views are too; {projection.KeyType} cannot be their id.");
        if (lifecycle == ProjectionLifecycle.Live && !projection.IsSingleStream)
            throw new ArgumentException($"{projection.Name}: only the view of one stream can be folded when asked for.");
        if (lifecycle != ProjectionLifecycle.Live && Stored().Any(it => it.Projection.Name == projection.Name))
            throw new ArgumentException($"There are two projections called {projection.Name}; give one another Name.");
        if (lifecycle != ProjectionLifecycle.Live && Stored().Any(it => it.Projection.ViewType == projection.ViewType))
            throw new ArgumentException($"{projection.ViewType} is the view of another projection already; a view has one writer.");

        all.Add(new(projection, lifecycle));
        if (projection.IsSingleStream)
            folds.TryAdd(projection.ViewType, projection);
    }

    internal IEnumerable<ProjectionBase> With(ProjectionLifecycle lifecycle) =>
        all.Where(it => it.Lifecycle == lifecycle).Select(it => it.Projection);

    internal IEnumerable<Registration> Stored() => all.Where(it => it.Lifecycle != ProjectionLifecycle.Live);

    /// <summary>The stored names of events that concern none of some projections.</summary>
    internal static string[] PassedBy(EventOptions events, IEnumerable<ProjectionBase> projections)
    {
        ProjectionBase[] all = [.. projections];
        return [.. events.Mapped.Where(it => !Array.Exists(all, projection => projection.Concerns(it.Type))).Select(it => it.Alias).Order(StringComparer.Ordinal)];
    }

    /// <summary>The fold of one stream into <paramref name="state"/>.</summary>
    internal ProjectionBase FoldInto(Type state) => folds.TryGetValue(state, out var fold)
        ? fold
        : throw new InvalidOperationException(
            $"Nothing folds a stream into {state}. Register a SingleStreamProjection<{state.Name}, string> with options.Projections.Add.");
}
