using CaveComm.EventStore;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

public sealed class RebuildPoisonTests : IAsyncLifetime
{
    private readonly ScalesProjection scales = new();
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create(options =>
    {
        StoreUnderTest.Async(options);
        options.Projections.Add(scales, ProjectionLifecycle.Async);
    });

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task An_event_that_cannot_be_applied_parks_its_key_and_the_others_are_rebuilt()
    {
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(1));
        var poison = (await it.Append("parcel/1", new Weighed(-1), new Weighed(5)))[0];
        await it.Append("parcel/2", new Packed("anna", 1), new Weighed(7));
        await it.Database.Execute("insert into cavecomm_parked_event values ('ScalesProjection:All', 'parcel/9', 1, null, null, now())");

        await Rebuild("ScalesProjection");

        (await View("parcel/1")).ShouldBe(new Scales("parcel/1", 1, null));
        (await View("parcel/2")).ShouldBe(new Scales("parcel/2", 7, null));
        (await it.Database.Scalar<long>("select mt_version from mt_doc_rebuildpoisontests_scales where id = 'parcel/1'")).ShouldBe(2);
        (await Parked("ScalesProjection:All")).ShouldBe([$"parcel/1 3 {poison.Id} Negative weight.", "parcel/1 4  "]);

        scales.IsStrict = false;
        await Rebuild("ScalesProjection");
        (await View("parcel/1")).ShouldBe(new Scales("parcel/1", 5, null));
        (await Parked("ScalesProjection:All")).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_event_without_a_type_parks_its_stream()
    {
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(1));
        await it.Database.Execute("update mt_events set type = 'parcel.of-tomorrow' where version = 2");

        await Rebuild("ScalesProjection");

        (await Parked("ScalesProjection:All")).Single().ShouldStartWith("parcel/1 2 ");
        (await Parked("ScalesProjection:All")).Single().ShouldContain("parcel.of-tomorrow");
    }

    [Fact]
    public async Task An_event_that_does_not_say_whom_it_belongs_to_waits_alone()
    {
        await it.Append("parcel/1", new Packed("anna", 1));
        await it.Append("parcel/2", new Packed("anna", 1));
        await it.Append("parcel/3", new Packed("bert", 1));
        await it.Database.Execute("""update mt_events set data = '{"items": "many"}' where seq_id = 2""");

        await Rebuild("ShelfProjection", viewsPerSlice: 1);

        (await it.Database.Scalar<long>("select count(*) from mt_doc_shelf")).ShouldBe(2);
        (await Parked("ShelfProjection:All")).Single().ShouldStartWith("event 2 2 ");
    }

    [Fact]
    public async Task A_fold_may_look_at_the_whole_envelope()
    {
        await it.Append("parcel/1", new Packed("anna", 1), new Sent(DateTimeOffset.UnixEpoch));
        await it.Database.Execute("""update mt_events set headers = '{"actor": "anna"}', correlation_id = 'c1' where version = 2""");

        await Rebuild("ScalesProjection");

        (await View("parcel/1")).ShouldBe(new Scales("parcel/1", 0, "anna c1"));
        (await Parked("ScalesProjection:All")).ShouldBeEmpty();
    }

    private Task Rebuild(string name, int viewsPerSlice = 1000) => new ProjectionRebuild(it.Store) { ViewsPerSlice = viewsPerSlice }.Run(
        it.Store.Options.Projections.Stored().Single(it => it.Projection.Name == name), null, CancellationToken.None);

    private async Task<Scales?> View(string key)
    {
        await using var session = it.Store.QuerySession();
        return await session.LoadAsync<Scales>(key);
    }

    private async Task<List<string>> Parked(string shard)
    {
        await using var connection = await it.Database.Open();
        await using var command = new NpgsqlCommand(
            "select concat(key, ' ', seq_id, ' ', event_id, ' ', reason) from cavecomm_parked_event where shard = $1 order by seq_id", connection);
        command.Parameters.Add(new() { Value = shard });
        await using var rows = await command.ExecuteReaderAsync();
        var found = new List<string>();
        while (await rows.ReadAsync())
            found.Add(rows.GetString(0));
        return found;
    }

    public sealed record Scales(string Id, long Grams, string? SentBy);

    public sealed class ScalesProjection : SingleStreamProjection<Scales, string>
    {
        public bool IsStrict { get; set; } = true;

        public override Scales? Evolve(Scales? snapshot, string id, IEvent e) => e.Data switch
        {
            Weighed { Grams: < 0 } when IsStrict => throw new InvalidOperationException("Negative weight."),
            Weighed weighed => new(id, weighed.Grams, snapshot?.SentBy),
            Sent => new(id, snapshot?.Grams ?? 0, $"{e.Headers?["actor"]} {e.CorrelationId}"),
            _ => snapshot ?? new(id, 0, null),
        };
    }
}
