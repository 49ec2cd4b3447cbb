using System.Diagnostics.Metrics;
using CaveComm.Domain;
using CaveComm.Domain.Identity;

namespace CaveComm.Api.Identity;

/// <summary>Puts refusals into the log for auditors, and counts all of them.</summary>
internal sealed class RefusedSignIns(IDocumentStore store, Origins origins, TimeProvider clock)
{
    public const string MeterName = "CaveComm.SignIns";
    private const int MostAttempts = 20;

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Refused = Meter.CreateCounter<long>(
        "cavecomm.signins.refused", description: "Sign-ins that were refused, those over a limit too.");

    /// <param name="limit">Whose limit was reached; null when none was.</param>
    /// <param name="isFirst">Only the first refusal over a limit stands in the log: a flood must not fill it.</param>
    public async Task Record(HttpContext http, string reason, string? limit, bool isFirst, Guid? account, CancellationToken cancel)
    {
        Refused.Add(1, new("reason", reason), new("limit", limit ?? "none"));
        if (limit is null || isFirst)
        {
            var origin = origins.Of(http);
            await Append(origin, limit is null ? new SignInEvent.Refused(reason, account, origin) : new SignInEvent.Limited(limit, account, origin), cancel);
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
