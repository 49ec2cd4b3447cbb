using Npgsql;

namespace CaveComm.EventStore;

/// <summary>One projection's share of some events: the views they go to, loaded, folded and written together.</summary>
internal sealed class ViewWork(ProjectionBase projection, DocumentMapping mapping)
{
    // More rows in one command would only make one message to the server larger.
    private const int RowsPerCommand = 1000;
    private readonly Dictionary<string, Slice> slices = new(StringComparer.Ordinal);

    private sealed class Slice(string key)
    {
        public string Key { get; } = key;

        public List<IEvent> Events { get; } = [];

        public object? View { get; set; }

        public bool WasStored { get; set; }

        public bool IsChanged { get; set; }

        public long Version { get; set; }
    }

    public bool IsEmpty => slices.Count == 0;

    public string[] Keys => [.. slices.Keys.Order(StringComparer.Ordinal)];

    /// <exception cref="ApplyEventException">The event does not say whom it belongs to.</exception>
    public void Add(IEvent happened)
    {
        if (KeyOf(happened) is not { } key)
            return;
        if (!slices.TryGetValue(key, out var slice))
            slices[key] = slice = new(key);
        slice.Events.Add(happened);
    }

    public NpgsqlBatchCommand Load(bool forUpdate) =>
        new(forUpdate ? mapping.SelectForUpdate : mapping.SelectMany) { Parameters = { Sql.Texts(Keys) } };

    /// <summary>Locks the views' keys until the transaction ends, whether their rows exist or not; always in the same order.</summary>
    public NpgsqlBatchCommand LockKeys() =>
        new("select pg_advisory_xact_lock(key) from unnest($1) as key")
        {
            Parameters = { Sql.Numbers([.. slices.Keys.Select(it => StableHash.Of($"{mapping.Table}/{it}")).Distinct().Order()]) },
        };

    public async Task ReadLoaded(NpgsqlDataReader rows, CancellationToken cancel)
    {
        while (await rows.ReadAsync(cancel))
        {
            var slice = slices[rows.GetString(0)];
            slice.View = mapping.Read(rows.GetFieldValue<byte[]>(1));
            slice.Version = rows.GetInt64(2);
            slice.WasStored = true;
        }
    }

    /// <exception cref="ApplyEventException">The projection threw, or the events are not in order.</exception>
    public void Fold()
    {
        foreach (var slice in slices.Values)
        {
            foreach (var happened in slice.Events)
                Fold(slice, happened);
            slice.Events.Clear();
        }
    }

    public IEnumerable<NpgsqlBatchCommand> Writes()
    {
        var deletes = slices.Values.Where(it => it is { View: null, WasStored: true }).Select(it => it.Key).ToArray();
        var writes = slices.Values.Where(it => it is { View: not null, IsChanged: true })
            .Select(it => new DocumentWrite(it.Key, it.View!, it.Version));
        foreach (var some in deletes.Chunk(RowsPerCommand))
            yield return mapping.Delete(some);
        foreach (var some in writes.Chunk(RowsPerCommand))
            yield return mapping.Write(some);
    }

    private string? KeyOf(IEvent happened)
    {
        try
        {
            return projection.KeyFor(happened);
        }
        catch (Exception reason)
        {
            throw new ApplyEventException(projection.ShardName, happened, reason);
        }
    }

    private void Fold(Slice slice, IEvent happened)
    {
        // A row that is ahead, or a version left out, means that the events came in another order than they happened.
        if (projection.IsSingleStream && slice.View is not null && happened.Version <= slice.Version)
            throw new ApplyEventException(
                projection.ShardName, happened, new InvalidOperationException($"The view is at version {slice.Version} already."));
        try
        {
            var before = slice.View;
            slice.View = projection.Fold(before, slice.Key, happened);

            // The view of a stream carries the stream's version, so it is written for events that it does not show, too.
            slice.IsChanged |= !ReferenceEquals(before, slice.View) || projection.IsSingleStream;
            slice.Version = happened.Version;
        }
        catch (Exception reason)
        {
            throw new ApplyEventException(projection.ShardName, happened, reason);
        }
    }
}
