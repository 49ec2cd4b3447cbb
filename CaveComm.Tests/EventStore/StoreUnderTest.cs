using CaveComm.EventStore;
using CaveComm.Tests.Support;

namespace CaveComm.Tests.EventStore;

/// <summary>A store over parcels in a database of its own.</summary>
public sealed class StoreUnderTest : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> parts = [];

    private StoreUnderTest(TestDatabase database, DocumentStore store) => (Database, Store) = (database, store);

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public TestDatabase Database { get; }

    public DocumentStore Store { get; }

    public static async Task<StoreUnderTest> Create(Action<StoreOptions>? configure = null)
    {
        var database = await TestDatabase.Create();
        var it = new StoreUnderTest(database, Over(database, configure ?? Async));
        await it.Store.ApplyAllConfiguredChangesToDatabaseAsync();
        return it;
    }

    /// <summary>Another node over the same database.</summary>
    public DocumentStore AnotherNode(Action<StoreOptions>? configure = null)
    {
        var store = Over(Database, configure ?? Async);
        parts.Add(store);
        return store;
    }

    public async Task<ProjectionDaemon> StartDaemon(DocumentStore? store = null)
    {
        var daemon = (store ?? Store).BuildProjectionDaemon();
        parts.Add(daemon);
        await daemon.StartAllAsync();
        return daemon;
    }

    public static void Async(StoreOptions options)
    {
        options.Projections.Add<ParcelProjection>(ProjectionLifecycle.Async);
        options.Projections.Add<ShelfProjection>(ProjectionLifecycle.Async);
        options.Schema.For<Note>().Duplicate(it => it.Stars);
    }

    public static void Inline(StoreOptions options)
    {
        options.Projections.Add<ParcelProjection>(ProjectionLifecycle.Inline);
        options.Projections.Add<ShelfProjection>(ProjectionLifecycle.Inline);
        options.Schema.For<Note>().Duplicate(it => it.Stars);
    }

    /// <summary>Appends whatever the version is.</summary>
    public async Task<IReadOnlyList<IEvent>> Append(string key, params object[] events)
    {
        await using var session = Store.LightweightSession();
        var action = session.Events.Append(key, events);
        await session.SaveChangesAsync();
        return action.Events;
    }

    /// <summary>Fills the next numbers of the log as Marten does where an append of it has failed.</summary>
    public Task FillNumbers(int count) => Database.Execute($$"""
        insert into mt_streams (id, version) values ('mt_tombstone', 0) on conflict do nothing;
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type)
        select number, gen_random_uuid(), 'mt_tombstone', number, '{}', 'tombstone', now(), 'JasperFx.Events.Tombstone, JasperFx.Events'
        from (select nextval('mt_events_sequence') as number from generate_series(1, {{count}})) as burnt
        """);

    public async ValueTask DisposeAsync()
    {
        parts.Reverse();
        foreach (var part in parts)
            await part.DisposeAsync();
        await Store.DisposeAsync();
        await Database.DisposeAsync();
    }

    private static DocumentStore Over(TestDatabase database, Action<StoreOptions> configure) => Over(database.ConnectionString, configure);

    /// <summary>A store over parcels in whatever database.</summary>
    public static DocumentStore Over(string connectionString, Action<StoreOptions> configure) => DocumentStore.For(options =>
    {
        options.Connection(connectionString);
        options.Events.MapEventType<ParcelEvent.Packed>("parcel.packed");
        options.Events.MapEventType<ParcelEvent.Weighed>("parcel.weighed");
        options.Events.MapEventType<ParcelEvent.Sent>("parcel.sent");
        options.Events.MapEventType<ParcelEvent.Withdrawn>("parcel.withdrawn");
        configure(options);
    });
}
