using System.Diagnostics.Metrics;
using CaveComm.Domain;
using CaveComm.Domain.Identity;

namespace CaveComm.Api.Identity;

/// <summary>Puts refusals into the log for auditors, and counts all of them.</summary>
internal sealed class RefusedSignIns(IDocumentStore store, Origins origins, TimeProvider clock)
{
    public const string MeterName = "CaveComm.SignIns";
    private const int MostAttempts = 20;

    /// <summary>Of everybody together in a minute: who has many addresses and tries many names is under every other limit.</summary>
    public const int MostWritten = 300;

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Refused = Meter.CreateCounter<long>(
        "cavecomm.signins.refused", description: "Sign-ins that were refused, those over a limit too.");

    private readonly FailureWindow written = new(MostWritten, TimeSpan.FromMinutes(1), clock);

    /// <param name="limit">Whose limit was reached; null when none was.</param>
    /// <param name="isFirst">Only the first refusal over a limit stands in the log: a flood must not fill it.</param>
    public async Task Record(HttpContext http, string reason, string? limit, bool isFirst, Guid? account, CancellationToken cancel)
    {
        Refused.Add(1, new("reason", reason), new("limit", limit ?? "none"));
        if (limit is null || isFirst)
        {
            var together = written.Fail("");
            if (together is { RetryAfter: not null, IsFirst: false })
            {
                return;
            }

            var origin = origins.Of(http);
            await Append(origin, together.IsFirst ? new SignInEvent.Limited("everybody", null, origin) : limit is null ? new SignInEvent.Refused(reason, account, origin) : new SignInEvent.Limited(limit, account, origin), cancel);
        }
    }

    private async Task Append(string origin, SignInEvent happened, CancellationToken cancel)
    {
        var stream = StreamKey.SignIns(DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime), origin);
        for (var attempt = 1; ; attempt++)
        {
            await using var session = store.LightweightSession();
            session.LastModifiedBy = "anonymous";
            session.Events.Append(stream, happened);
            try
            {
                await session.SaveChangesAsync(cancel);
                return;
            }
            catch (Exception race) when (race is ConcurrencyException or ExistingStreamIdCollisionException && attempt < MostAttempts)
            {
                // Another refusal of the same source was first.
            }
        }
    }
}
