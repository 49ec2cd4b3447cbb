using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace CaveComm.Messaging;

/// <summary>Traces and figures under the name <c>CaveComm.Messaging</c>.</summary>
public static class MessagingDiagnostics
{
    public const string Name = "CaveComm.Messaging";

    internal static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);

    internal static readonly Counter<long> Published = Meter.CreateCounter<long>("cavecomm.messages.published");
    internal static readonly Counter<long> Handled = Meter.CreateCounter<long>("cavecomm.messages.handled");
    internal static readonly Counter<long> Failed = Meter.CreateCounter<long>("cavecomm.messages.failed", description: "Attempts that threw.");
    internal static readonly Counter<long> Dead = Meter.CreateCounter<long>("cavecomm.messages.dead", description: "Messages given up for a person to look at.");
    internal static readonly Counter<long> Lost = Meter.CreateCounter<long>("cavecomm.messages.lost", description: "Attempts undone because another node had the message.");
    internal static readonly Histogram<double> HandlerSeconds = Meter.CreateHistogram<double>("cavecomm.messages.handler", "s");
    internal static readonly UpDownCounter<long> InHand = Meter.CreateUpDownCounter<long>("cavecomm.messages.in_hand");

    /// <summary>The handling of a message as a child of its publisher's trace. It runs even when nobody listens, so that calls to others and events carry the trace id on.</summary>
    internal static Activity StartHandling(Envelope envelope)
    {
        var name = $"handle {envelope.MessageType}";
        envelope.Headers.TryGetValue(HeaderNames.TraceState, out var state);
        if (ActivityContext.TryParse(envelope.TraceParent, state, isRemote: true, out var parent)
            && Source.StartActivity(name, ActivityKind.Consumer, parent) is { } listened)
        {
            listened.SetTag("messaging.message.id", envelope.Id).SetTag("messaging.attempt", envelope.Attempt);
            return listened;
        }

        var silent = new Activity(name).SetIdFormat(ActivityIdFormat.W3C).SetParentId(envelope.TraceParent);
        silent.TraceStateString = state;
        return silent.Start();
    }
}
