using System.Diagnostics;
using System.Text.Json;

namespace CaveComm.Messaging;

/// <summary>Turns what was published into rows: type, body, due time, group and trace.</summary>
internal sealed class MessageFactory(MessageCatalog catalog, MessagingOptions options, TimeProvider clock)
{
    /// <param name="sent">A message, or one in a <see cref="DeliveryMessage{T}"/>, whose options then win.</param>
    /// <exception cref="MissingHandlerException">Nobody handles it.</exception>
    public OutgoingMessage Create(object sent, DeliveryOptions? delivery, string? correlation)
    {
        var message = sent;
        while (message is IDeliveryMessage wrapped)
        {
            (message, delivery) = (wrapped.Message, wrapped.Options);
        }

        var type = catalog.For(message.GetType());
        using var publishing = MessagingDiagnostics.Source.StartActivity($"publish {type.Alias}", ActivityKind.Producer);
        var (trace, state) = CurrentTrace();
        var traceId = trace.Substring(3, 32);
        var now = clock.GetUtcNow().ToUniversalTime();
        var due = (delivery?.ScheduledTime ?? (delivery?.ScheduleDelay is { } delay ? now + delay : now)).ToUniversalTime();
        var scheduled = due > now;
        var group = delivery?.GroupId ?? type.Group?.Invoke(message);
        var headers = new Dictionary<string, string>(delivery?.Headers ?? [], StringComparer.Ordinal) { [HeaderNames.TraceParent] = trace };
        if (state is not null)
        {
            headers[HeaderNames.TraceState] = state;
        }

        if (correlation is not null && correlation != traceId)
        {
            headers[HeaderNames.Correlation] = correlation;
        }

        var id = Guid.CreateVersion7();
        publishing?.SetTag("messaging.message.id", id);
        MessagingDiagnostics.Published.Add(1, new KeyValuePair<string, object?>("type", type.Alias));
        return new OutgoingMessage(
            id, type, message, JsonSerializer.SerializeToUtf8Bytes(message, type.Type, options.Json),
            new Envelope(id, type.Alias, 1, group, correlation ?? traceId, trace, headers), JsonSerializer.SerializeToUtf8Bytes(headers),
            scheduled ? due : now, now, scheduled, group, delivery?.DeduplicationId, delivery?.DeduplicationWindow ?? options.DeduplicationWindow);
    }

    /// <summary>The trace that goes with the message; a new one where none is running, so that all that follows can be found together.</summary>
    private static (string Parent, string? State) CurrentTrace() => Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id } current
        ? (id, string.IsNullOrEmpty(current.TraceStateString) ? null : current.TraceStateString)
        : ($"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-00", null);
}

/// <summary>Keys that messaging itself keeps among a message's headers.</summary>
internal static class HeaderNames
{
    public const string TraceParent = "traceparent";
    public const string TraceState = "tracestate";
    public const string Correlation = "correlation";

    /// <summary>The replay by filter that sent a dead letter again.</summary>
    public const string Replay = "cavecomm-replay";
}
