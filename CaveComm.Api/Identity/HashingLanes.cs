namespace CaveComm.Api.Identity;

/// <summary>
/// Hashing a password takes a core for some 50 ms, so whoever sends many passwords could keep everybody else waiting. Each kind of caller
/// has a lane of its own: guesses wait for guesses.
/// </summary>
internal sealed class HashingLanes
{
    private static readonly int Cores = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Browsers that somebody has signed in with before. No stranger stands here, however many there are.</summary>
    public HashingLane Known { get; } = new(Cores, mostWaiting: 64);

    public HashingLane Open { get; } = new(Cores, mostWaiting: 256);

    /// <summary>Strangers who register cost a hash, too: one at a time.</summary>
    public HashingLane Registrations { get; } = new(1, mostWaiting: 64);

    /// <summary>Addresses and names over their limit: one at a time.</summary>
    public HashingLane HeldBack { get; } = new(1, mostWaiting: 64);
}

/// <param name="atOnce">How many are hashed side by side.</param>
/// <param name="mostWaiting">Whoever comes when so many wait is sent away.</param>
internal sealed class HashingLane(int atOnce, int mostWaiting) : IDisposable
{
    private readonly SemaphoreSlim places = new(atOnce);
    private int waiting;

    /// <summary>How many stand in the queue.</summary>
    public int Waiting => Volatile.Read(ref waiting);

    /// <returns>To be disposed of when the work is done; null when too many wait.</returns>
    public async Task<IDisposable?> Enter(CancellationToken cancel)
    {
        if (await places.WaitAsync(TimeSpan.Zero, cancel))
        {
            return new Place(places);
        }

        try
        {
            if (Interlocked.Increment(ref waiting) > mostWaiting)
            {
                return null;
            }

            await places.WaitAsync(cancel);
            return new Place(places);
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }

    public void Dispose() => places.Dispose();

    private sealed class Place(SemaphoreSlim places) : IDisposable
    {
        public void Dispose() => places.Release();
    }
}
