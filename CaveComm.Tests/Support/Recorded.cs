using CaveComm.Api;
using CaveComm.EventStore;

namespace CaveComm.Tests.Support;

/// <summary>An event in its envelope, as a projection is given it.</summary>
internal sealed record Recorded(object Data, long Version, string StreamKey) : IEvent
{
    private static readonly Dictionary<Type, string> Aliases = EventAliases.All.ToDictionary(row => row.Type, row => row.Alias);

    public Guid Id { get; } = Guid.NewGuid();

    public long Sequence => Version;

    public DateTimeOffset Timestamp => Some.Noon.AddMinutes(Version);

    public string TenantId => "*DEFAULT*";

    public string EventTypeName => Aliases[Data.GetType()];

    public string DotNetTypeName => $"{Data.GetType().FullName}, {Data.GetType().Assembly.GetName().Name}";

    public string? CausationId => null;

    public string? CorrelationId => null;

    public Dictionary<string, object>? Headers => null;

    public bool IsArchived => false;

    string? IEvent.StreamKey => StreamKey;
}

internal static class Folding
{
    /// <summary>The view after each event; the last one is the view.</summary>
    /// <param name="betweenEvents">What happens to the view between two events, such as a stay in the store.</param>
    public static List<TView?> Fold<TView>(
        this SingleStreamProjection<TView, string> projection, string key, IEnumerable<object> happened, Func<TView, TView>? betweenEvents = null)
        where TView : class
    {
        var views = new List<TView?>();
        TView? view = null;
        foreach (var e in happened)
        {
            view = projection.Evolve(view, key, new Recorded(e, views.Count + 1, key));
            view = view is null || betweenEvents is null ? view : betweenEvents(view);
            views.Add(view);
        }

        return views;
    }
}
