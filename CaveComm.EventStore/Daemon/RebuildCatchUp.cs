using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Applies to the new table what came while it was filled, page by page.</summary>
internal sealed class RebuildCatchUp(DocumentStore store, ProjectionBase projection, RebuildTwin twin, RebuildWatch watch)
{
    public const int PageSize = 1000;

    // What is left then takes a few milliseconds.
    private const int Little = 200;
    private const int RowsPerCommand = 1000;
    private readonly string[] passedBy = ProjectionOptions.PassedBy(store.Options.Events, [projection]);
    private HashSet<string>? parked;

    /// <summary>Applies page after page, each committed by itself, until the log's final end is near.</summary>
    public async Task<RebuildCheckpoint> ToTheEnd(NpgsqlConnection connection, RebuildCheckpoint checkpoint, bool mustBeFinal, CancellationToken cancel)
    {
        while (true)
        {
            var end = await FinalEnd(connection, checkpoint, mustBeFinal, cancel);
            var left = end - checkpoint.Position;
            while (checkpoint.Position < end)
            {
                await using (var transaction = await connection.BeginTransactionAsync(cancel))
                {
                    var keys = await ParkedKeys(cancel);
                    var (position, waiting) = await Apply(connection, checkpoint.Position, end, keys, cancel);
                    checkpoint = checkpoint with { Position = position, End = Math.Max(checkpoint.End, position) };
                    await watch.Keep(waiting, checkpoint, cancel);
                    await transaction.CommitAsync(cancel);
                    parked = keys;
                }

                if (await watch.WantsCheckpoint(checkpoint.Position, checkpoint.End, cancel))
                    watch.ThrowIfPaused();
            }

            if (left <= Little)
                return checkpoint;
        }
    }

    /// <summary>The keys that are parked, for one transaction to add to.</summary>
    public async Task<HashSet<string>> ParkedKeys(CancellationToken cancel) =>
        new(parked ??= await watch.WaitingKeys(cancel), StringComparer.Ordinal);

    /// <summary>Applies the next page within the running transaction.</summary>
    /// <returns>How far the table is then, and the events that wait.</returns>
    public async Task<(long Position, IReadOnlyList<WaitingRow> Waiting)> Apply(
        NpgsqlConnection connection, long after, long upTo, HashSet<string> parkedKeys, CancellationToken cancel)
    {
        var events = await Page(connection, after, upTo, cancel);
        var waiting = await Apply(connection, events, parkedKeys, cancel);
        return (events.Count < PageSize ? upTo : events[^1].Sequence, waiting);
    }

    public async Task<IReadOnlyList<WaitingRow>> Apply(
        NpgsqlConnection connection, IReadOnlyList<IEvent> events, HashSet<string> parkedKeys, CancellationToken cancel)
    {
        var fold = new RebuildFold(projection);
        var work = new List<(string Key, IEvent Event)>();
        foreach (var happened in events)
        {
            if (fold.KeyOf(happened, _ => true) is { } key)
                work.Add((key, happened));
        }

        if (work.Count > 0)
            await Load(connection, fold, [.. work.Select(it => it.Key).Distinct()], parkedKeys, cancel);
        foreach (var (key, happened) in work)
            fold.Apply(key, happened, isWhole: false);
        if (!await TryWrite(connection, fold, cancel))
        {
            await ParkRefused(connection, fold, work, parkedKeys, cancel);
            await Write(connection, Writes(fold), cancel);
        }

        parkedKeys.UnionWith(fold.Waiting.Select(it => it.Key));
        return [.. fold.Waiting];
    }

    public async Task<List<IEvent>> Page(NpgsqlConnection connection, long after, long upTo, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(store.EventSql.Page, connection)
        {
            Parameters = { Sql.Number(after), Sql.Number(upTo), Sql.Count(PageSize), Sql.Texts(passedBy) },
        };
        await using var rows = await command.ExecuteReaderAsync(cancel);

        // All who have the pool's connections may be waiting for the table that the swap has locked.
        return await store.EventReader.ReadAll(rows, connection, cancel);
    }

    /// <summary>A place that nothing can come before any more: the end of the log, or, while somebody keeps a transaction open, what a projection has applied.</summary>
    public async Task<long> FinalEnd(NpgsqlConnection connection, RebuildCheckpoint checkpoint, bool mustBeFinal, CancellationToken cancel)
    {
        var end = await connection.Scalar<long>(store.EventSql.HighestSequence, cancel);
        if (end <= checkpoint.Position)
            return checkpoint.Position;
        var id = await InFlight.Draw(connection, cancel);
        for (var pause = 1; await InFlight.AnyOlder(connection, id, cancel); pause *= 2)
        {
            if (pause > 500 && !mustBeFinal)
                return Math.Max(checkpoint.Position, Math.Min(end, await KnownFinal(connection, cancel)));
            await Task.Delay(Math.Min(pause, 100), cancel);
            if (await watch.WantsCheckpoint(checkpoint.Done(checkpoint.Position), checkpoint.End, cancel))
                watch.ThrowIfPaused();
        }

        return end;
    }

    public Task<long> HighestSequence(NpgsqlConnection connection, CancellationToken cancel) => connection.Scalar<long>(store.EventSql.HighestSequence, cancel);

    // A projection applies only what is final.
    private Task<long> KnownFinal(NpgsqlConnection connection, CancellationToken cancel) =>
        connection.Scalar<long>($"select coalesce(max(last_seq_id), 0) from {store.Options.DatabaseSchemaName}.mt_event_progression", cancel);

    private async Task Load(NpgsqlConnection connection, RebuildFold fold, string[] keys, HashSet<string> parkedKeys, CancellationToken cancel)
    {
        foreach (var key in keys.Where(parkedKeys.Contains))
            fold.Put(key, new() { IsParked = true });
        await using var command = new NpgsqlCommand(twin.Mapping.SelectMany, connection) { Parameters = { Sql.Texts(keys) } };
        await using var rows = await command.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            var key = rows.GetString(0);
            if (parkedKeys.Contains(key))
                continue;
            var view = twin.Mapping.TryRead(rows.GetFieldValue<byte[]>(1), out var unfit);
            fold.Put(key, new()
            {
                View = view,
                Unreadable = unfit,
                Version = projection.IsSingleStream ? rows.GetInt64(2) : null,
                WasStored = view is not null, // What cannot be read stays as it is.
            });
        }
    }

    // Views that are refused are few: the others' rows are folded once.
    private async Task ParkRefused(
        NpgsqlConnection connection, RebuildFold fold, IReadOnlyList<(string Key, IEvent Event)> work, HashSet<string> parkedKeys, CancellationToken cancel)
    {
        var trial = new ViewTrial(connection, twin.Mapping, isWithin: true);
        var refused = await trial.Refused([.. fold.Views(onlyChanged: true)], cancel);
        var again = new RebuildFold(projection);
        await Load(connection, again, [.. refused], parkedKeys, cancel);
        foreach (var (key, happened) in work.Where(it => refused.Contains(it.Key)))
            await again.ApplyOrPark(key, happened, isWhole: false, trial, cancel);
        fold.TakeOver(again, refused);
    }

    /// <returns>False where the table refuses one of the views; then nothing was written.</returns>
    private async Task<bool> TryWrite(NpgsqlConnection connection, RebuildFold fold, CancellationToken cancel)
    {
        try
        {
            if (Writes(fold).ToList() is { Count: > 0 } writes)
                await Write(connection, [new("savepoint catch_up"), .. writes, new("release savepoint catch_up")], cancel);
            return true;
        }
        catch (UnwritableDocumentException)
        {
            return false; // Nothing was sent.
        }
        catch (PostgresException unfit) when (ViewTrial.IsRefusal(unfit))
        {
            await Write(connection, [new("rollback to savepoint catch_up")], cancel);
            return false;
        }
    }

    private IEnumerable<NpgsqlBatchCommand> Writes(RebuildFold fold)
    {
        foreach (var some in fold.States.Where(it => it.Value is { View: null, WasStored: true }).Select(it => it.Key).Chunk(RowsPerCommand))
            yield return twin.Mapping.Delete(some);
        foreach (var some in fold.Views(onlyChanged: true).Chunk(RowsPerCommand))
            yield return twin.Mapping.Write(some);
    }

    private static async Task Write(NpgsqlConnection connection, IEnumerable<NpgsqlBatchCommand> commands, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var command in commands)
            batch.BatchCommands.Add(command);
        if (batch.BatchCommands.Count > 0)
            await batch.ExecuteNonQueryAsync(cancel);
    }
}
