using System.Text;
using CaveComm.Api.Payments;
using CaveComm.Domain.Payments;

namespace CaveComm.Api.Recurring;

/// <summary>
/// Walks Stripe's list of events from the last one seen, and stores what no webhook has brought, as the webhook would have (spec P11). Both ways lead to
/// the same stream, so whichever comes second finds that it was told before.
/// </summary>
/// <param name="providers">Found when it is needed.</param>
internal sealed class StripeEvents(Func<IPaymentProviders> providers) : IRecurringWork
{
    public const string Series = "stripe-events";

    /// <summary>Stripe lists no event that is older.</summary>
    internal static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <summary>Webhooks have that long to come by themselves. It also lets the list settle: nothing is sorted in behind the mark any more.</summary>
    internal static readonly TimeSpan Lag = TimeSpan.FromMinutes(5);

    /// <summary>The most that one round reads, a hundred events each. What is left waits for the next.</summary>
    internal const int MostPages = 100;

    private static readonly TimeSpan Spacing = TimeSpan.FromMilliseconds(500);

    public string Name => Series;

    public TimeSpan Every => TimeSpan.FromHours(1);

    public Task<OutgoingMessages> Run(IDocumentSession session, DateTimeOffset now, CancellationToken cancel) => Page(session, providers(), 1, now, cancel);

    /// <summary>One page. The mark moves in the transaction that stores the page's events, so a crash loses neither.</summary>
    /// <param name="page">Which of this round.</param>
    internal static async Task<OutgoingMessages> Page(IDocumentSession session, IPaymentProviders providers, int page, DateTimeOffset now, CancellationToken cancel)
    {
        var messages = new OutgoingMessages();
        if (providers.Find(PaymentProviders.Stripe) is not IProviderEventList list)
        {
            return messages;
        }

        var mark = await session.LoadAsync<EventListMark>(PaymentProviders.Stripe, cancel) ?? new EventListMark(PaymentProviders.Stripe, null, null, null);
        var until = now - Lag;
        if (mark.SeenId is null && mark.CatchingUp is null)
        {
            var oldest = now - Kept;
            mark = mark with { CatchingUp = new CatchingUp(mark.SeenUpTo > oldest ? mark.SeenUpTo.Value : oldest, until, null, null) };
        }

        var listed = await list.ListEvents(mark.Range(until), cancel);
        foreach (var it in listed?.Events ?? [])
        {
            var news = ProviderNews.Of(PaymentProviders.Stripe, it.Reading, Encoding.UTF8.GetBytes(it.Body));
            if (await session.Events.FetchStreamStateAsync(news.Key, cancel) is null)
            {
                news.Store(session);
                if (news.Message is { } message)
                {
                    messages.Add(message);
                }
            }
        }

        var next = mark.After(listed, until);
        session.Store(next);
        if (!next.IsAtEnd(listed) && page < MostPages)
        {
            messages.Delay(new ReadStripeEvents(page + 1), Spacing);
        }

        return messages;
    }
}

/// <summary>The walk goes on where its mark stands.</summary>
/// <param name="Page">Which page of the round this is.</param>
public sealed record ReadStripeEvents(int Page) : IRecurringMessage
{
    public string Series => StripeEvents.Series;
}

public static class ReadStripeEventsHandler
{
    public static Task<OutgoingMessages> Handle(ReadStripeEvents read, IDocumentSession session, IPaymentProviders providers, TimeProvider clock, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(read);
        return StripeEvents.Page(session, providers, read.Page, clock.GetUtcNow(), cancel);
    }
}
