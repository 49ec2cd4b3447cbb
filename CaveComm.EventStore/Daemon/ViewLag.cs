using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace CaveComm.EventStore;

/// <summary>The metric of how far views are behind.</summary>
internal static class ViewLag
{
    private static readonly ConcurrentDictionary<ProjectionDaemon, bool> Daemons = [];

    static ViewLag()
    {
        Diagnostics.Meter.CreateObservableGauge("cavecomm.eventstore.view.lag", () => All(it => it.LagSeconds), "s", "Age of the oldest event that a view does not show");
        Diagnostics.Meter.CreateObservableGauge("cavecomm.eventstore.view.lag.events", () => All(it => it.LagEvents), "{event}", "Events that a view does not show");
    }

    public static void Add(ProjectionDaemon daemon) => Daemons[daemon] = true;

    public static void Remove(ProjectionDaemon daemon) => Daemons.TryRemove(daemon, out _);

    private static IEnumerable<Measurement<double>> All(Func<ShardState, double> measure) =>
        from daemon in Daemons.Keys
        from shard in daemon.Shards
        select new Measurement<double>(measure(shard), new KeyValuePair<string, object?>("projection", shard.Name));
}
