using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Folds stored views anew, beside the old table, and knows what became of it. All of that is in the database, so any node may ask.</summary>
/// <remarks>
/// The new table is filled from the log in slices of the view's keys (<see cref="RebuildSlices"/>), follows what came meanwhile
/// (<see cref="RebuildCatchUp"/>) and is put in the old one's place (<see cref="RebuildSwap"/>). Each step is committed with a checkpoint, so
/// who goes on after a pause or a kill repeats little. Until the swap nobody reads the new table, and projections send nothing.
/// </remarks>
internal sealed class ProjectionRebuild(DocumentStore store)
{
    // A projection that feeds itself from so few events is there at once.
    private const long LongLog = 500;
    private const string IdleInTransaction = "25P03";
    private readonly RebuildTable table = new(store);

    /// <summary>The most views that are in memory at a time.</summary>
    public int ViewsPerSlice { get; init; } = 131_072;

    /// <summary>A kill costs about so much work.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Rebuilds in this process, going on where an earlier attempt of the same program was paused or cut off, and returns when the new table is in place.</summary>
    /// <exception cref="RebuildRunningException">Another process is at it.</exception>
    /// <exception cref="RebuildPausedException">Somebody paused it.</exception>
    public async Task Run(ProjectionOptions.Registration registration, IProgress<RebuildProgress>? progress, CancellationToken cancel)
    {
        var shard = registration.Projection.ShardName;
        await using var connection = await store.OpenDedicated("rebuild", cancel, isPatient: true);
        await connection.Execute("set plan_cache_mode = force_custom_plan; set statement_timeout = 0; set default_transaction_isolation = 'read committed'", cancel);

        // The lock belongs to the connection and goes with it, however this process ends.
        if (!await connection.Scalar<bool>("select pg_try_advisory_lock($1)", cancel, Sql.Number(table.LockOf(shard))))
            throw new RebuildRunningException(registration.Projection.Name, await table.Read(shard, cancel) ?? Unknown());

        try
        {
            await Run(registration, connection, progress, cancel);
        }
        catch (RebuildPausedException)
        {
            await Unlock(connection, cancel);
            throw;
        }
        catch (Exception failure) when (!cancel.IsCancellationRequested && !IsCutOff(failure))
        {
            await table.Fail(shard, StorableText.Of(failure.Message), cancel);

            // Nobody goes on with it, and nobody would forget in it who is erased.
            await using var leftover = store.DataSource.CreateCommand(new RebuildTwin(store, registration.Projection).Drop);
            await leftover.ExecuteNonQueryAsync(cancel);
            throw;
        }

        await Unlock(connection, cancel);
    }

    /// <summary>The rebuild that is under way, or the last one; null when there was none.</summary>
    public Task<RebuildProgress?> Progress(string shardName, CancellationToken cancel) => table.Read(shardName, cancel);

    /// <summary>Asks the nodes that run a daemon for a rebuild. One that was paused goes on.</summary>
    /// <exception cref="RebuildRunningException">One is under way.</exception>
    public async Task Request(ProjectionOptions.Registration registration, CancellationToken cancel)
    {
        var shard = registration.Projection.ShardName;
        if (await table.IsHeld(shard, cancel))
            throw new RebuildRunningException(registration.Projection.Name, await table.Read(shard, cancel) ?? Unknown());
        await table.Request(shard, cancel);
    }

    /// <summary>The shards whose rebuild waits for somebody to run it: asked for, or left behind by a process that died.</summary>
    public Task<IReadOnlyList<string>> Requested(CancellationToken cancel) => table.Waiting(cancel);

    /// <summary>Pauses a rebuild that is asked for or running, wherever it runs; or asks for it to go on.</summary>
    public Task SetPaused(string shard, bool paused, CancellationToken cancel) => table.SetPaused(shard, paused, cancel);

    /// <summary>Whether a view has no table of its own yet and the log is too long to feed it from the beginning: then run a rebuild, and begin to feed it afterwards.</summary>
    public async Task<bool> NeedsBuilding(ProjectionOptions.Registration registration, CancellationToken cancel)
    {
        var (projection, lifecycle) = registration;
        var schema = store.Options.DatabaseSchemaName;

        // An inline view has no place in the log: its first version is fed since the beginning, a later one is once it was built.
        var isThere = lifecycle == ProjectionLifecycle.Async
            ? $"exists (select from {schema}.mt_event_progression where name = $1)"
            : $"{(projection.Version > 1 ? "false" : "true")} or exists (select from {schema}.cavecomm_rebuild where shard = $1 and state = 'done')";
        await using var command = store.DataSource.CreateCommand(
            $"select not ({isThere}) and coalesce((select max(seq_id) from {schema}.mt_events), 0) > $2");
        command.Parameters.Add(Sql.Text(projection.ShardName));
        command.Parameters.Add(Sql.Number(LongLog));
        return (bool)(await command.ExecuteScalarAsync(cancel))!;
    }

    private async Task Run(
        ProjectionOptions.Registration registration, NpgsqlConnection connection, IProgress<RebuildProgress>? progress, CancellationToken cancel)
    {
        var projection = registration.Projection;
        var twin = new RebuildTwin(store, projection);
        await twin.CheckColumns(connection, cancel);
        var (checkpoint, startedAt) = await table.Begin(connection, projection.ShardName, cancel);
        var watch = new RebuildWatch(store, connection, table, projection.ShardName, startedAt, CheckpointEvery, progress);
        var slices = new RebuildSlices(store, projection, twin, watch, ViewsPerSlice);
        var catchUp = new RebuildCatchUp(store, projection, twin, watch);
        if (checkpoint?.Code != CodeOf(projection) || !await twin.Exists(connection, cancel) || !await twin.CanBeTakenUp(connection, cancel))
            checkpoint = await BeginAnew(connection, projection, twin, slices, catchUp, watch, cancel);

        await watch.Tell(checkpoint.Done(checkpoint.Position), checkpoint.End, cancel);
        while (checkpoint.Todo.Count > 0)
        {
            checkpoint = await slices.FoldFirst(connection, checkpoint, cancel);
            await watch.Tell(checkpoint.Done(checkpoint.Position), checkpoint.End, cancel);
            watch.ThrowIfPaused();
        }

        await twin.Complete(connection, cancel);
        await new RebuildSwap(store, registration, twin, table, watch, catchUp).Run(connection, checkpoint, cancel);
    }

    private async Task<RebuildCheckpoint> BeginAnew(
        NpgsqlConnection connection, ProjectionBase projection, RebuildTwin twin, RebuildSlices slices, RebuildCatchUp catchUp, RebuildWatch watch,
        CancellationToken cancel)
    {
        var checkpoint = new RebuildCheckpoint(CodeOf(projection), 0, [], 0, await new OvertakenRebuilds(store).Erasures(connection, cancel));
        checkpoint = checkpoint with { End = await catchUp.FinalEnd(connection, checkpoint, mustBeFinal: false, cancel) };
        checkpoint = checkpoint with { Todo = await slices.Divide(connection, cancel) };
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using (var batch = new NpgsqlBatch(connection, transaction))
        {
            foreach (var command in twin.Create())
                batch.BatchCommands.Add(command);
            batch.BatchCommands.Add(table.ForgetWaiting(projection.ShardName));
            await batch.ExecuteNonQueryAsync(cancel);
        }

        await watch.Keep([], checkpoint, cancel);
        await transaction.CommitAsync(cancel);
        return checkpoint;
    }

    // The build's own ids: another build may fold otherwise, and a table made by two would be neither's.
    private static string CodeOf(ProjectionBase projection) => string.Join(
        ' ', new[] { projection.GetType(), projection.ViewType, typeof(ProjectionRebuild) }.Select(it => it.Module.ModuleVersionId).Distinct());

    // What a failing connection leaves behind is not lost: whoever comes next goes on with it. So it is with what a server says that may be over
    // in a moment. A full disk is not such: what was built may be what fills it.
    internal static bool IsCutOff(Exception failure) => failure switch
    {
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => false,
        PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable or IdleInTransaction or PostgresErrorCodes.SystemError or PostgresErrorCodes.IoError } => true,
        PostgresException { SqlState: [.. var kind, _, _, _] } => kind is "08" or "40" or "53" or "57",
        NpgsqlException or IOException => true,
        _ => false,
    };

    // The connection's end would do, but a moment later.
    private static Task Unlock(NpgsqlConnection connection, CancellationToken cancel) => connection.Execute("select pg_advisory_unlock_all()", cancel);

    private RebuildProgress Unknown() => new(RebuildTable.Running, 0, 0, store.Time.GetUtcNow(), store.Time.GetUtcNow(), null);
}
