namespace CaveComm.Messaging;

/// <summary>What is known about a message beside its content. A handler may ask for it as a parameter.</summary>
/// <param name="Id">The message's own id, the same in every attempt. Never an idempotency key for an outside effect: two messages may carry one intent.</param>
/// <param name="MessageType">The stored alias, such as <c>payment-settled</c>.</param>
/// <param name="Attempt">1 for the first try.</param>
/// <param name="CorrelationId">The trace id of the request that began it all, unless the publishing session set another.</param>
/// <param name="TraceParent">W3C trace context of the publisher.</param>
public sealed record Envelope(
    Guid Id, string MessageType, int Attempt, string? GroupId, string CorrelationId, string TraceParent, IReadOnlyDictionary<string, string> Headers);
