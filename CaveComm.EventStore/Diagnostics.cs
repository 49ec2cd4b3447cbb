using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace CaveComm.EventStore;

/// <summary>What the store tells the outside of its work, under the name <c>CaveComm.EventStore</c>.</summary>
public static class Diagnostics
{
    public const string Name = "CaveComm.EventStore";

    internal static readonly ActivitySource Source = new(Name);

    internal static readonly Meter Meter = new(Name);

    private static readonly Counter<long> Appends =
        Meter.CreateCounter<long>("cavecomm.eventstore.appends", "{append}", "Appends to a stream that were committed");

    private static readonly Counter<long> Events =
        Meter.CreateCounter<long>("cavecomm.eventstore.events", "{event}", "Events that were committed");

    private static readonly Histogram<double> Duration =
        Meter.CreateHistogram<double>("cavecomm.eventstore.append.duration", "s", "From asking for a commit to having it");

    internal static void Appended(int streams, int events, TimeSpan took)
    {
        Appends.Add(streams);
        Events.Add(events);
        Duration.Record(took.TotalSeconds);
    }
}
