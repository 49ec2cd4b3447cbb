namespace CaveComm.EventStore;

/// <summary>The views of a rebuild while they are in memory.</summary>
internal sealed class RebuildFold(ProjectionBase projection)
{
    private readonly Dictionary<string, ViewState> states = new(StringComparer.Ordinal);
    private readonly List<WaitingRow> waiting = [];

    internal sealed record ViewState
    {
        public object? View { get; set; }

        /// <summary>The version of the last event of its stream; null when that is not known.</summary>
        public long? Version { get; set; }

        public bool WasStored { get; init; }

        public bool IsChanged { get; set; }

        /// <summary>Why the stored view cannot be read; null when it can, or there is none.</summary>
        public string? Unreadable { get; init; }

        /// <summary>One of its events could not be applied: the later ones wait behind it.</summary>
        public bool IsParked { get; set; }
    }

    public IReadOnlyDictionary<string, ViewState> States => states;

    /// <summary>Every view that there is, or of those whose rows are another than before.</summary>
    public IEnumerable<DocumentWrite> Views(bool onlyChanged) => states.Where(it => it.Value.View is not null && (it.Value.IsChanged || !onlyChanged))
        .Select(it => new DocumentWrite(it.Key, it.Value.View!, it.Value.Version ?? 0));

    /// <summary>The events that wait and were not taken yet.</summary>
    public IReadOnlyList<WaitingRow> Waiting => waiting;

    public int Count => states.Count;

    public void Put(string key, ViewState state) => states[key] = state;

    public void TakeWaiting() => waiting.Clear();

    /// <summary>Forgets the views that are not of a slice.</summary>
    public void Narrow(RebuildSlice slice)
    {
        foreach (var key in states.Keys.Where(it => !slice.Holds(it)).ToList())
            states.Remove(key);
        waiting.RemoveAll(it => !slice.Holds(it.Key));
    }

    /// <summary>The view that an event goes to; null when it goes to none. One that does not say waits alone, under a key of its own.</summary>
    public string? KeyOf(IEvent happened, Func<string, bool> isHere)
    {
        try
        {
            if (projection.KeyFor(happened) is not { } key)
                return null;
            StorableText.CheckKey(key);
            return isHere(key) ? key : null;
        }
        catch (Exception reason) when (reason is not NarrowEventException)
        {
            if ($"event {happened.Sequence}" is var alone && isHere(alone))
                waiting.Add(new(alone, happened.Sequence, happened.Id, StorableText.Of(reason.Message)));
            return null;
        }
    }

    /// <param name="isWhole">Whether the view is folded from its first event on, so that a missing one shows.</param>
    /// <exception cref="RebuildOrderException">The events did not come as they happened: going on would make wrong views.</exception>
    public void Apply(string key, IEvent happened, bool isWhole)
    {
        if (!states.TryGetValue(key, out var state))
            states[key] = state = new() { Version = isWhole ? 0 : null };

        // One of an unknown type may be of a stream of another kind, whose other events were passed by.
        var isFirstOfAny = state.Version == 0 && happened is Event<UnknownEvent>;
        if (projection.IsSingleStream && !state.IsParked && !isFirstOfAny && state.Version is { } version && happened.Version != version + 1)
            throw new RebuildOrderException(projection.ShardName, happened, version);
        if (state.IsParked)
        {
            waiting.Add(new(key, happened.Sequence, null, null));
            return;
        }

        try
        {
            if (state.Unreadable is { } unfit)
                throw new InvalidOperationException($"The stored view cannot be read: {unfit}");
            if (happened.Data is UnknownEvent)
                throw new UnknownEventTypeException(happened);
            var before = state.View;
            state.View = projection.Fold(before, key, happened);

            // As when it follows the log: the view of a stream is written for events that it does not show, too.
            state.IsChanged |= !ReferenceEquals(before, state.View) || projection.IsSingleStream;
            state.Version = happened.Version;
        }
        catch (Exception reason) when (reason is not NarrowEventException)
        {
            state.IsParked = true;
            waiting.Add(new(key, happened.Sequence, happened.Id, StorableText.Of(reason.Message)));
        }

        // A stream's version must be remembered even where there is no view; the others begin anew.
        if (isWhole && state is { View: null, IsParked: false } && !projection.IsSingleStream)
            states.Remove(key);
    }

    /// <summary>As <see cref="Apply"/>, but an event after which the view cannot be written parks its key too. The view stays as it was before it.</summary>
    public async Task ApplyOrPark(string key, IEvent happened, bool isWhole, ViewTrial trial, CancellationToken cancel)
    {
        var before = states.GetValueOrDefault(key) is { } known ? known with { } : new() { Version = isWhole ? 0 : null };
        Apply(key, happened, isWhole);
        if (states.GetValueOrDefault(key) is { IsParked: false, View: { } view } state
            && await trial.Refusal([new(key, view, state.Version ?? 0)], cancel) is { } reason)
        {
            states[key] = before with { IsParked = true };
            waiting.Add(new(key, happened.Sequence, happened.Id, reason));
        }
    }

    /// <summary>Takes some keys as another fold has them.</summary>
    public void TakeOver(RebuildFold other, IReadOnlySet<string> keys)
    {
        waiting.RemoveAll(it => keys.Contains(it.Key));
        waiting.AddRange(other.waiting.Where(it => keys.Contains(it.Key)));
        foreach (var key in keys)
        {
            if (other.states.TryGetValue(key, out var state))
                states[key] = state;
            else
                states.Remove(key);
        }
    }
}

/// <summary>A row of an event that waits; see <c>cavecomm_parked_event</c>.</summary>
/// <param name="EventId">Only of the event that could not be applied.</param>
internal sealed record WaitingRow(string Key, long Sequence, Guid? EventId, string? Reason);

/// <summary>The rebuild was given a stream's events out of order or not all of them, and made nothing of them.</summary>
public sealed class RebuildOrderException(string shard, IEvent happened, long version)
    : Exception($"The rebuild of {shard} met event {happened} after version {version} of its stream: the log was not read in order, or an event is missing.");
