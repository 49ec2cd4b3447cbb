using CaveComm.Domain.Payments;

namespace CaveComm.Api.Recurring;

/// <summary>How far a provider's list of events was read.</summary>
/// <param name="Id">The provider.</param>
/// <param name="SeenId">The newest event that was read; null when there was none, or when the provider has forgotten it.</param>
/// <param name="SeenUpTo">All that happened before was read.</param>
/// <param name="CatchingUp">Set while there is no event to go on from.</param>
public sealed record EventListMark(string Id, string? SeenId, DateTimeOffset? SeenUpTo, CatchingUp? CatchingUp)
{
    internal ProviderEventRange Range(DateTimeOffset until) => CatchingUp is { } it
        ? new ProviderEventRange(null, it.OldestId, it.Since, it.Until)
        : new ProviderEventRange(SeenId, null, null, until);

    /// <summary>The mark after a page.</summary>
    /// <param name="page">Null when the provider no longer knows the event that the page was to begin at.</param>
    internal EventListMark After(ProviderEventPage? page, DateTimeOffset until)
    {
        if (CatchingUp is not { } it)
        {
            return page switch
            {
                // It is too old: begin by the time.
                null => this with { SeenId = null },
                { Events: [var newest, ..] } => this with { SeenId = newest.Id, SeenUpTo = newest.CreatedAt ?? SeenUpTo },
                _ => this with { SeenUpTo = until },
            };
        }

        // A list is read from its newest event down; what is forgotten meanwhile is the oldest, and behind it is nothing.
        var top = it.NewestId ?? (page is { Events: [var first, ..] } ? first.Id : null);
        return page is { HasMore: true, Events: [.., var last] }
            ? this with { CatchingUp = it with { OldestId = last.Id, NewestId = top } }
            : this with { SeenId = top, SeenUpTo = it.Until, CatchingUp = null };
    }

    /// <summary>Whether nothing is left to read after that page.</summary>
    internal bool IsAtEnd(ProviderEventPage? page) => CatchingUp is null && page is not null and not { HasMore: true };
}

/// <summary>Reading by time, from the newest event back to the oldest.</summary>
/// <param name="OldestId">How far it has come.</param>
/// <param name="NewestId">Where reading forward will go on.</param>
public sealed record CatchingUp(DateTimeOffset Since, DateTimeOffset Until, string? OldestId, string? NewestId);
