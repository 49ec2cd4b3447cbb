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
        "cavecomm.signins.refused", description: "Sign-ins, keys and clients that were refused, those over a limit too.");

    /// <summary>By address, what programs sent. A program that was forgotten somewhere sends its dead key for ever: by the hour it is noted, and then counted.</summary>
    private readonly FailureWindow programs = new(GuessLimits.Most, TimeSpan.FromHours(1), clock);

    private readonly FailureWindow written = new(MostWritten, TimeSpan.FromMinutes(1), clock);

    /// <param name="limit">Whose limit was reached; null when none was.</param>
    /// <param name="isFirst">Only the first refusal over a limit stands in the log: a flood must not fill it.</param>
    public Task Record(HttpContext http, string reason, string? limit, bool isFirst, Guid? account, CancellationToken cancel) =>
        Record(http, reason, limit, isFirst, account, origin => new SignInEvent.Refused(reason, account, origin), cancel);

    /// <param name="account">Null when there is no such account.</param>
    public Task RecordKey(HttpContext http, Guid? account, CancellationToken cancel) =>
        RecordProgram(http, SignInRefusal.WrongKey, account, origin => new SignInEvent.Refused(SignInRefusal.WrongKey, account, origin), cancel);

    /// <param name="client">Null when there is no such client.</param>
    public Task RecordClient(HttpContext http, string? client, CancellationToken cancel)
    {
        var reason = client is null ? SignInRefusal.UnknownClient : SignInRefusal.WrongSecret;
        return RecordProgram(http, reason, null, origin => new SignInEvent.ClientRefused(reason, client, origin), cancel);
    }

    private Task RecordProgram(HttpContext http, string reason, Guid? account, Func<string, SignInEvent> refused, CancellationToken cancel)
    {
        var count = programs.Fail(GuessLimits.AddressOf(http));
        return Record(http, reason, count.RetryAfter is null ? null : "program", count.IsFirst, account, refused, cancel);
    }

    private async Task Record(HttpContext http, string reason, string? limit, bool isFirst, Guid? account, Func<string, SignInEvent> refused, CancellationToken cancel)
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
            await Append(origin, together.IsFirst ? new SignInEvent.Limited("everybody", null, origin) : limit is null ? refused(origin) : new SignInEvent.Limited(limit, account, origin), cancel);
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
