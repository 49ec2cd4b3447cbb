using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Folds the log into the new table, slice by slice of the view's keys: one pass over the log each, in the log's order.</summary>
/// <remarks>
/// One task reads, another decodes and folds. At any time there are in memory: the views of one slice, at most
/// <see cref="ProjectionRebuild.ViewsPerSlice"/> of them, and <see cref="BatchesAhead"/> + 2 batches of at most 1,000 events and 256 KiB
/// each (or one event, if that is larger).
/// </remarks>
internal sealed class RebuildSlices(DocumentStore store, ProjectionBase projection, RebuildTwin twin, RebuildWatch watch, int viewsPerSlice)
{
    public const int BatchesAhead = 4;
    private bool isNarrow = true;

    /// <summary>Divides the keys so that the views of each part fit in memory. Where only the fold can tell how many there are, it divides further.</summary>
    public async Task<IReadOnlyList<RebuildSlice>> Divide(NpgsqlConnection connection, CancellationToken cancel)
    {
        if (!projection.IsSingleStream)
            return [new(0, 1)];
        var streams = await connection.Scalar<long>($"select count(*) from {store.Options.DatabaseSchemaName}.mt_streams", cancel);
        var modulus = 1;
        while (streams > (long)viewsPerSlice * modulus)
            modulus *= 2;
        return [.. Enumerable.Range(0, modulus).Select(it => new RebuildSlice(it, modulus))];
    }

    /// <summary>Folds the first slice that is to do, and commits it with the checkpoint that says so.</summary>
    public async Task<RebuildCheckpoint> FoldFirst(NpgsqlConnection connection, RebuildCheckpoint checkpoint, CancellationToken cancel)
    {
        var kept = checkpoint;
        try
        {
            return await FoldFrom(connection, checkpoint, it => kept = it, cancel);
        }
        catch (NarrowEventException)
        {
            isNarrow = false; // This fold looks at more than most.
            return await FoldFrom(connection, kept, it => kept = it, cancel);
        }
    }

    private async Task<RebuildCheckpoint> FoldFrom(
        NpgsqlConnection connection, RebuildCheckpoint checkpoint, Action<RebuildCheckpoint> keep, CancellationToken cancel)
    {
        var fold = new RebuildFold(projection);
        if (checkpoint.Position > 0)
            await twin.TakeUp(connection, fold, cancel);
        await foreach (var events in Events(connection, checkpoint, cancel))
        {
            checkpoint = Fold(fold, events, checkpoint);
            if (await watch.WantsCheckpoint(checkpoint.Done(events[^1].Sequence), checkpoint.End, cancel))
            {
                checkpoint = checkpoint with { Position = events[^1].Sequence };
                await PutAside(connection, fold, checkpoint, cancel);
                keep(checkpoint);
                watch.ThrowIfPaused();
            }
        }

        return await Finish(connection, fold, checkpoint, cancel);
    }

    /// <summary>The events of the first slice that is to do, from the checkpoint on.</summary>
    private async IAsyncEnumerable<IEvent[]> Events(NpgsqlConnection connection, RebuildCheckpoint checkpoint, [EnumeratorCancellation] CancellationToken cancel)
    {
        var batches = Channel.CreateBounded<RawBatch>(new BoundedChannelOptions(BatchesAhead) { SingleReader = true, SingleWriter = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var reading = Task.Run(() => Read(checkpoint, batches.Writer, stop.Token), CancellationToken.None);
        try
        {
            await foreach (var batch in batches.Reader.ReadAllAsync(cancel))
            {
                IEvent[] events;
                using (batch)
                    events = await store.EventReader.Decode(batch.Rows, connection, cancel);
                yield return events;
            }

            await reading;
        }
        finally
        {
            await stop.CancelAsync();
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (batches.Reader.TryRead(out var unused))
                unused.Dispose();
        }
    }

    private RebuildCheckpoint Fold(RebuildFold fold, IEvent[] events, RebuildCheckpoint checkpoint)
    {
        var slice = checkpoint.Todo[0];
        Func<string, bool> isHere = projection.IsSingleStream ? _ => true : it => slice.Holds(it);
        foreach (var happened in events)
        {
            if (fold.KeyOf(happened, isHere) is not { } key)
                continue;
            fold.Apply(key, happened, isWhole: true);
            if (fold.Count <= viewsPerSlice || projection.IsSingleStream || slice.IsSmallest)
                continue;

            // Too many: half of them wait for another pass.
            (slice, var later) = slice.Split();
            fold.Narrow(slice);
            checkpoint = checkpoint with { Todo = [slice, .. checkpoint.Todo.Skip(1), later] };
        }

        return checkpoint;
    }

    private async Task Read(RebuildCheckpoint checkpoint, ChannelWriter<RawBatch> batches, CancellationToken cancel)
    {
        try
        {
            await using var connection = await store.OpenDedicated("rebuild reader", cancel, isPatient: true);

            // In the log's order by its index: a scan that joins another one half-way, or is shared by workers, would give another order.
            await connection.Execute(
                """
                set synchronize_seqscans = off; set max_parallel_workers_per_gather = 0; set enable_seqscan = off; set enable_bitmapscan = off;
                set enable_sort = off; set statement_timeout = 0
                """,
                cancel);
            await using var copy = await connection.BeginRawBinaryCopyAsync(Statement(checkpoint), cancel);

            // Else what is left of the log would be read to its end.
            await using var cancelling = cancel.Register(copy.Cancel);
            using var rows = new EventCopy(copy, isNarrow);
            while (rows.Read(cancel) is { } batch)
                await batches.WriteAsync(batch, cancel);
            batches.Complete();
        }
        catch (Exception failure)
        {
            // A statement that was cancelled tells so in its own way.
            batches.Complete(cancel.IsCancellationRequested ? new OperationCanceledException(cancel) : failure);
            throw;
        }
    }

    // COPY takes no parameters. What is put in here are numbers, the schema's name and the names that the program gives its events.
    private string Statement(RebuildCheckpoint checkpoint)
    {
        var slice = checkpoint.Todo[0];
        var part = projection.IsSingleStream && slice.Modulus > 1 ? $"and hashtextextended(stream_id, 0) & {slice.Modulus - 1} = {slice.Remainder}" : "";
        var passedBy = ProjectionOptions.PassedBy(store.Options.Events, [projection]) is { Length: > 0 } aliases
            ? $"and type not in ({string.Join(", ", aliases.Select(it => $"'{it.Replace("'", "''", StringComparison.Ordinal)}'"))})"
            : "";
        return $"""
            copy (select {(isNarrow ? EventSql.NarrowColumns : EventSql.Columns)} from {store.Options.DatabaseSchemaName}.mt_events
                where seq_id > {checkpoint.Position} and seq_id <= {checkpoint.End} {part} {passedBy} order by seq_id) to stdout (format binary)
            """;
    }

    private async Task PutAside(NpgsqlConnection connection, RebuildFold fold, RebuildCheckpoint checkpoint, CancellationToken cancel)
    {
        await Keep(connection, fold, checkpoint with { End = checkpoint.Position }, checkpoint, Aside, cancel);
        fold.TakeWaiting();

        async Task<IReadOnlyList<string>> Aside()
        {
            await twin.PutAside(connection, fold.States, cancel);
            return [];
        }
    }

    private async Task<RebuildCheckpoint> Finish(NpgsqlConnection connection, RebuildFold fold, RebuildCheckpoint checkpoint, CancellationToken cancel)
    {
        RebuildSlice[] todo = [.. checkpoint.Todo.Skip(1)];
        var finished = checkpoint with { Todo = todo, Position = todo is [] ? checkpoint.End : 0 };
        await Keep(connection, fold, checkpoint, finished, Whole, cancel);
        return finished;

        async Task<IReadOnlyList<string>> Whole()
        {
            var tooLong = await twin.Copy(connection, fold.Views(onlyChanged: false), cancel);
            await twin.ClearAside(connection, cancel);
            return tooLong;
        }
    }

    /// <summary>Commits views with the checkpoint that says so. Where some cannot be written, their keys are parked, and the rest is written a second time.</summary>
    /// <param name="folded">What the views were folded from: the first slice of it, up to its end.</param>
    /// <param name="write">Tells whose views may not fit.</param>
    private async Task Keep(
        NpgsqlConnection connection, RebuildFold fold, RebuildCheckpoint folded, RebuildCheckpoint kept, Func<Task<IReadOnlyList<string>>> write, CancellationToken cancel)
    {
        HashSet<string> suspects;
        try
        {
            if (await TryKeep(areTried: false) is not { Count: > 0 } tooLong)
                return;
            suspects = [.. tooLong];
        }
        catch (Exception unfit) when (ViewTrial.IsRefusal(unfit))
        {
            suspects = [.. fold.States.Keys]; // A COPY says at best which line it stumbled over.
        }

        await ParkRefused(connection, fold, folded, suspects, () => watch.WantsCheckpoint(kept.Done(kept.Position), kept.End, cancel), cancel);
        await TryKeep(areTried: true);

        async Task<IReadOnlyList<string>> TryKeep(bool areTried)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            if (await write() is { Count: > 0 } tooLong && !areTried)
                return tooLong;
            await watch.Keep(fold.Waiting, kept, cancel);
            await transaction.CommitAsync(cancel);
            return [];
        }
    }

    /// <summary>Finds the views that cannot be written, and reads the log once more for the events that made them so.</summary>
    private async Task ParkRefused(
        NpgsqlConnection connection, RebuildFold fold, RebuildCheckpoint folded, HashSet<string> suspects, Func<ValueTask<bool>> tell, CancellationToken cancel)
    {
        // Not on the rebuild's own connection: a transaction that is open for so long would hold up who reads the log.
        await using var own = await store.OpenDedicated("rebuild trial", cancel, isPatient: true);
        await twin.CreateTrial(own, cancel);
        var trial = new ViewTrial(own, twin.Trial);
        var refused = await trial.Refused([.. fold.Views(onlyChanged: false).Where(it => suspects.Contains(it.Id))], cancel);
        if (refused.Count > 0)
        {
            var again = new RebuildFold(projection);
            await foreach (var events in Events(connection, folded with { Position = 0 }, cancel))
            {
                foreach (var happened in events)
                {
                    if (again.KeyOf(happened, refused.Contains) is { } key)
                        await again.ApplyOrPark(key, happened, isWhole: true, trial, cancel);
                }

                if (await tell())
                    watch.ThrowIfPaused();
            }

            fold.TakeOver(again, refused);
        }

        await twin.DropTrial(own, cancel);
    }
}
