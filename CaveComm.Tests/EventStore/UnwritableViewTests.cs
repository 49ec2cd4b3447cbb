using CaveComm.EventStore;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>E7 where the fold is content, and what it made cannot be written.</summary>
public sealed class UnwritableViewTests : IAsyncLifetime
{
    private readonly MoodyProjection moody = new();
    private readonly OwnersProjection owners = new();
    private StoreUnderTest it = null!;

    public static TheoryData<Mood> Moods => [.. Enum.GetValues<Mood>()];

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create(options =>
    {
        MoodyProjection.Configure(options, moody);
        options.Projections.Add(owners, ProjectionLifecycle.Async);
    });

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Theory]
    [MemberData(nameof(Moods))]
    public async Task It_parks_its_key_at_the_event_that_made_it_so_among_many_others_and_a_retry_goes_on(Mood mood)
    {
        for (var i = 1; i <= 40; i++)
            await it.Append($"parcel/{i}", new Packed("anna", i));
        var poison = (await it.Append("parcel/7", new Weighed(1), new Weighed((long)mood), new Weighed(2)))[1];
        await it.Append("parcel/8", new Weighed(1));
        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await it.Append("parcel/7", new Weighed(3));
        await it.Append("parcel/8", new Weighed(2));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await Story("parcel/7")).ShouldBe("0 1");
        (await Story("parcel/8")).ShouldBe("0 1 2");
        (await it.Database.Scalar<long>("select count(*) from mt_doc_moody")).ShouldBe(40);
        var parked = (await Parked()).ShouldHaveSingleItem();
        (parked.Key, parked.EventId, parked.Waiting).ShouldBe(("parcel/7", poison.Id, 3));
        parked.Reason.ShouldNotBeEmpty();
        (await it.Store.ProjectionOperations.Retry("MoodyProjection", null, CancellationToken.None)).ShouldBe(new(0, 1));
        (await Parked()).ShouldHaveSingleItem().EventId.ShouldBe(poison.Id);

        moody.IsMoody = false;
        (await it.Store.ProjectionOperations.Retry("MoodyProjection", null, CancellationToken.None)).ShouldBe(new(1, 0));
        (await Story("parcel/7")).ShouldBe($"0 1 {mood} 2 3");
    }

    [Fact]
    public async Task A_retry_that_stumbles_at_a_later_event_goes_on_to_that()
    {
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed((long)Mood.NoText), new Weighed(2), new Weighed((long)Mood.Cycle));
        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await it.Database.Execute("""update mt_events set data = '{"grams": 1}' where version = 2""");

        (await it.Store.ProjectionOperations.Retry("MoodyProjection", null, CancellationToken.None)).ShouldBe(new(0, 1));

        (await Story("parcel/1")).ShouldBe("0 1 2");
        (await Parked()).ShouldHaveSingleItem().Sequence.ShouldBe(4);
    }

    [Fact]
    public async Task A_row_that_the_tables_own_rules_refuse_parks_its_key_alone()
    {
        await it.Database.Execute("alter table mt_doc_moody add constraint polite check (data ->> 'story' not like '% 13%')");
        for (var i = 1; i <= 30; i++)
            await it.Append($"parcel/{i}", new Packed("anna", i), new Weighed(i));
        var daemon = await it.StartDaemon();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await Parked()).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            parked => parked.Key.ShouldBe("parcel/13"), parked => parked.Reason.ShouldContain("polite"), parked => parked.Waiting.ShouldBe(1));
        (await it.Database.Scalar<long>("select count(*) from mt_doc_moody where mt_version = 2")).ShouldBe(29);
    }

    [Fact]
    public async Task A_row_that_cannot_be_read_back_parks_its_key_alone()
    {
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", 1));
        await it.Append("parcel/2", new Packed("anna", 1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);
        await it.Database.Execute("""update mt_doc_moody set data = '{"weight": "heavy"}' where id = 'parcel/1'""");
        await it.Append("parcel/1", new Weighed(1));
        await it.Append("parcel/2", new Weighed(1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await Story("parcel/2")).ShouldBe("0 1");
        (await Parked()).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            parked => parked.Key.ShouldBe("parcel/1"), parked => parked.Reason.ShouldStartWith("The stored view cannot be read"));
    }

    [Theory]
    [InlineData('\0', 1)]
    [InlineData('\uD800', 1)]
    [InlineData('x', 2001)]
    public async Task An_event_whose_key_can_be_no_key_of_a_row_waits_alone(char letter, int times)
    {
        owners.Odd = new string(letter, times);
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", 1), new Packed("odd", 1), new Packed("odd", 2), new Packed("anna", 2));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        (await it.Database.Scalar<string>("select data ->> 'count' from mt_doc_unwritableviewtests_owners")).ShouldBe("2");
        (await it.Store.ProjectionOperations.Parked("OwnersProjection", CancellationToken.None)).Select(parked => parked.Key).ShouldBe(["event 2", "event 3"]);

        await it.Store.ProjectionOperations.Rebuild("OwnersProjection", null, CancellationToken.None);
        (await it.Store.ProjectionOperations.Parked("OwnersProjection", CancellationToken.None)).Select(parked => parked.Key).ShouldBe(["event 2", "event 3"]);
    }

    [Fact]
    public async Task A_reason_that_quotes_what_cannot_be_stored_is_told_all_the_same()
    {
        var daemon = await it.StartDaemon();
        await it.Append("parcel/1", new Packed("anna", 1), new Packed("anna", -1), new Packed("bert", 1));
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        var parked = (await it.Store.ProjectionOperations.Parked("OwnersProjection", CancellationToken.None)).ShouldHaveSingleItem();
        (parked.Key, parked.Reason).ShouldBe(("anna", "Not a\uFFFDb."));

        await it.Store.ProjectionOperations.Rebuild("OwnersProjection", null, CancellationToken.None);
        (await it.Store.ProjectionOperations.Parked("OwnersProjection", CancellationToken.None)).ShouldHaveSingleItem().Reason.ShouldBe(parked.Reason);
    }

    private Task<string?> Story(string key) =>
        it.Database.Scalar<string?>($"select data ->> 'story' from mt_doc_moody where id = '{key}'");

    private Task<IReadOnlyList<ParkedKey>> Parked() => it.Store.ProjectionOperations.Parked("MoodyProjection", CancellationToken.None);

    public sealed record Owners(string Id, int Count);

    public sealed class OwnersProjection : MultiStreamProjection<Owners, string>
    {
        public OwnersProjection() => Identity<Packed>(packed => packed.Owner == "odd" ? Odd : packed.Owner);

        public string Odd { get; set; } = "odd";

        public override Owners? Evolve(Owners? snapshot, string id, IEvent e) =>
            e.Data is Packed { Items: < 0 } ? throw new InvalidOperationException("Not a\0b.") : new(id, 1 + (snapshot?.Count ?? 0));
    }
}
