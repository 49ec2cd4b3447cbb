namespace CaveComm.Tests.Providers;

/// <summary>Stands still until it is moved. Its timers run on the machine's clock, so that time limits still end.</summary>
internal sealed class ManualClock : TimeProvider
{
    public static readonly DateTimeOffset Noon = new(2026, 8, 1, 12, 0, 0, TimeSpan.Zero);

    private DateTimeOffset now = Noon;

    public void Advance(TimeSpan by) => now += by;

    public override DateTimeOffset GetUtcNow() => now;
}
