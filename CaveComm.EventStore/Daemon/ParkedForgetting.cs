using System.Data;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Has the rows of parked keys forget who was erased: the event that tells their views to waits behind the one that could not be applied.</summary>
/// <remarks>
/// Such a row is folded anew from the log, up to the event before the parked one, with the keys that are left; the event stays parked. Each
/// parked key has the number of destroyed keys that its row was folded with: another number, or none, and it is due. No clock decides. What is
/// written is written only while the shard stands still and the key is parked where it was, so a retry or a rebuild in between wins.
/// A view that is written with its events is left out: nothing of it waits but after a rebuild that parked its key.
/// </remarks>
internal sealed class ParkedForgetting(DocumentStore store, ILogger logger)
{
    private const int MostViews = 1000;
    private const int PageSize = 1000;
    private readonly ParkedEvents parked = new(store);
    private readonly string schema = store.Options.DatabaseSchemaName;

    private sealed record DueKeys(ProjectionBase Projection, IReadOnlyDictionary<string, long> Heads, long Erasures);

    // The number is only asked for where something is parked.
    private string Due => $"""
        with heads as (select distinct on (shard, key) shard, key, seq_id, erasures from {schema}.cavecomm_parked_event where shard = any($1) order by shard, key, seq_id)
        select shard, key, seq_id, {store.Personal.Erasures} from heads where erasures <> {store.Personal.Erasures}
        """;

    /// <summary>Whether no row of a parked key was folded before somebody was erased.</summary>
    public async Task<bool> IsDone(CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand($"select not exists ({Due})");
        command.Parameters.Add(Sql.Texts([.. store.Options.Projections.Stored().Select(it => it.Projection.ShardName)]));
        return (bool)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>Sees to the parked keys of some projections.</summary>
    /// <returns>Whether all of them could be folded.</returns>
    public async Task<bool> Run(IReadOnlyCollection<ProjectionBase> projections, CancellationToken cancel)
    {
        var due = await Find(projections, cancel);
        if (due.Count == 0)
            return true;

        // What this node remembers of keys may be older than the number of those that are destroyed.
        var reader = new EventReader(store.Options, new PersonalKeys(store));
        await using var connection = await store.OpenDedicated("forgetting", cancel, isPatient: true);
        await connection.Execute("set plan_cache_mode = force_custom_plan; set statement_timeout = 0", cancel);
        var done = 0;
        foreach (var part in due)
        {
            try
            {
                await Refold(connection, reader, part, cancel);
                done++;
            }
            catch (Exception failure) when (!cancel.IsCancellationRequested && connection.State == ConnectionState.Open)
            {
                // One view must not hold up the others.
                logger.LogError(
                    failure, "{Shard} may show who was erased at the parked {Keys}, which could not be folded anew: {Reason}",
                    part.Projection.ShardName, part.Heads.Keys, failure.Message);
            }
        }

        if (done > 0)
            logger.LogInformation("Views that wait behind a parked event were folded anew without who was erased: {Shards}", due.Select(it => it.Projection.ShardName).Distinct());
        return done == due.Count;
    }

    private async Task<List<DueKeys>> Find(IReadOnlyCollection<ProjectionBase> projections, CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(Due);
        command.Parameters.Add(Sql.Texts([.. projections.Select(it => it.ShardName)]));
        var keys = new List<(string Shard, string Key, long Head)>();
        var erasures = 0L;
        await using (var rows = await command.ExecuteReaderAsync(cancel))
        {
            while (await rows.ReadAsync(cancel))
            {
                keys.Add((rows.GetString(0), rows.GetString(1), rows.GetInt64(2)));
                erasures = rows.GetInt64(3);
            }
        }

        // One stream is read by itself; for views of many streams it is all of the log, so they go together.
        var found =
            from it in keys
            join projection in projections on it.Shard equals projection.ShardName into known
            from projection in known
            group (it.Key, it.Head) by projection into mine
            from some in mine.Chunk(mine.Key.IsSingleStream ? 1 : MostViews)
            select new DueKeys(mine.Key, some.ToDictionary(it => it.Key, it => it.Head, StringComparer.Ordinal), erasures);
        return [.. found];
    }

    private async Task Refold(NpgsqlConnection connection, EventReader reader, DueKeys due, CancellationToken cancel)
    {
        var mapping = store.Documents.For(due.Projection.ViewType);
        try
        {
            await Write(connection, mapping, due, await Fold(connection, reader, due, trial: null, cancel), cancel);
        }
        catch (Exception unfit) when (ViewTrial.IsRefusal(unfit))
        {
            // Without its texts a view is another one, which the table may not take.
            await Write(connection, mapping, due, await Fold(connection, reader, due, new(connection, mapping), cancel), cancel);
        }
    }

    private async Task<RebuildFold> Fold(NpgsqlConnection connection, EventReader reader, DueKeys due, ViewTrial? trial, CancellationToken cancel)
    {
        var fold = new RebuildFold(due.Projection);
        await foreach (var happened in Events(connection, reader, due, cancel))
        {
            if (fold.KeyOf(happened, due.Heads.ContainsKey) is not { } key || happened.Sequence >= due.Heads[key])
                continue;
            if (trial is null)
                fold.Apply(key, happened, isWhole: true);
            else
                await fold.ApplyOrPark(key, happened, isWhole: true, trial, cancel);
        }

        return fold;
    }

    private async IAsyncEnumerable<IEvent> Events(
        NpgsqlConnection connection, EventReader reader, DueKeys due, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (due.Projection.IsSingleStream)
        {
            await using var stream = new NpgsqlCommand(store.EventSql.Stream, connection) { Parameters = { Sql.Text(due.Heads.Keys.Single()) } };
            await using var rows = await stream.ExecuteReaderAsync(cancel);
            foreach (var happened in await reader.ReadAll(rows, connection, cancel))
                yield return happened;
            yield break;
        }

        var (position, last) = (0L, due.Heads.Values.Max() - 1);
        var passedBy = ProjectionOptions.PassedBy(store.Options.Events, [due.Projection]);
        for (var isMore = true; isMore;)
        {
            await using var page = new NpgsqlCommand(store.EventSql.Page, connection)
            {
                Parameters = { Sql.Number(position), Sql.Number(last), Sql.Count(PageSize), Sql.Texts(passedBy) },
            };
            await using var rows = await page.ExecuteReaderAsync(cancel);
            var events = await reader.ReadAll(rows, connection, cancel);
            foreach (var happened in events)
                yield return happened;
            isMore = events.Count == PageSize;
            position = isMore ? events[^1].Sequence : last;
        }
    }

    private async Task Write(NpgsqlConnection connection, DocumentMapping mapping, DueKeys due, RebuildFold fold, CancellationToken cancel)
    {
        var shard = due.Projection.ShardName;
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancel);

        // The shard, a retry and a rebuild that ends all move this row: while it is held, the views and what is parked stand still.
        await connection.Execute($"select from {schema}.mt_event_progression where name = $1 for update", cancel, Sql.Text(shard));
        var heads = await parked.Heads(connection, shard, [.. due.Heads.Keys], cancel);
        var keys = due.Heads.Where(it => heads.GetValueOrDefault(it.Key) == it.Value).Select(it => it.Key).ToHashSet(StringComparer.Ordinal);
        var views = fold.Views(onlyChanged: false).Where(it => keys.Contains(it.Id)).ToList();
        string[] gone = [.. keys.Except(views.Select(it => it.Id))];
        WaitingRow[] earlier = [.. fold.Waiting.Where(it => keys.Contains(it.Key) && it.Sequence < due.Heads[it.Key])];
        await using var batch = new NpgsqlBatch(connection, transaction);
        if (gone.Length > 0)
            batch.BatchCommands.Add(mapping.Delete(gone));
        if (views.Count > 0)
            batch.BatchCommands.Add(mapping.Write(views));
        if (earlier.Length > 0)
            batch.BatchCommands.Add(parked.Add(shard, earlier));
        batch.BatchCommands.Add(parked.FoldedWith(shard, [.. keys], due.Erasures));
        await batch.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
    }
}
