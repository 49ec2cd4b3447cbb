namespace CaveComm.Tests.Messaging;

/// <summary>A clock that only moves when told to. Its timers go by real time, so what waits is found by polling.</summary>
internal sealed class SteppingClock : TimeProvider
{
    private readonly Lock gate = new();
    private DateTimeOffset now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
        {
            return now;
        }
    }

    public void Advance(TimeSpan by)
    {
        lock (gate)
        {
            now += by;
        }
    }
}
