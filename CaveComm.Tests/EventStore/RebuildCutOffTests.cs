using System.Collections.Concurrent;
using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Microsoft.Extensions.Logging;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>What becomes of a rebuild that fails half-way.</summary>
public sealed class RebuildCutOffTests : IAsyncLifetime
{
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync()
    {
        it = await StoreUnderTest.Create();
        for (var i = 0; i < 64; i++)
            await it.Append($"parcel/{i}", new Packed("anna", i));
    }

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Theory]
    [InlineData(PostgresErrorCodes.TooManyConnections)]
    [InlineData(PostgresErrorCodes.OutOfMemory)]
    [InlineData(PostgresErrorCodes.QueryCanceled)]
    [InlineData(PostgresErrorCodes.SerializationFailure)]
    [InlineData(PostgresErrorCodes.LockNotAvailable)]
    [InlineData(PostgresErrorCodes.ConnectionFailure)]
    [InlineData("25P03")] // idle_in_transaction_session_timeout
    [InlineData(PostgresErrorCodes.IoError)]
    [InlineData("57P05")] // idle_session_timeout
    [InlineData(null)]
    public async Task What_may_be_over_in_a_moment_costs_only_what_came_after_the_checkpoint(string? state)
    {
        var rebuild = new ProjectionRebuild(it.Store) { ViewsPerSlice = 4 };
        long done = 0;
        var failure = state is null ? (Exception)new IOException("Gone.") : new PostgresException("In a moment.", "FATAL", "FATAL", state);

        (await Should.ThrowAsync<Exception>(() => rebuild.Run(RebuildControlTests.Parcels(it.Store), FailingAt(32, failure, at => done = at), CancellationToken.None)))
            .ShouldBe(failure);

        await Eventually.Holds("it waits for somebody", async () => (await rebuild.Requested(CancellationToken.None)).SequenceEqual(["ParcelProjection:All"]));
        var again = new List<RebuildProgress>();
        await rebuild.Run(RebuildControlTests.Parcels(it.Store), new RebuildControlTests.Told(again.Add), CancellationToken.None);
        again[0].EventsDone.ShouldBe(done);
        (await it.Database.Scalar<long>("select count(*) from mt_doc_parcel")).ShouldBe(64);
    }

    [Theory]
    [InlineData(PostgresErrorCodes.DiskFull)] // What it has built may be what fills the disk.
    [InlineData(PostgresErrorCodes.UndefinedColumn)]
    public async Task What_waiting_does_not_mend_leaves_nothing_behind(string state)
    {
        var rebuild = new ProjectionRebuild(it.Store) { ViewsPerSlice = 4 };

        await Should.ThrowAsync<PostgresException>(() => rebuild.Run(
            RebuildControlTests.Parcels(it.Store), FailingAt(32, new PostgresException("For good.", "ERROR", "ERROR", state), _ => { }), CancellationToken.None));

        (await rebuild.Progress("ParcelProjection:All", CancellationToken.None))!.State.ShouldBe("failed");
        (await it.Database.Scalar<long>("select count(*) from pg_class where relname like 'cavecomm_building_%'")).ShouldBe(0);
    }

    [Fact]
    public async Task A_failure_that_quotes_what_cannot_be_stored_is_told_all_the_same()
    {
        var rebuild = new ProjectionRebuild(it.Store);

        await Should.ThrowAsync<InvalidOperationException>(() => rebuild.Run(
            RebuildControlTests.Parcels(it.Store), FailingAt(0, new InvalidOperationException("Not a\0b."), _ => { }), CancellationToken.None));

        (await rebuild.Progress("ParcelProjection:All", CancellationToken.None))!.Error.ShouldBe("Not a\uFFFDb.");
    }

    [Fact]
    public async Task A_node_comes_back_to_it_by_itself()
    {
        var rebuild = new ProjectionRebuild(it.Store);
        await rebuild.Request(RebuildControlTests.Parcels(it.Store), CancellationToken.None);
        await it.Database.Execute("do $$ begin execute format('alter database %I set lock_timeout = ''20ms''', current_database()); end $$");
        var heard = new Heard();
        await using var duty = new RebuildDuty(it.Store, heard);
        await using (var other = await it.Database.Open())
        {
            await using var transaction = await other.BeginTransactionAsync();
            await using var command = new NpgsqlCommand("lock table mt_events in access exclusive mode", other, transaction);
            await command.ExecuteNonQueryAsync();
            await duty.Begin(["ParcelProjection:All"], CancellationToken.None);
            await Eventually.Holds("it was cut off", () => heard.Lines.Any(line => line.Contains("goes on from its checkpoint in 00:00:01", StringComparison.Ordinal)));
            await Eventually.Holds("it waits for somebody", async () => (await rebuild.Requested(CancellationToken.None)).SequenceEqual(["ParcelProjection:All"]));
        }

        await Eventually.Holds("it is done", async () =>
        {
            await duty.Begin(["ParcelProjection:All"], CancellationToken.None);
            return (await rebuild.Progress("ParcelProjection:All", CancellationToken.None))!.State == "done";
        });
        heard.Lines.ShouldNotContain(line => line.Contains("could not be rebuilt", StringComparison.Ordinal));
    }

    private static RebuildControlTests.Told FailingAt(long done, Exception failure, Action<long> tell) => new(told =>
    {
        if (told.EventsDone < done)
            return;
        tell(told.EventsDone);
        throw failure;
    });

    private sealed class Heard : ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception));
    }
}
