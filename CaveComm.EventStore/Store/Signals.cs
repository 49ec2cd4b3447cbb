namespace CaveComm.EventStore;

/// <summary>A bell that one waiter hears. Rung several times while nobody listens, it is heard once.</summary>
internal sealed class Bell : IDisposable
{
    private readonly SemaphoreSlim rung = new(0, 1);
    private int isRung;
    private long rings;

    /// <summary>How often it was rung, heard or not.</summary>
    public long Rings => Interlocked.Read(ref rings);

    public void Ring()
    {
        Interlocked.Increment(ref rings);
        if (Interlocked.Exchange(ref isRung, 1) == 0)
            rung.Release();
    }

    /// <summary>True when it was rung, false when nobody rang it in time.</summary>
    public async Task<bool> Wait(TimeSpan timeout, CancellationToken cancel)
    {
        if (!await rung.WaitAsync(timeout, cancel))
            return false;
        Volatile.Write(ref isRung, 0);
        return true;
    }

    public void Dispose() => rung.Dispose();
}

/// <summary>Who is told in this process that events were committed.</summary>
internal sealed class Signals
{
    private volatile Bell[] readers = [];
    private readonly Lock change = new();

    /// <summary>Tells the other processes; null while nobody has to.</summary>
    public Bell? Others { get; set; }

    /// <summary>Whether other processes feed views too, and need to be told as well as this one.</summary>
    public bool IsReadElsewhere { get; set; }

    public void Committed()
    {
        var here = readers;
        foreach (var reader in here)
            reader.Ring();
        if (here.Length == 0 || IsReadElsewhere)
            Others?.Ring();
    }

    public void Add(Bell reader)
    {
        lock (change)
            readers = [.. readers, reader];
    }

    public void Remove(Bell reader)
    {
        lock (change)
            readers = [.. readers.Where(it => it != reader)];
    }
}
