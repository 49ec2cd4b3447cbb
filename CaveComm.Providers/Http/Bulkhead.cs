namespace CaveComm.Providers.Http;

/// <summary>A limit of calls side by side, below what a queue runs: a provider that hangs cannot take all the hands that others need.</summary>
/// <remarks>When a provider is busy but well, a call waits its turn for a moment. When nothing moves, it is turned away at once.</remarks>
internal sealed class Bulkhead(int most, TimeProvider clock) : IDisposable
{
    /// <summary>How long to leave it alone when there was no room.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Nobody has come or gone for so long: whoever waits, waits in vain.</summary>
    private static readonly TimeSpan Stuck = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim room = new(most, most);
    private long moved = clock.GetTimestamp();

    public int UnderWay => most - room.CurrentCount;

    /// <returns>Whether there was room; then <see cref="Leave"/> follows.</returns>
    public async ValueTask<bool> Enter(CancellationToken cancel)
    {
        var entered = room.Wait(0, CancellationToken.None);
        if (!entered && clock.GetElapsedTime(Volatile.Read(ref moved)) < Stuck)
        {
            entered = await room.WaitAsync(Patience, cancel);
        }

        if (entered)
        {
            Volatile.Write(ref moved, clock.GetTimestamp());
        }

        return entered;
    }

    public void Leave()
    {
        Volatile.Write(ref moved, clock.GetTimestamp());
        room.Release();
    }

    public void Dispose() => room.Dispose();
}
