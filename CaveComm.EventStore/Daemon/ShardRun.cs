using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Feeds one view: takes events in the log's order and commits what they change together with how far it has come.</summary>
internal sealed class ShardRun
{
    // A cached plan of a table that was small once would read the whole table when it has grown.
    private const string CustomPlan = "select set_config('plan_cache_mode', 'force_custom_plan', true)";
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(250);
    private readonly DocumentStore store;
    private readonly ProjectionShard shard;
    private readonly ILogger logger;
    private readonly DocumentMapping mapping;
    private readonly ParkedEvents parkedEvents;
    private readonly ShardSwitches switches;
    private readonly string[] passedBy;
    private readonly string advance;
    private readonly string register;
    private long position;
    private long stored;
    private DateTimeOffset? touched;
    private long storedAt;
    private long steppedAt = Environment.TickCount64;
    private HashSet<string> parked = [];
    private DateTimeOffset? oldestPending;

    public ShardRun(DocumentStore store, ProjectionShard shard, ILogger logger)
    {
        (this.store, this.shard, this.logger) = (store, shard, logger);
        mapping = store.Documents.For(shard.Projection.ViewType);
        (parkedEvents, switches) = (new(store), new(store));
        passedBy = ProjectionOptions.PassedBy(store.Options.Events, [shard.Projection]);
        var table = $"{store.Options.DatabaseSchemaName}.mt_event_progression";

        // Compare and set. Where the row has moved on under another node, the division by zero undoes the whole batch. The time is compared
        // too: a swapped table or a retry may change what is parked while the log, and so the place in it, stands still.
        advance = $"""
            with moved as (update {table} set last_seq_id = $3, last_updated = transaction_timestamp()
                where name = $1 and last_seq_id = $2 and last_updated is not distinct from $4 returning last_updated)
            select max(last_updated), 1 / count(*) from moved
            """;
        register = $"""
            with made as (insert into {table} (name, last_seq_id) values ($1, 0) on conflict (name) do nothing returning last_seq_id, last_updated)
            select coalesce(last_seq_id, 0), last_updated from made
            union all select coalesce(last_seq_id, 0), last_updated from {table} where name = $1
            """;
    }

    /// <summary>What it stumbled over; null while it goes on.</summary>
    public string? Error { get; private set; }

    public DateTimeOffset? OldestPending => oldestPending;

    public TimeSpan SinceLastStep => TimeSpan.FromMilliseconds(Environment.TickCount64 - Volatile.Read(ref steppedAt));

    /// <summary>Runs until it is cancelled. An error is logged, shown and tried again here: other projections go on.</summary>
    public async Task Run(RecentEvents recent, CancellationToken cancel)
    {
        var failures = 0;
        var (known, hasRetried) = (false, false);
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                if (!hasRetried && await parkedEvents.RetryKnownTypes(shard.Projection, mapping, cancel) is { Count: > 0 } resumed)
                    logger.LogInformation("{Shard} goes on with {Keys}: the types of their events are known now", shard.Name, resumed);
                hasRetried = true;
                if (!known)
                    await Resume(cancel);
                known = true;
                await Step(recent, cancel);
                await GoesOn(cancel);
                failures = 0;
            }
            catch (PostgresException moved) when (moved.SqlState == PostgresErrorCodes.DivisionByZero)
            {
                logger.LogInformation("{Shard} was moved by somebody else; going on from there", shard.Name);
                known = false;
            }
            catch (Exception failure) when (!cancel.IsCancellationRequested)
            {
                failures++;
                known = false;
                logger.LogError(failure, "{Shard} stands at {Position}, attempt {Attempt}: {Reason}", shard.Name, shard.Position.Value, failures, failure.Message);
                await StandsBefore(failure, cancel);
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(30_000, 50 << Math.Min(failures, 10))), cancel);
            }
        }
    }

    private async Task GoesOn(CancellationToken cancel)
    {
        Volatile.Write(ref steppedAt, Environment.TickCount64);
        if (shard.Status != ShardStatus.Running && shard.Believes(this))
            shard.Status = ShardStatus.Running;
        if (Error is null)
            return;
        logger.LogInformation("{Shard} goes on", shard.Name);
        await switches.Tell(shard.Name, null, cancel);
        Error = null;
    }

    private async Task StandsBefore(Exception failure, CancellationToken cancel)
    {
        var isNews = Error is null;
        Error = failure.Message;
        Volatile.Write(ref steppedAt, Environment.TickCount64); // It fails, but it does not hang.
        if (shard.Believes(this))
            shard.Status = ShardStatus.Faulted;
        try
        {
            if (isNews)
                await switches.Tell(shard.Name, StorableText.Of(failure.Message), cancel);
        }
        catch (NpgsqlException unheard)
        {
            logger.LogWarning(unheard, "{Shard} cannot tell the other nodes that it stands still", shard.Name);
        }
    }

    private async Task Resume(CancellationToken cancel)
    {
        await using (var command = store.DataSource.CreateCommand(register))
        {
            command.Parameters.Add(Sql.Text(shard.Name));
            await using var row = await command.ExecuteReaderAsync(cancel);

            // Of two nodes that make the row at once, one may not see it yet: its first commit fails, and it looks again.
            (stored, touched) = await row.ReadAsync(cancel) ? (row.GetInt64(0), row.IsDBNull(1) ? (DateTimeOffset?)null : row.GetFieldValue<DateTimeOffset>(1)) : (0L, null);
        }

        // Read after the row: what is parked later touches the row.
        parked = await parkedEvents.Keys(shard.Name, cancel);
        MoveTo(stored);
        if (Error is null)
            await switches.Clear(shard.Name, cancel); // What another node stood before; should it still be there, this one will tell.
        if (Error is null && shard.Believes(this))
            shard.Status = ShardStatus.Running;
    }

    private async Task Step(RecentEvents recent, CancellationToken cancel)
    {
        if (!await recent.HighWater.WaitFor(position + 1, stored < position ? Idle : Timeout.InfiniteTimeSpan, cancel))
        {
            // Nothing comes: now is the time to write down that the last events did not concern the view.
            await Commit([], position, cancel);
            return;
        }

        Volatile.Write(ref steppedAt, Environment.TickCount64); // It waited for work, and begins only now.
        var final = recent.HighWater.Value;
        var most = store.Options.Projections.BatchSize;
        var events = recent.After(position, most) ?? await ReadPage(position, final, most, cancel);
        if (events.Count > 0 && events[^1].Sequence > final)
            final = events[^1].Sequence; // More became final meanwhile.
        oldestPending = events is [var first, ..] ? first.Timestamp : null;
        await Apply(events, events.Count == most ? events[^1].Sequence : final, cancel);
        oldestPending = null;
    }

    /// <param name="refused">Events after which a view cannot be written, by key: they are parked.</param>
    private async Task Apply(IReadOnlyList<IEvent> events, long upTo, CancellationToken cancel, IReadOnlyDictionary<string, RefusedEvent>? refused = null)
    {
        var work = new ViewWork(shard.Projection, mapping, parked);
        foreach (var happened in events)
            work.AddOrPark(happened);
        if (!work.IsEmpty)
            await Load(work, cancel);
        work.FoldOrPark(refused);
        try
        {
            List<NpgsqlBatchCommand> writes = [.. parkedEvents.Add(shard.Name, work.Waiting, parked), .. work.Writes()];

            // Where nothing changes, the place is written down now and then: it costs a transaction.
            if (writes.Count > 0 || Environment.TickCount64 - storedAt > Idle.TotalMilliseconds)
                await Commit(writes, upTo, cancel);
        }
        catch (Exception unfit) when (refused is null && ViewTrial.IsRefusal(unfit))
        {
            // One view must not hold up the others.
            if (await Refused(events, work, cancel) is not { Count: > 0 } found)
                throw;
            await Apply(events, upTo, cancel, found);
            return;
        }

        Alarm(work.Waiting);
        MoveTo(upTo);
    }

    private void Alarm(IReadOnlyList<WaitingEvent> waiting)
    {
        foreach (var (key, happened, reason) in waiting)
        {
            parked.Add(key);
            if (reason is not null)
                logger.LogError("{Shard} cannot apply event {Event}: {Reason}. The view '{Key}' waits there; the others go on", shard.Name, happened, reason, key);
        }
    }

    private async Task<Dictionary<string, RefusedEvent>> Refused(IReadOnlyList<IEvent> events, ViewWork work, CancellationToken cancel)
    {
        await using var connection = await store.DataSource.OpenConnectionAsync(cancel);
        var trial = new ViewTrial(connection, mapping);
        var again = new ViewWork(shard.Projection, mapping, parked);
        foreach (var happened in events)
            again.AddOrPark(happened);
        again.Narrow(await trial.Refused([.. work.Changed()], cancel));
        if (again.IsEmpty)
            return [];
        await Load(again, cancel);
        return await trial.FirstRefused(again, cancel);
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

    private async Task Commit(IReadOnlyList<NpgsqlBatchCommand> writes, long upTo, CancellationToken cancel)
    {
        await using var batch = store.DataSource.CreateBatch();

        // The checkpoint goes with the rows: what a crash takes is folded again from the log, so nobody has to wait for the disk.
        batch.BatchCommands.Add(new("select set_config('synchronous_commit', 'off', true)"));
        batch.BatchCommands.Add(new(advance)
        {
            Parameters = { Sql.Text(shard.Name), Sql.Number(stored), Sql.Number(upTo), Sql.OptionalInstant(touched) },
        });
        foreach (var write in writes)
            batch.BatchCommands.Add(write);

        DateTimeOffset now;
        await using (var rows = await batch.ExecuteReaderAsync(cancel))
        {
            await rows.NextResultAsync(cancel);
            await rows.ReadAsync(cancel);
            now = rows.GetFieldValue<DateTimeOffset>(0);
            while (await rows.NextResultAsync(cancel))
            {
                // Errors of later commands only come up when their results are asked for.
            }
        }

        touched = now;
        (stored, storedAt) = (upTo, Environment.TickCount64);
    }

    private async Task<IReadOnlyList<IEvent>> ReadPage(long after, long upTo, int most, CancellationToken cancel)
    {
        await using var batch = store.DataSource.CreateBatch();
        batch.BatchCommands.Add(new(CustomPlan));
        batch.BatchCommands.Add(new(store.EventSql.Page) { Parameters = { Sql.Number(after), Sql.Number(upTo), Sql.Count(most), Sql.Texts(passedBy) } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await store.EventReader.ReadAll(rows, cancel);
    }

    // A run that hung, was replaced and woke up again must not move what the new one tells; nor does it go by that: it is for others to read.
    private void MoveTo(long reached)
    {
        position = reached;
        if (shard.Believes(this))
            shard.Position.MoveTo(reached);
    }
}
