using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Reads streams.</summary>
internal class QueryEvents(DocumentStore store) : IQueryEventStore
{
    protected DocumentStore Store => store;

    public async Task<IReadOnlyList<IEvent>> FetchStreamAsync(
        string streamKey, long version = 0, DateTimeOffset? timestamp = null, long fromVersion = 0, CancellationToken token = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(streamKey);
        var whole = version == 0 && timestamp is null && fromVersion <= 1;
        await using var command = store.DataSource.CreateCommand(whole ? store.EventSql.Stream : store.EventSql.StreamPart);
        command.Parameters.Add(Sql.Text(streamKey));
        if (!whole)
        {
            command.Parameters.Add(Sql.Number(fromVersion));
            command.Parameters.Add(Sql.Number(version == 0 ? long.MaxValue : version));
            command.Parameters.Add(Sql.OptionalInstant(timestamp));
        }

        await using var rows = await command.ExecuteReaderAsync(token);
        return await store.EventReader.ReadAll(rows, token);
    }

    public async Task<T?> AggregateStreamAsync<T>(
        string streamKey, long version = 0, DateTimeOffset? timestamp = null, T? state = null, long fromVersion = 0, CancellationToken token = default)
        where T : class => version == 0 && timestamp is null && fromVersion <= 1
            ? (await FoldWhole(streamKey, state, forWriting: false, token)).State
            : Fold(streamKey, await FetchStreamAsync(streamKey, version, timestamp, fromVersion, token), state);

    public async Task<StreamState?> FetchStreamStateAsync(string streamKey, CancellationToken token = default)
    {
        await using var command = store.DataSource.CreateCommand(store.EventSql.State);
        command.Parameters.Add(Sql.Text(streamKey));
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token);
        return await row.ReadAsync(token)
            ? new(streamKey, row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(1), row.GetFieldValue<DateTimeOffset>(2), row.GetBoolean(3))
            : null;
    }

    /// <summary>Folds a stream from what nearly all folds look at, and from all of its columns only where a fold asks for more.</summary>
    /// <param name="forWriting">Whether the last event's hash is wanted too.</param>
    /// <returns>The state, the stream's version (0 where there is no stream), and its last event's hash, empty where it has none.</returns>
    protected async Task<(T? State, long Version, string Hash)> FoldWhole<T>(string streamKey, T? state, bool forWriting, CancellationToken cancel)
        where T : class
    {
        ArgumentException.ThrowIfNullOrEmpty(streamKey);
        try
        {
            var (events, hash) = await ReadToFold(streamKey, forWriting, cancel);
            return (Fold(streamKey, events, state), events is [.., var last] ? last.Version : 0, hash ?? "");
        }
        catch (NarrowEventException)
        {
            var events = await FetchStreamAsync(streamKey, token: cancel);
            var (version, hash) = events is [.., RecordedEvent last] ? (last.Version, last.Hash) : (0, null);
            return (Fold(streamKey, events, state), version, hash ?? "");
        }
    }

    private async Task<(List<IEvent> Events, string? Hash)> ReadToFold(string streamKey, bool forWriting, CancellationToken cancel)
    {
        (List<IEvent> Events, string? Hash) read;
        var connection = await store.Warm.Take(cancel);
        var isWell = false;
        try
        {
            await using (var command = new NpgsqlCommand(forWriting ? store.EventSql.FoldForWriting : store.EventSql.Fold, connection))
            {
                command.Parameters.Add(Sql.Text(streamKey));
                await using var rows = await command.ExecuteReaderAsync(cancel);
                read = await store.EventReader.ReadToFold(rows, streamKey, forWriting, cancel);
            }

            isWell = true;
        }
        finally
        {
            await store.Warm.GiveBack(connection, isWell);
        }

        // Keys come on a connection of the pool: if each who folds kept one and waited for another, nobody would get it.
        await store.EventReader.OpenSealed(read.Events, keysOn: null, cancel);
        return read;
    }

    protected T? Fold<T>(string streamKey, IReadOnlyList<IEvent> events, T? state = null)
        where T : class
    {
        var fold = store.Options.Projections.FoldInto(typeof(T));
        object? folded = state;
        foreach (var happened in events)
        {
            // To leave it out would be to decide without knowing what happened.
            if (happened.Data is UnknownEvent)
                throw new UnknownEventTypeException(happened);
            folded = fold.Fold(folded, streamKey, happened);
        }

        return (T?)folded;
    }
}
