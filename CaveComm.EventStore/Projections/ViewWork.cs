using Npgsql;

namespace CaveComm.EventStore;

/// <summary>One projection's share of some events: the views they go to, loaded, folded and written together.</summary>
/// <param name="parked">Keys whose events wait, since an earlier one could not be applied; see <see cref="FoldOrPark"/>.</param>
internal sealed class ViewWork(ProjectionBase projection, DocumentMapping mapping, IReadOnlySet<string>? parked = null)
{
    // More rows in one command would only make one message to the server larger.
    private const int RowsPerCommand = 1000;
    private readonly Dictionary<string, Slice> slices = new(StringComparer.Ordinal);
    private readonly List<WaitingEvent> waiting = [];

    private sealed class Slice(string key)
    {
        public string Key { get; } = key;

        public List<IEvent> Events { get; } = [];

        public object? View { get; set; }

        /// <summary>Why the stored view cannot be read; null when it can, or there is none.</summary>
        public string? Unreadable { get; set; }

        public bool WasStored { get; set; }

        public bool IsChanged { get; set; }

        public long Version { get; set; }
    }

    public bool IsEmpty => slices.Count == 0;

    public string[] Keys => [.. slices.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Events that were not applied, so that their keys' order is kept.</summary>
    public IReadOnlyList<WaitingEvent> Waiting => waiting;

    /// <exception cref="ApplyEventException">The event does not say whom it belongs to.</exception>
    public void Add(IEvent happened)
    {
        if (KeyOf(happened) is { } key)
            Add(key, happened);
    }

    /// <summary>As <see cref="Add(IEvent)"/>, but an event of a parked key waits behind the others, and one that does not say whom it belongs to waits alone.</summary>
    public void AddOrPark(IEvent happened)
    {
        try
        {
            if (KeyOf(happened) is not { } key)
                return;
            if (parked is not null && parked.Contains(key))
                waiting.Add(new(key, happened, Reason: null));
            else
                Add(key, happened);
        }
        catch (ApplyEventException poison)
        {
            waiting.Add(new(WaitingEvent.KeyUnknown(happened), happened, Reason(poison)));
        }
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
            slice.Version = rows.GetInt64(2);
            slice.WasStored = true;
            slice.View = mapping.TryRead(rows.GetFieldValue<byte[]>(1), out var unfit);
            slice.Unreadable = unfit; // One row must not stand in the way of the others.
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

    /// <summary>Folds; an event that cannot be applied waits, and with it all later ones of its key. The view stays as it was before it.</summary>
    /// <param name="refused">Events after which the view cannot be written, by key.</param>
    public void FoldOrPark(IReadOnlyDictionary<string, RefusedEvent>? refused = null)
    {
        foreach (var slice in slices.Values)
        {
            var (applied, poison) = (0, refused?.GetValueOrDefault(slice.Key));
            try
            {
                for (; applied < slice.Events.Count && slice.Events[applied].Sequence != poison?.Sequence; applied++)
                    Fold(slice, slice.Events[applied]);
                if (applied < slice.Events.Count)
                    Wait(slice, applied, poison!.Reason);
            }
            catch (ApplyEventException unfit)
            {
                Wait(slice, applied, Reason(unfit));
            }

            slice.Events.Clear();
        }
    }

    /// <summary>Folds a key's events one by one, and tells the view that would be written after each. Ends before an event that cannot be applied.</summary>
    public IEnumerable<(IEvent Event, DocumentWrite? Write)> Steps(string key)
    {
        var slice = slices[key];
        foreach (var happened in slice.Events)
        {
            if (!TryFold(slice, happened))
                yield break;
            yield return (happened, slice is { View: { } view, IsChanged: true } ? new(key, view, slice.Version) : null);
        }
    }

    /// <summary>Forgets what does not go to some keys.</summary>
    public void Narrow(IReadOnlySet<string> keys)
    {
        foreach (var key in slices.Keys.Where(it => !keys.Contains(it)).ToList())
            slices.Remove(key);
    }

    public IEnumerable<NpgsqlBatchCommand> Writes()
    {
        var deletes = slices.Values.Where(it => it is { View: null, WasStored: true }).Select(it => it.Key).ToArray();
        foreach (var some in deletes.Chunk(RowsPerCommand))
            yield return mapping.Delete(some);
        foreach (var some in Changed().Chunk(RowsPerCommand))
            yield return mapping.Write(some);
    }

    /// <summary>The views that are to be written.</summary>
    public IEnumerable<DocumentWrite> Changed() => slices.Values.Where(it => it is { View: not null, IsChanged: true })
        .Select(it => new DocumentWrite(it.Key, it.View!, it.Version));

    private void Add(string key, IEvent happened)
    {
        if (!slices.TryGetValue(key, out var slice))
            slices[key] = slice = new(key);
        slice.Events.Add(happened);
    }

    private string? KeyOf(IEvent happened)
    {
        try
        {
            if (projection.KeyFor(happened) is not { } key)
                return null;
            StorableText.CheckKey(key);
            return key;
        }
        catch (Exception reason)
        {
            throw new ApplyEventException(projection.ShardName, happened, reason);
        }
    }

    private void Wait(Slice slice, int from, string reason) => waiting.AddRange(
        slice.Events.Skip(from).Select((it, place) => new WaitingEvent(slice.Key, it, place == 0 ? reason : null)));

    private bool TryFold(Slice slice, IEvent happened)
    {
        try
        {
            Fold(slice, happened);
            return true;
        }
        catch (ApplyEventException)
        {
            return false;
        }
    }

    private void Fold(Slice slice, IEvent happened)
    {
        try
        {
            if (slice.Unreadable is { } unfit)
                throw new InvalidOperationException($"The stored view cannot be read: {unfit}");
            if (projection.IsSingleStream && slice.View is not null)
                CheckOrder(slice.Version, happened.Version);
            if (happened.Data is UnknownEvent)
                throw new UnknownEventTypeException(happened);
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

    // A row that is ahead, or a version left out, means that the events came in another order than they happened, or not all.
    private static void CheckOrder(long viewVersion, long version)
    {
        if (version <= viewVersion)
            throw new InvalidOperationException($"The view is at version {viewVersion} already.");
        if (version > viewVersion + 1)
            throw new InvalidOperationException($"The view is at version {viewVersion}; what lies between is missing.");
    }

    private static string Reason(ApplyEventException poison) => StorableText.Of(poison.InnerException?.Message ?? poison.Message);
}

/// <summary>An event that is not applied yet.</summary>
/// <param name="Reason">Why it could not be; null for one that only waits behind another.</param>
internal sealed record WaitingEvent(string Key, IEvent Event, string? Reason)
{
    /// <summary>The key of an event whose data cannot be read far enough to tell its view.</summary>
    public static string KeyUnknown(IEvent happened) => $"event {happened.Sequence}";
}

/// <summary>An event after which a view cannot be written, and why.</summary>
internal sealed record RefusedEvent(long Sequence, string Reason);
