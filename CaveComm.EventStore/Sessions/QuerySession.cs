namespace CaveComm.EventStore;

/// <summary>Reads on pooled connections, one per call.</summary>
internal class QuerySession(DocumentStore store) : IQuerySession
{
    private readonly QueryEvents events = new(store);

    protected DocumentStore Database => store;

    IQueryEventStore IQuerySession.Events => events;

    public async Task<T?> LoadAsync<T>(string id, CancellationToken token = default)
        where T : notnull
    {
        var mapping = store.Documents.For(typeof(T));
        await using var command = store.DataSource.CreateCommand(mapping.SelectOne);
        command.Parameters.Add(Sql.Text(id));
        await using var row = await command.ExecuteReaderAsync(token);
        return await row.ReadAsync(token) ? (T)mapping.Read(row.GetFieldValue<byte[]>(0)) : default;
    }

    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, CancellationToken token, params object[] parameters)
    {
        var mapping = store.Documents.For(typeof(T));
        await using var command = store.DataSource.CreateCommand(store.Documents.Query(mapping, sql));
        foreach (var value in parameters)
            command.Parameters.Add(SqlTail.Parameter(value));
        await using var rows = await command.ExecuteReaderAsync(token);
        var found = new List<T>();
        while (await rows.ReadAsync(token))
            found.Add((T)mapping.Read(rows.GetFieldValue<byte[]>(0)));
        return found;
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    // A session holds nothing between calls; what was collected and not saved is forgotten with it.
    protected virtual void Dispose(bool disposing)
    {
    }
}
