using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

public sealed class FaultyProjectionTests : IAsyncLifetime
{
    private readonly TouchyProjection touchy = new();
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create(options =>
    {
        StoreUnderTest.Async(options);
        options.Projections.Add(touchy, ProjectionLifecycle.Async);
    });

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task A_projection_that_cannot_go_on_says_where_and_why_and_the_others_go_on()
    {
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(-1));
        var poison = (await it.Append("parcel/2", new Weighed(-1)))[0];
        var daemon = await it.StartDaemon();
        var last = (await it.Append("parcel/3", new Packed("anna", 1)))[0];

        (await daemon.WaitForPosition<Parcel>(last.Sequence, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        await Eventually.Holds("the projection shows its fault", () => Shard(daemon).State == ShardStatus.Faulted);
        Shard(daemon).Position.ShouldBe(1);
        Shard(daemon).Error.ShouldNotBeNull().ShouldContain("Negative weight");
        await Eventually.Holds("what came before is applied", async () => await it.Database.Scalar<long>("select count(*) from mt_doc_faultyprojectiontests_touchy") == 1);

        touchy.Touchy = false;
        (await daemon.WaitForPosition<Touchy>(last.Sequence, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        await Eventually.Holds("the fault is over", () => Shard(daemon) is { State: ShardStatus.Running, Error: null });
        poison.Sequence.ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task Data_that_does_not_fit_its_type_stops_only_who_reads_it()
    {
        touchy.Touchy = false;
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(1));
        await it.Database.Execute("""update mt_events set data = '{"grams": "heavy"}' where version = 2""");
        var daemon = await it.StartDaemon();

        (await daemon.WaitForPosition<Touchy>(2, StoreUnderTest.Patience, CancellationToken.None)).ShouldBeTrue();
        await Eventually.Holds("the reader shows its fault", () => daemon.Shards[0].State == ShardStatus.Faulted);
        daemon.Shards[0].Error.ShouldNotBeNull().ShouldContain("parcel.weighed");
    }

    private static ShardState Shard(ProjectionDaemon daemon) => daemon.Shards.Single(shard => shard.Name == "TouchyProjection:All");

    public sealed record Touchy(string Id, int Events);

    public sealed class TouchyProjection : SingleStreamProjection<Touchy, string>
    {
        public bool Touchy { get; set; } = true;

        public override Touchy? Evolve(Touchy? snapshot, string id, IEvent e)
        {
            if (Touchy && e.Data is Weighed { Grams: < 0 })
                throw new InvalidOperationException("Negative weight.");
            return new(id, (snapshot?.Events ?? 0) + 1);
        }
    }
}
