using CaveComm.EventStore;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>Connections that rest between saves are neither lost to others nor trusted after the server has ended them.</summary>
public sealed class WarmConnectionsTests : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task One_after_the_other_writes_on_one_connection()
    {
        for (var save = 0; save < 5; save++)
        {
            await it.Append($"parcel/{save}", new Packed("anna", save));
            await using var session = it.Store.QuerySession();
            await session.Events.AggregateStreamAsync<Parcel>($"parcel/{save}", token: Cancel);
        }

        (await Writers()).ShouldBe(1);
    }

    [Fact]
    public async Task When_the_server_has_ended_all_of_them_one_save_finds_out_and_the_next_ones_hold()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(parcel => it.Append($"parcel/{parcel}", new Packed("anna", 1))));
        await it.Database.Execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");

        await Should.ThrowAsync<NpgsqlException>(() => it.Append("parcel/9", new Packed("anna", 1)));
        await Task.WhenAll(Enumerable.Range(10, 8).Select(parcel => it.Append($"parcel/{parcel}", new Packed("anna", 1))));

        (await it.Database.Scalar<long>("select count(*) from mt_events")).ShouldBe(16);
    }

    [Fact]
    public async Task They_leave_most_of_a_small_pool_to_the_others()
    {
        var settings = new NpgsqlConnectionStringBuilder(it.Database.ConnectionString) { MaxPoolSize = 6, Timeout = 60 };
        await using var store = StoreUnderTest.Over(settings.ConnectionString, StoreUnderTest.Async);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async parcel =>
        {
            await using var session = store.LightweightSession();
            session.Events.Append($"parcel/{parcel}", new Packed("anna", 1));
            await session.SaveChangesAsync(Cancel);
        }));

        var others = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => store.DataSource.OpenConnectionAsync(Cancel).AsTask()));

        others.ShouldAllBe(connection => connection.State == System.Data.ConnectionState.Open);
        foreach (var connection in others)
            await connection.DisposeAsync();
    }

    [Fact]
    public async Task After_a_long_rest_none_is_trusted()
    {
        var clock = new Hours();
        await using var warm = new WarmConnections(it.Store.DataSource, 4, clock);
        NpgsqlConnection[] rested = [await warm.Take(Cancel), await warm.Take(Cancel)];
        foreach (var connection in rested)
            await warm.GiveBack(connection, isWell: true);
        clock.Passed = 1;

        await using var next = await warm.Take(Cancel);

        next.State.ShouldBe(System.Data.ConnectionState.Open);
        rested.ShouldAllBe(connection => connection.State == System.Data.ConnectionState.Closed);
    }

    [Fact]
    public async Task What_is_given_back_after_the_end_does_not_rest()
    {
        var warm = new WarmConnections(it.Store.DataSource, 4, TimeProvider.System);
        var (used, resting) = (await warm.Take(Cancel), await warm.Take(Cancel));
        await warm.GiveBack(resting, isWell: true);

        await warm.DisposeAsync();
        resting.State.ShouldBe(System.Data.ConnectionState.Closed);
        used.State.ShouldBe(System.Data.ConnectionState.Open, "somebody writes on it");
        await warm.GiveBack(used, isWell: true);

        used.State.ShouldBe(System.Data.ConnectionState.Closed);
    }

    [Fact]
    public async Task Who_has_given_up_takes_none()
    {
        await using var warm = new WarmConnections(it.Store.DataSource, 4, TimeProvider.System);
        var resting = await warm.Take(Cancel);
        await warm.GiveBack(resting, isWell: true);

        await Should.ThrowAsync<OperationCanceledException>(async () => await warm.Take(new CancellationToken(canceled: true)));

        (await warm.Take(Cancel)).ShouldBeSameAs(resting);
        await warm.GiveBack(resting, isWell: true);
    }

    private Task<long> Writers() => it.Database.Scalar<long>(
        "select count(*) from pg_stat_activity where datname = current_database() and query like '%mt_events where stream_id%' and pid <> pg_backend_pid()");

    private sealed class Hours : TimeProvider
    {
        public int Passed { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Passed * 3600L;
    }
}
