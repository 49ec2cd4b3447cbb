using CaveComm.EventStore;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>Nobody keeps a connection of the pool and waits for another one, as who opens sealed texts has to ask for their keys: once all did so, none would get on.</summary>
public sealed class SmallPoolTests : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly StoryProjection stories = new();
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create(Sealing);

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Many_more_than_the_pool_has_connections_read_sealed_streams_at_once(int pool)
    {
        for (var parcel = 0; parcel < 8; parcel++)
            await it.Append($"parcel/{parcel}", new Packed($"owner {parcel}", 1));
        await using var store = Small(pool);

        var owners = await Task.WhenAll(Enumerable.Range(0, 12 * pool).Select(async reader =>
        {
            var key = $"parcel/{reader % 8}";
            await using var session = store.LightweightSession();
            return (reader % 3) switch
            {
                0 => (await session.Events.AggregateStreamAsync<Parcel>(key, token: Cancel))?.Owner,
                1 => (await session.Events.FetchForWriting<Parcel>(key, Cancel)).Aggregate?.Owner,
                _ => ((Packed)(await session.Events.FetchStreamAsync(key, token: Cancel)).Single().Data).Owner,
            };
        }));

        owners.ShouldBe(Enumerable.Range(0, 12 * pool).Select(reader => $"owner {reader % 8}"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Hundreds_of_saves_at_once_get_through(int pool)
    {
        await using var store = Small(pool);

        await Task.WhenAll(Enumerable.Range(0, 300).Select(number => Task.Run(
            async () =>
            {
                await using var session = store.LightweightSession();
                session.Events.Append($"parcel/{number % 100}", new Packed($"owner {number % 10}", 1));
                await session.SaveChangesAsync(Cancel);
            },
            Cancel)));

        (await it.Database.Scalar<long>("select count(*) from mt_events")).ShouldBe(300);
    }

    [Fact]
    public async Task Views_of_sealed_events_are_fed_from_the_log_with_one_connection()
    {
        await it.Append("parcel/1", new Packed("anna", 3));
        await using var store = Small(1);

        var daemon = await it.StartDaemon(store);
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        await using var session = it.Store.QuerySession();
        (await session.LoadAsync<Shelf>("anna", Cancel))?.Items.ShouldBe(3);
    }

    [Fact]
    public async Task What_is_parked_is_tried_again_with_one_connection()
    {
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(-1), new Packed("bert", 1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        stories.MindsWeights = false;
        await using var store = Small(1);

        (await store.ProjectionOperations.Retry("StoryProjection", null, Cancel)).ShouldBe(new(Resumed: 1, StillParked: 0));
    }

    [Fact]
    public async Task A_rebuild_gets_to_its_end_while_others_have_all_of_the_pool()
    {
        await it.Append("parcel/1", new Packed("anna", 3));
        await using var store = Small(1);
        await using var others = await store.DataSource.OpenConnectionAsync(Cancel);

        // This one comes too late for the slices, so that they are caught up with.
        stories.BeforeFirst = () => it.Append("parcel/1", new Packed("bert", 1)).GetAwaiter().GetResult();
        await store.ProjectionOperations.Rebuild("StoryProjection", null, Cancel);

        await using var session = it.Store.QuerySession();
        (await session.LoadAsync<Story>("parcel/1", Cancel))?.Owners.ShouldBe("anna bert ");
    }

    private DocumentStore Small(int pool) => StoreUnderTest.Over(
        new NpgsqlConnectionStringBuilder(it.Database.ConnectionString) { MaxPoolSize = pool, Timeout = 60 }.ConnectionString, Sealing);

    // A key that is not remembered is asked for each time.
    private void Sealing(StoreOptions options)
    {
        StoreUnderTest.Async(options);
        options.Projections.Add(stories, ProjectionLifecycle.Async);
        options.Personal.MasterKey = new byte[PersonalOptions.KeySize];
        options.Personal.KeyLifetime = TimeSpan.Zero;
        options.Personal.Seal<Packed>(packed => packed.Owner, "owner");
    }

    public sealed record Story(string Id, string Owners);

    public sealed class StoryProjection : SingleStreamProjection<Story, string>
    {
        private volatile bool mindsWeights = true;
        private Action? beforeFirst;

        public bool MindsWeights
        {
            get => mindsWeights;
            set => mindsWeights = value;
        }

        /// <summary>Done once, before the next event is folded.</summary>
        public Action? BeforeFirst
        {
            set => beforeFirst = value;
        }

        public override Story? Evolve(Story? snapshot, string id, IEvent e)
        {
            Interlocked.Exchange(ref beforeFirst, null)?.Invoke();
            return e.Data switch
            {
                Weighed when MindsWeights => throw new InvalidOperationException("It is too heavy."),
                Packed packed => new(id, $"{snapshot?.Owners}{packed.Owner} "),
                _ => snapshot,
            };
        }
    }
}
