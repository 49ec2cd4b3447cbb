using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Puts the new table in the old one's place, in one transaction with the place in the log that it is at.</summary>
/// <remarks>
/// While a rename waits for its lock, everybody else waits behind it: so it waits a moment only, and comes again. A shard that is just
/// committing has read its views from the old table. It must not write them into the new one: so the swap holds the shard's row in
/// <c>mt_event_progression</c>, and moves it beyond all that the shard can have read, on which its compare-and-set fails and it begins anew from
/// the row. An inline view has no such row: who writes it comes to its table only after the append, so with the table locked what is
/// committed is exactly what the old table shows, and who waits for the lock goes on with the new table.
/// </remarks>
internal sealed class RebuildSwap(
    DocumentStore store, ProjectionOptions.Registration registration, RebuildTwin twin, RebuildTable table, RebuildWatch watch, RebuildCatchUp catchUp)
{
    private readonly string shard = registration.Projection.ShardName;
    private readonly string live = store.Documents.For(registration.Projection.ViewType).QualifiedTable;
    private readonly string progress = $"{store.Options.DatabaseSchemaName}.mt_event_progression";

    public async Task Run(NpgsqlConnection connection, RebuildCheckpoint checkpoint, CancellationToken cancel)
    {
        var isInline = registration.Lifecycle == ProjectionLifecycle.Inline;
        DateTime? filledAt = null;
        for (var pause = 25; ; pause = Math.Min(2 * pause, 1000))
        {
            checkpoint = await catchUp.ToTheEnd(connection, checkpoint, mustBeFinal: isInline, cancel);
            filledAt ??= await connection.Scalar<DateTime>("select clock_timestamp()", cancel);
            if (!await AnyOldSnapshot(connection, filledAt.Value, cancel)
                && await Try(connection, () => isInline ? SwapInline(connection, checkpoint, cancel) : SwapAsync(connection, checkpoint, cancel), cancel) is { } position)
            {
                watch.Finished(position);
                return;
            }

            await watch.Tell(checkpoint.Position, checkpoint.End, cancel);
            watch.ThrowIfPaused();
            await Task.Delay(pause + Random.Shared.Next(pause), cancel);
        }
    }

    /// <returns>The place in the log that the new table is at; null when somebody was in the way.</returns>
    private static async Task<long?> Try(NpgsqlConnection connection, Func<Task<long?>> swap, CancellationToken cancel)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        try
        {
            if (await swap() is not { } position)
                return null;
            await transaction.CommitAsync(cancel);
            return position;
        }
        catch (PostgresException busy) when (busy.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            return null;
        }
    }

    private async Task<long?> SwapAsync(NpgsqlConnection connection, RebuildCheckpoint checkpoint, CancellationToken cancel)
    {
        await connection.Execute("set local lock_timeout = '1s'", cancel);
        var shardIsAt = await LockProgress(connection, cancel);
        var position = checkpoint.Position;
        var (parked, waiting) = (await catchUp.ParkedKeys(cancel), new List<WaitingRow>());
        while (position < shardIsAt)
        {
            (position, var more) = await catchUp.Apply(connection, position, shardIsAt, parked, cancel);
            waiting.AddRange(more);
        }

        await LockTable(connection, cancel);
        if (position == shardIsAt && await catchUp.HighestSequence(connection, cancel) > shardIsAt)
        {
            if (await FollowingFinal(connection, position, cancel) is not [.., var last] following)
                return null;
            waiting.AddRange(await catchUp.Apply(connection, following, parked, cancel));
            position = last.Sequence;
        }

        await connection.Execute(
            $"update {progress} set last_seq_id = $2, last_updated = transaction_timestamp() where name = $1", cancel, Sql.Text(shard), Sql.Number(position));
        await TakePlace(connection, waiting, position, cancel);
        return position;
    }

    private async Task<long?> SwapInline(NpgsqlConnection connection, RebuildCheckpoint checkpoint, CancellationToken cancel)
    {
        await LockTable(connection, cancel);
        var (parked, waiting) = (await catchUp.ParkedKeys(cancel), new List<WaitingRow>());
        var position = checkpoint.Position;
        while (true)
        {
            var events = await catchUp.Page(connection, position, long.MaxValue, cancel);
            waiting.AddRange(await catchUp.Apply(connection, events, parked, cancel));
            position = events is [.., var last] ? last.Sequence : position;
            if (events.Count < RebuildCatchUp.PageSize)
                break;
        }

        await TakePlace(connection, waiting, position, cancel);
        return position;
    }

    private async Task TakePlace(NpgsqlConnection connection, List<WaitingRow> waiting, long position, CancellationToken cancel)
    {
        await twin.CheckColumns(connection, cancel);
        await twin.CopyGrants(connection, cancel);
        await using var batch = new NpgsqlBatch(connection);
        if (waiting.Count > 0)
            batch.BatchCommands.Add(table.AddWaiting(shard, waiting));
        foreach (var command in table.PutWaitingInPlace(shard).Concat(twin.TakePlace()).Append(table.Finish(shard, position)))
            batch.BatchCommands.Add(command);
        await batch.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>The events right behind the shard's place, so far as nothing can come between; none while that cannot be told.</summary>
    private async Task<IReadOnlyList<IEvent>> FollowingFinal(NpgsqlConnection connection, long position, CancellationToken cancel)
    {
        var events = await catchUp.Page(connection, position, long.MaxValue, cancel);
        var whole = events.TakeWhile((it, i) => it.Sequence == position + i + 1).ToList();
        if (whole.Count > 0 || events.Count == 0)
            return whole;

        // A gap. The id is drawn elsewhere: this transaction has had its own since before the gap was seen. Off the pool, whose connections
        // may all be with those who wait for the locked table.
        string id;
        await using (var other = await store.OpenDedicated("rebuild swap", cancel))
            id = await InFlight.Draw(other, cancel);
        return await InFlight.AnyOlder(connection, id, cancel) ? [] : await catchUp.Page(connection, position, events[^1].Sequence, cancel);
    }

    private Task<long> LockProgress(NpgsqlConnection connection, CancellationToken cancel) => connection.Scalar<long>(
        $"""
        insert into {progress} as p (name, last_seq_id) values ($1, 0)
        on conflict (name) do update set last_seq_id = p.last_seq_id returning coalesce(last_seq_id, 0)
        """,
        cancel, Sql.Text(shard));

    private async Task LockTable(NpgsqlConnection connection, CancellationToken cancel)
    {
        await connection.Execute("set local lock_timeout = '50ms'", cancel);
        await connection.Execute($"lock table {live} in access exclusive mode", cancel);
        await connection.Execute("set local lock_timeout = '1s'", cancel);
    }

    // A transaction that reads all from one old snapshot, such as a dump's, would find the new table empty: the rows are younger than it.
    private static Task<bool> AnyOldSnapshot(NpgsqlConnection connection, DateTime filledAt, CancellationToken cancel) => connection.Scalar<bool>(
        """
        select exists (select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
            and backend_type = 'client backend' and backend_xmin is not null and xact_start < $1)
        """,
        cancel, new NpgsqlParameter<DateTime> { TypedValue = filledAt });
}
