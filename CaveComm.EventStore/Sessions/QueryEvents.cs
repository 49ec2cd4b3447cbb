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
        where T : class =>
        Fold(streamKey, await FetchStreamAsync(streamKey, version, timestamp, fromVersion, token), state);

    public async Task<StreamState?> FetchStreamStateAsync(string streamKey, CancellationToken token = default)
    {
        await using var command = store.DataSource.CreateCommand(store.EventSql.State);
        command.Parameters.Add(Sql.Text(streamKey));
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token);
        return await row.ReadAsync(token)
            ? new(streamKey, row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(1), row.GetFieldValue<DateTimeOffset>(2), row.GetBoolean(3))
            : null;
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
