namespace CaveComm.Domain.Payments;

/// <summary>What a provider has told, for those who may have missed a webhook (spec P11). A gateway that keeps such a list implements it.</summary>
public interface IProviderEventList
{
    /// <returns>Null when the provider no longer knows the event that the page was to begin at.</returns>
    Task<ProviderEventPage?> ListEvents(ProviderEventRange range, CancellationToken cancel);
}

/// <summary>Which events; a page of them at a time.</summary>
/// <param name="NewerThan">The page that follows this event towards today.</param>
/// <param name="OlderThan">The page that follows this event towards the past. With neither, the page begins at the newest.</param>
/// <param name="Since">None that happened before.</param>
/// <param name="Until">None that happened after.</param>
public sealed record ProviderEventRange(string? NewerThan, string? OlderThan, DateTimeOffset? Since, DateTimeOffset Until);

/// <param name="Events">Newest first.</param>
/// <param name="HasMore">Whether the next page, in the direction that was asked for, holds any.</param>
public sealed record ProviderEventPage(IReadOnlyList<ListedEvent> Events, bool HasMore);

/// <param name="Reading">As a webhook with the same body would be read.</param>
/// <param name="Body">The event as the provider wrote it.</param>
public sealed record ListedEvent(string Id, DateTimeOffset? CreatedAt, WebhookReading Reading, string Body);
