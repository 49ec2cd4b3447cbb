using System.Text.Json.Nodes;
using CaveComm.Sandbox.Storage;

namespace CaveComm.Sandbox.Stripe;

/// <summary>Stripe's clock, which a control can put forward: renewals and due dates of months are met in a moment.</summary>
/// <remarks>Pauses last as long as ever; only what is read off the clock moves. How far it is ahead outlives a restart.</remarks>
internal sealed class ShiftedTime(SandboxStore store, TimeProvider real) : TimeProvider
{
    private const string Settings = "stripe.settings";
    private const string Kept = "clock";

    private long aheadTicks = TimeSpan.FromSeconds((long?)store.Find(Settings, Kept)?["aheadSeconds"] ?? 0).Ticks;

    public TimeSpan Ahead => TimeSpan.FromTicks(Interlocked.Read(ref aheadTicks));

    public override DateTimeOffset GetUtcNow() => real.GetUtcNow() + Ahead;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        real.CreateTimer(callback, state, dueTime, period);

    /// <summary>Puts the clock forward; it never goes back.</summary>
    public void Advance(TimeSpan by)
    {
        var seconds = (long)by.TotalSeconds;
        store.Transact(work =>
        {
            var ahead = (long?)work.Find(Settings, Kept)?["aheadSeconds"] ?? 0;
            work.Put(Settings, Kept, new JsonObject { ["aheadSeconds"] = ahead + seconds });
        });

        // Added, not set: of two at once the one that committed first may come here last.
        Interlocked.Add(ref aheadTicks, TimeSpan.FromSeconds(seconds).Ticks);
    }
}
