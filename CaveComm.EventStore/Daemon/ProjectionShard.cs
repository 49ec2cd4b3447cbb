using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Runs one async projection: takes events in the log's order and commits what they change together with how far it has come.</summary>
internal sealed class ProjectionShard
{
    // A cached plan of a table that was small once would read the whole table when it has grown.
    private const string CustomPlan = "select set_config('plan_cache_mode', 'force_custom_plan', true)";
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(250);
    private readonly DocumentStore store;
    private readonly DocumentMapping mapping;
    private readonly ILogger logger;
    private readonly string advance;
    private readonly string register;
    private long stored;
    private long storedAt;
    private volatile Fault? fault;
    private DateTimeOffset? oldestPending;

    private sealed record Fault(string Reason);

    public ProjectionShard(DocumentStore store, ProjectionBase projection, ILogger logger)
    {
        (this.store, this.logger, Projection) = (store, logger, projection);
        mapping = store.Documents.For(projection.ViewType);
        var table = $"{store.Options.DatabaseSchemaName}.mt_event_progression";

        // Compare and set. Where the row has moved on under another node, the division by zero undoes the whole batch.
        advance = $"""
            with moved as (update {table} set last_seq_id = $3, last_updated = transaction_timestamp()
                where name = $1 and last_seq_id = $2 returning 1)
            select 1 / count(*) from moved
            """;
        register = $"""
            with made as (insert into {table} (name, last_seq_id) values ($1, 0) on conflict (name) do nothing returning last_seq_id)
            select coalesce((select last_seq_id from made), (select last_seq_id from {table} where name = $1), 0)
            """;
    }

    public ProjectionBase Projection { get; }

    public string Name => Projection.ShardName;

    /// <summary>How far the view has come.</summary>
    public Watermark Position { get; } = new();

    public ShardStatus Status { get; set; } = ShardStatus.Stopped;

    /// <summary>Runs until it is cancelled. An error is logged, shown and retried here: other projections go on.</summary>
    public async Task Run(RecentEvents recent, CancellationToken cancel)
    {
        var failures = 0;
        var known = false;
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                if (!known)
                    await Resume(cancel);
                (known, fault) = (true, known ? fault : null);
                Status = fault is null ? ShardStatus.Running : ShardStatus.Faulted;
                await Step(recent, cancel);
                if (fault is not null)
                    logger.LogInformation("{Shard} goes on", Name);
                (failures, fault) = (0, null);
            }
            catch (PostgresException moved) when (moved.SqlState == PostgresErrorCodes.DivisionByZero)
            {
                logger.LogWarning("{Shard} was moved by somebody else; going on from there", Name);
                known = false;
            }
            catch (Exception failure) when (!cancel.IsCancellationRequested)
            {
                failures++;
                fault = new(failure.Message);
                Status = ShardStatus.Faulted;
                known = failure is ApplyEventException;
                logger.LogError(failure, "{Shard} stands at {Position}, attempt {Attempt}: {Reason}", Name, Position.Value, failures, failure.Message);
                await Pause(failures, cancel);
            }
        }

        static Task Pause(int failures, CancellationToken cancel) =>
            Task.Delay(TimeSpan.FromMilliseconds(Math.Min(30_000, 50 << Math.Min(failures, 10))), cancel);
    }

    public ShardState State(RecentEvents? recent, long highestKnown, DateTimeOffset now)
    {
        var position = Position.Value;
        var highest = Math.Max(position, recent?.HighestSeen ?? highestKnown);
        var since = position >= highest ? null : oldestPending ?? recent?.WaitingSince;
        return new(
            Name, Projection.Version, position, highest, highest - position,
            since is { } oldest ? Math.Max(0, (now - oldest).TotalSeconds) : 0,
            Status, fault?.Reason);
    }

    private async Task Resume(CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(register);
        command.Parameters.Add(Sql.Text(Name));
        stored = (long)(await command.ExecuteScalarAsync(cancel))!;
        Position.MoveTo(stored);
    }

    private async Task Step(RecentEvents recent, CancellationToken cancel)
    {
        var position = Position.Value;
        if (!await recent.HighWater.WaitFor(position + 1, stored < position ? Idle : Timeout.InfiniteTimeSpan, cancel))
        {
            // Nothing comes: now is the time to write down that the last events did not concern the view.
            await Commit([], position, cancel);
            return;
        }

        var final = recent.HighWater.Value;
        var most = store.Options.Projections.BatchSize;
        var events = recent.After(position, most) ?? await ReadPage(position, final, most, cancel);
        if (events.Count > 0 && events[^1].Sequence > final)
            final = events[^1].Sequence; // More became final meanwhile.
        oldestPending = events is [var first, ..] ? first.Timestamp : null;
        await Apply(events, events.Count == most ? events[^1].Sequence : final, cancel);
        oldestPending = null;
    }

    private async Task Apply(IReadOnlyList<IEvent> events, long upTo, CancellationToken cancel)
    {
        try
        {
            var work = new ViewWork(Projection, mapping);
            foreach (var happened in events)
                work.Add(happened);
            if (!work.IsEmpty)
                await Load(work, cancel);
            work.Fold();
            NpgsqlBatchCommand[] writes = [.. work.Writes()];

            // Where nothing changes, the place is written down now and then: it costs a transaction.
            if (writes.Length > 0 || Environment.TickCount64 - storedAt > Idle.TotalMilliseconds)
                await Commit(writes, upTo, cancel);
            Position.MoveTo(upTo);
        }
        catch (ApplyEventException poison) when (events[0].Sequence < poison.Sequence)
        {
            // What comes before it is applied; then it is tried again as the first.
            var before = events.TakeWhile(it => it.Sequence < poison.Sequence).ToList();
            await Apply(before, before[^1].Sequence, cancel);
        }
    }

    private async Task Load(ViewWork work, CancellationToken cancel)
    {
        await using var batch = store.DataSource.CreateBatch();
        batch.BatchCommands.Add(new(CustomPlan));
        batch.BatchCommands.Add(work.Load(forUpdate: false));
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        await work.ReadLoaded(rows, cancel);
    }

    private async Task Commit(NpgsqlBatchCommand[] writes, long upTo, CancellationToken cancel)
    {
        await using var batch = store.DataSource.CreateBatch();

        // The checkpoint goes with the rows: what a crash takes is folded again from the log, so nobody has to wait for the disk.
        batch.BatchCommands.Add(new("select set_config('synchronous_commit', 'off', true)"));
        batch.BatchCommands.Add(new(advance) { Parameters = { Sql.Text(Name), Sql.Number(stored), Sql.Number(upTo) } });
        foreach (var write in writes)
            batch.BatchCommands.Add(write);
        await batch.ExecuteNonQueryAsync(cancel);
        (stored, storedAt) = (upTo, Environment.TickCount64);
    }

    private async Task<IReadOnlyList<IEvent>> ReadPage(long after, long upTo, int most, CancellationToken cancel)
    {
        await using var batch = store.DataSource.CreateBatch();
        batch.BatchCommands.Add(new(CustomPlan));
        batch.BatchCommands.Add(new(store.EventSql.Page) { Parameters = { Sql.Number(after), Sql.Number(upTo), Sql.Count(most) } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await store.EventReader.ReadAll(rows, cancel);
    }
}
