namespace CaveComm.Messaging;

/// <summary>A bell: rung often, it wakes its one listener once.</summary>
internal sealed class Signal : IDisposable
{
    private readonly SemaphoreSlim bell = new(0);

    public void Ring()
    {
        if (bell.CurrentCount == 0)
        {
            bell.Release();
        }
    }

    public Task<bool> Wait(TimeSpan atMost, CancellationToken cancel) => bell.WaitAsync(atMost, cancel);

    public void Dispose() => bell.Dispose();
}
