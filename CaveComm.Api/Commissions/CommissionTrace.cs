using System.Diagnostics;
using CaveComm.Domain;

namespace CaveComm.Api.Commissions;

/// <summary>A commission is followed by the trace of the request that began it; its id is the correlation id of the commission's first event.</summary>
/// <remarks>
/// A webhook is a request of somebody else and has a trace of its own. What follows from it goes on in the commission's trace, in a span that links to the webhook's.
/// What a person asks for later (accepting, uploading) stays in that request's trace, to which a span in the commission's links.
/// </remarks>
internal static class CommissionTrace
{
    public const string SourceName = "CaveComm.Commissions";
    private const string Commission = "cavecomm.commission";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>The commission's trace id; null when the commission is unknown, or began outside any trace.</summary>
    public static async Task<ActivityTraceId?> Find(IDocumentSession session, Guid commission, CancellationToken cancel) =>
        (await session.Events.FetchStreamAsync(StreamKey.Commission(commission), version: 1, token: cancel)) is [{ CorrelationId: { Length: 32 } id }, ..] && id.All(char.IsAsciiHexDigitLower)
            ? ActivityTraceId.CreateFromString(id)
            : null;

    /// <summary>Goes on in the commission's trace until the result is disposed of. It does so even when nobody listens, so that messages and events carry the trace id on.</summary>
    public static Activity? Rejoin(string name, Guid commission, ActivityTraceId? trace)
    {
        var here = Activity.Current;
        if (trace is not { } id || here?.TraceId == id)
        {
            return null;
        }

        if (Start(name, commission, id, here) is { } listened)
        {
            here?.SetTag(Commission, commission);
            return listened;
        }

        // There is no parent span to name: only the trace is known.
        return new Activity(name).SetIdFormat(ActivityIdFormat.W3C).SetParentId(id, default, here?.ActivityTraceFlags ?? default).Start();
    }

    /// <summary>Leaves a span in the commission's trace that leads to the request at hand. Costs nothing while nobody listens.</summary>
    public static async Task Link(string name, IDocumentSession session, Guid commission, CancellationToken cancel)
    {
        if (!Source.HasListeners() || Activity.Current is not { } here)
        {
            return;
        }

        here.SetTag(Commission, commission);
        if (await Find(session, commission, cancel) is { } trace && trace != here.TraceId)
        {
            Start(name, commission, trace, here)?.Dispose();
        }
    }

    private static Activity? Start(string name, Guid commission, ActivityTraceId trace, Activity? from)
    {
        ActivityLink[] links = from is null ? [] : [new ActivityLink(from.Context)];
        var flags = from is null || from.Recorded ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None;
        return Source.StartActivity(name, ActivityKind.Internal, new ActivityContext(trace, default, flags), links: links)?.SetTag(Commission, commission);
    }
}
