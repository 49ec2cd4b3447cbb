using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Follows the end of the log in order, with nothing skipped (see <see cref="InFlight"/>), and publishes what is final.</summary>
/// <param name="start">Everything up to here is final; see <see cref="FindStart"/>.</param>
internal sealed class LogTail(DocumentStore store, NpgsqlConnection connection, Bell bell, long start)
{
    private const int PageSize = 1000;

    // Commits of this process ring the bell and those of others are notified; asking is for what neither tells.
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(1);

    // When events come faster than they are read, a moment's wait makes one page of many: reading then costs the writers less.
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(2);

    private readonly string[] passedBy = ProjectionOptions.PassedBy(store.Options.Events, store.Options.Projections.With(ProjectionLifecycle.Async));

    // An open gap: numbers up to the ceiling are missing whose transactions have ids below this one.
    private (string YoungerThanAll, long Ceiling)? gap;
    private int lastPage;
    private long saved;
    private long savedAt = Environment.TickCount64;

    public RecentEvents Recent { get; } = new(start);

    /// <summary>Finds out from where on the log must be followed, and sets the connection up for it.</summary>
    public static async Task<long> FindStart(DocumentStore store, NpgsqlConnection connection, CancellationToken cancel)
    {
        // A cached plan of a table that was small once reads the whole table when it has grown.
        await connection.Execute(
            "set plan_cache_mode = force_custom_plan; set synchronous_commit = off; set default_transaction_isolation = 'read committed'", cancel);

        // What a projection has applied was final when it did. A rebuilt progress table has none: then the end as it is now will do,
        // if nobody is writing.
        var start = await connection.Scalar<long>($"select coalesce(max(last_seq_id), 0) from {store.Options.DatabaseSchemaName}.mt_event_progression", cancel);
        var end = await connection.Scalar<long>(store.EventSql.HighestSequence, cancel);
        var id = await InFlight.Draw(connection, cancel);
        return end > start && !await InFlight.AnyOlder(connection, id, cancel) ? end : start;
    }

    public async Task Run(CancellationToken cancel)
    {
        var gapPolls = 0;
        while (true)
        {
            var before = Recent.HighWater.Value;
            var readMore = gap is null ? await ReadOn(cancel) : await ReadBehindGap(gap.Value, cancel);
            gapPolls = gap is null || Recent.HighWater.Value > before ? 0 : gapPolls + 1;
            await SaveHighWater(onlyIfDue: true, cancel);
            if (readMore)
                continue;
            if (gap is null && lastPage > 1)
                await Task.Delay(Gather, cancel);

            // The bell does not ring for rollbacks, so an open gap is looked at again soon, and then less often.
            var pause = gap is null ? Poll : TimeSpan.FromMilliseconds(Math.Min(100, 1 << Math.Min(gapPolls, 7)));
            if (!await bell.Wait(pause, cancel) && gap is null)
                await SaveHighWater(onlyIfDue: false, cancel);
        }
    }

    private async Task<bool> ReadOn(CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(store.EventSql.Page, connection);
        AddPage(command.Parameters);
        List<IEvent> events;
        await using (var rows = await command.ExecuteReaderAsync(cancel))
            events = await store.EventReader.ReadAll(rows, cancel);
        lastPage = events.Count;
        if (PublishUpToGap(events))
            return events.Count == PageSize;

        gap = (await InFlight.Draw(connection, cancel), events[^1].Sequence);
        return true;
    }

    // Who is in flight is asked before the rows: a transaction that ends between the two is then seen either running or written.
    private async Task<bool> ReadBehindGap((string YoungerThanAll, long Ceiling) open, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(InFlight.CountOlder) { Parameters = { Sql.Text(open.YoungerThanAll) } },
                new(store.EventSql.Page),
            },
        };
        AddPage(batch.BatchCommands[1].Parameters);
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.ReadAsync(cancel);
        var isOpen = rows.GetInt64(0) > 0;
        await rows.NextResultAsync(cancel);
        var events = await store.EventReader.ReadAll(rows, cancel);
        if (isOpen)
        {
            // The gap itself may have been filled while an unrelated transaction goes on.
            if (PublishUpToGap(events) || Recent.HighWater.Value >= open.Ceiling)
                gap = null;
            return gap is null;
        }

        gap = null;
        var final = events.TakeWhile(it => it.Sequence <= open.Ceiling).ToList();

        // A full page may end below the ceiling; only what was read is published.
        Recent.Publish(final, events.Count == PageSize && final.Count == PageSize ? final[^1].Sequence : open.Ceiling);
        return true;
    }

    /// <summary>Publishes the events up to the first missing number; false when there is one.</summary>
    private bool PublishUpToGap(List<IEvent> events)
    {
        var from = Recent.HighWater.Value;
        var whole = 0;
        while (whole < events.Count && events[whole].Sequence == from + whole + 1)
            whole++;
        if (whole > 0)
            Recent.Publish(events.GetRange(0, whole), from + whole);
        Recent.Seen(events is [.., var last] ? last.Sequence : from, whole < events.Count ? events[whole].Timestamp : null);
        return whole == events.Count;
    }

    private void AddPage(NpgsqlParameterCollection parameters)
    {
        parameters.Add(Sql.Number(Recent.HighWater.Value));
        parameters.Add(Sql.Number(long.MaxValue));
        parameters.Add(Sql.Count(PageSize));
        parameters.Add(Sql.Texts(passedBy));
    }

    private async Task SaveHighWater(bool onlyIfDue, CancellationToken cancel)
    {
        var mark = Recent.HighWater.Value;
        if (mark == saved || (onlyIfDue && Environment.TickCount64 - savedAt < SaveEvery.TotalMilliseconds))
            return;
        await connection.Execute(
            $"""
            insert into {store.Options.DatabaseSchemaName}.mt_event_progression as p (name, last_seq_id, last_updated)
            values ('HighWaterMark', $1, transaction_timestamp())
            on conflict (name) do update set last_seq_id = excluded.last_seq_id, last_updated = excluded.last_updated
            where p.last_seq_id < excluded.last_seq_id
            """,
            cancel, Sql.Number(mark));
        (saved, savedAt) = (mark, Environment.TickCount64);
    }
}
