using System.Net;

namespace CaveComm.Sandbox.Webhooks;

/// <summary>What is a provider's own about its webhooks.</summary>
/// <param name="Prepare">
/// Makes the request of one attempt. Called afresh for each, so that a signed time is the sending's, and a redelivery can say that it is one
/// (<see cref="QueuedItem.Attempts"/> counts the attempts before this).
/// </param>
/// <param name="TryAgainAfter">Whether an answer that is not 2xx leads to another attempt. No answer at all always does.</param>
public sealed record WebhookQueueOptions(
    Func<QueuedItem, DateTimeOffset, WebhookPost> Prepare,
    Func<HttpStatusCode, bool> TryAgainAfter)
{
    public RetrySchedule Schedule { get; init; } = RetrySchedule.Sandbox;

    /// <summary>How long the receiver may take to answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>One request to a receiver. The body is JSON text and sent as it stands: the signature is over its bytes.</summary>
public sealed record WebhookPost(string Body, IReadOnlyDictionary<string, string> Headers);
