using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CaveComm.Api.Health;

/// <summary>One answer for all who ask within a moment: anybody may ask for the health page, and some of what it says costs the database a count.</summary>
internal sealed class SharedAnswer : IDisposable
{
    private const long MomentMilliseconds = 250;

    private readonly SemaphoreSlim asking = new(1);
    private HealthCheckResult known;
    private long? knownSince;

    public async Task<HealthCheckResult> Get(Func<CancellationToken, Task<HealthCheckResult>> ask, CancellationToken cancel)
    {
        await asking.WaitAsync(cancel);
        try
        {
            if (knownSince is not { } since || Environment.TickCount64 - since > MomentMilliseconds)
            {
                known = await ask(cancel);
                knownSince = Environment.TickCount64;
            }

            return known;
        }
        finally
        {
            asking.Release();
        }
    }

    public void Dispose() => asking.Dispose();
}
