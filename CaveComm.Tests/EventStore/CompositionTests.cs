using System.Diagnostics;
using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

public sealed class CompositionTests : IAsyncLifetime
{
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.Create();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task A_host_makes_its_tables_and_runs_its_projections()
    {
        using var host = Node();
        await host.StartAsync();
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var session = scope.ServiceProvider.GetRequiredService<IDocumentSession>();
            using var request = new Activity("request").Start();
            session.Events.StartStream<Parcel>("parcel/1", new Packed("anna", 1));
            await session.SaveChangesAsync();
            (await session.Events.FetchStreamAsync("parcel/1"))[0].CorrelationId.ShouldBe(request.TraceId.ToString());
            await host.Services.GetRequiredService<IProjectionDaemon>().WaitForNonStaleData(StoreUnderTest.Patience);
            (await scope.ServiceProvider.GetRequiredService<IQuerySession>().LoadAsync<Parcel>("parcel/1")).ShouldNotBeNull();
        }

        await host.StopAsync();
    }

    [Fact]
    public async Task Several_nodes_may_start_at_once_on_an_empty_database()
    {
        var nodes = Enumerable.Range(0, 4).Select(_ => Node()).ToList();
        await Task.WhenAll(nodes.Select(node => node.StartAsync()));
        await Task.WhenAll(nodes.Select(node => node.StopAsync()));
        nodes.ForEach(node => node.Dispose());

        (await Columns("mt_streams")).ShouldBe("created,id,is_archived,tenant_id,timestamp,type,version");
        (await Columns("mt_events")).ShouldBe(
            "bdata,causation_id,correlation_id,data,headers,id,is_archived,mt_dotnet_type,seq_id,stream_id,tenant_id,timestamp,type,version");
        (await Columns("mt_event_progression")).ShouldBe("last_seq_id,last_updated,name");
        (await Columns("mt_doc_parcel")).ShouldBe("data,id,mt_dotnet_type,mt_last_modified,mt_version,owner");
    }

    [Fact]
    public async Task Starting_again_waits_for_no_writer()
    {
        using (var first = Node())
        {
            await first.StartAsync();
            await first.StopAsync();
        }

        await using var writer = await database.Open();
        await using var open = await writer.BeginTransactionAsync();
        await using (var write = new NpgsqlCommand("insert into mt_streams (id, version) values ('held', 1)", writer))
            await write.ExecuteNonQueryAsync();
        using var second = Node();
        await second.StartAsync().WaitAsync(TimeSpan.FromSeconds(60));
        await second.StopAsync();
    }

    [Fact]
    public async Task A_member_that_gets_a_column_later_has_its_value_there()
    {
        await using (var store = Store(_ => { }))
        {
            await store.ApplyAllConfiguredChangesToDatabaseAsync();
            await using var session = store.LightweightSession();
            session.Events.Append("parcel/1", new Packed("anna", 1), new Sent(DateTimeOffset.UnixEpoch));
            await session.SaveChangesAsync();
        }

        await using var later = Store(options => options.Schema.For<Parcel>().Duplicate(it => it.Owner).Duplicate(it => it.Stage).Duplicate(it => it.SentAt));
        await later.ApplyAllConfiguredChangesToDatabaseAsync();
        await using var query = later.QuerySession();

        (await query.QueryAsync<Parcel>(
            "where owner = ? and stage = ? and sent_at = ?", CancellationToken.None, "anna", ParcelStage.OnItsWay, DateTimeOffset.UnixEpoch))
            .Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_projection_of_a_higher_version_has_a_table_and_a_place_of_its_own()
    {
        await using var store = Store(options => { }, new ParcelProjection { Version = 2 }, ProjectionLifecycle.Async);
        await store.ApplyAllConfiguredChangesToDatabaseAsync();
        await using var daemon = store.BuildProjectionDaemon();
        await using var session = store.LightweightSession();
        session.Events.Append("parcel/1", new Packed("anna", 1));
        await session.SaveChangesAsync();
        await daemon.StartAllAsync();
        await daemon.WaitForNonStaleData(StoreUnderTest.Patience);

        daemon.Shards.Single().Name.ShouldBe("ParcelProjection:V2:All");
        (await database.Scalar<long>("select count(*) from mt_doc_parcel_2")).ShouldBe(1);
    }

    [Theory]
    [InlineData(typeof(Parcel), "mt_doc_parcel")]
    [InlineData(typeof(Packed), "mt_doc_parcelevent_packed")]
    public void Documents_are_named_by_Martens_rule(Type type, string table) => $"mt_doc_{TypeNames.DocumentAlias(type)}".ShouldBe(table);

    [Theory]
    [InlineData("PaymentReceived", "payment_received")]
    [InlineData("HTTPCall", "http_call")]
    [InlineData("Commission", "commission")]
    public void Types_are_named_in_snake_case(string type, string alias) => TypeNames.Snake(type).ShouldBe(alias);

    private IHost Node()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddEventStore(options =>
        {
            Configure(options, new ParcelProjection(), ProjectionLifecycle.Async);
            options.Schema.For<Parcel>().Duplicate(it => it.Owner);
        });
        return builder.Build();
    }

    private DocumentStore Store(
        Action<StoreOptions> configure, ParcelProjection? projection = null, ProjectionLifecycle lifecycle = ProjectionLifecycle.Inline) =>
        DocumentStore.For(options =>
        {
            Configure(options, projection ?? new(), lifecycle);
            configure(options);
        });

    private void Configure(StoreOptions options, ParcelProjection projection, ProjectionLifecycle lifecycle)
    {
        options.Connection(database.ConnectionString);
        options.Events.MapEventType<Packed>("parcel.packed");
        options.Events.MapEventType<Sent>("parcel.sent");
        options.Projections.Add(projection, lifecycle);
    }

    private Task<string> Columns(string table) => database.Scalar<string>(
        $"select string_agg(column_name, ',' order by column_name) from information_schema.columns where table_schema = 'public' and table_name = '{table}'");
}
