namespace CaveComm.EventStore;

/// <summary>A stream that a session folded, and what is appended to it.</summary>
internal sealed class EventStream<T>(SessionEvents session, string key, T? aggregate, long version, string hash, CancellationToken cancel) : IEventStream<T>
    where T : class
{
    private readonly List<IEvent> events = [];

    public T? Aggregate => aggregate;

    public long? StartingVersion => version;

    public long? CurrentVersion => version + events.Count;

    public CancellationToken Cancellation => cancel;

    // Streams are named by strings; Marten's type has both.
    public Guid Id => Guid.Empty;

    public string? Key => key;

    public IReadOnlyList<IEvent> Events => events;

    public void AppendOne(object @event) => AppendMany(@event);

    // The hash is that of the version that was read; what was saved since has one that only the database knows.
    public void AppendMany(params object[] events) => this.events.AddRange(
        session.AppendExpecting<T>(key, version + this.events.Count, this.events.Count == 0 ? hash : null, events));

    public void AppendMany(IEnumerable<object> events) => AppendMany(events.ToArray());
}
