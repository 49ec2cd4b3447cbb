using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;

namespace CaveComm.Projections.Ledger;

/// <summary>The sets of entries that one commission has made: as small as its life, so it is written with each event.</summary>
/// <param name="Id">The commission's stream; newer commissions have greater keys.</param>
/// <param name="Books">The folded commission, of which the next set is worked out.</param>
/// <param name="IsBalanced">Every set sums to zero in each currency.</param>
public sealed record LedgerBook(string Id, string Freelancer, CommissionBooks Books, bool IsBalanced, IReadOnlyList<LedgerSet> Sets);

/// <summary>What one event moved.</summary>
/// <param name="Sequence">The event's place in the log, which names the set.</param>
/// <param name="Event">The event's stored name.</param>
public sealed record LedgerSet(long Sequence, DateTimeOffset At, string Event, IReadOnlyList<LedgerEntry> Entries);

/// <summary>Keeps the double-entry ledger.</summary>
/// <remarks>What an event moves depends on what the commission was before, so the ledger is kept commission by commission, and summed by freelancer when it is read.</remarks>
public sealed class LedgerProjection : SingleStreamProjection<LedgerBook, string>
{
    public LedgerProjection()
    {
        Version = 3;
        IncludeType<CommissionEvent>();
    }

    public override LedgerBook? Evolve(LedgerBook? snapshot, string id, IEvent e) => (snapshot, e.Data) switch
    {
        (null, CommissionEvent.Requested x) => Booked(new LedgerBook(id, x.Freelancer, CommissionBooks.Initial, IsBalanced: true, []), x, e),
        (not null, CommissionEvent x) => Booked(snapshot, x, e),
        _ => snapshot,
    };

    private static LedgerBook Booked(LedgerBook book, CommissionEvent happened, IEvent e)
    {
        var (after, entries) = book.Books.Book(happened);
        return book with
        {
            Books = after,
            IsBalanced = book.IsBalanced && Domain.Payments.Ledger.IsBalanced(entries),
            Sets = entries is [] ? book.Sets : [.. book.Sets, new LedgerSet(e.Sequence, e.Timestamp, e.EventTypeName, entries)],
        };
    }
}

/// <summary>The ledger's questions.</summary>
public static class LedgerQueries
{
    private const int Batch = 200;

    /// <summary>All books, the oldest commission first, read piece by piece.</summary>
    /// <param name="freelancer">Only this one's; null for all.</param>
    public static IAsyncEnumerable<LedgerBook> LedgerBooks(this IQuerySession session, string? freelancer, CancellationToken cancel) =>
        Read(session, "where (? = '' or freelancer = ?) and (? = '' or id > ? or id = ?) order by id limit ?", freelancer, null, cancel);

    /// <summary>The newest commission first.</summary>
    /// <param name="from">The book to begin with; null for the newest.</param>
    public static IAsyncEnumerable<LedgerBook> NewestLedgerBooks(this IQuerySession session, string? freelancer, string? from, CancellationToken cancel) =>
        Read(session, "where (? = '' or freelancer = ?) and (? = '' or id < ? or id = ?) order by id desc limit ?", freelancer, from, cancel);

    /// <summary>A book with a set that does not sum to zero; null when there is none.</summary>
    public static async Task<LedgerBook?> UnbalancedBook(this IQuerySession session, CancellationToken cancel) =>
        (await session.QueryAsync<LedgerBook>("where is_balanced = false order by id limit 1", cancel)) is [var book, ..] ? book : null;

    private static async IAsyncEnumerable<LedgerBook> Read(
        IQuerySession session, string query, string? freelancer, string? from, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        // The first piece holds the book that it begins with; the others begin behind the last one of the piece before.
        for (var (last, first) = (from ?? "", from ?? ""); ; first = "")
        {
            var books = await session.QueryAsync<LedgerBook>(query, cancel, freelancer ?? "", freelancer ?? "", last, last, first, Batch);
            foreach (var book in books)
            {
                yield return book;
            }

            if (books.Count < Batch)
            {
                yield break;
            }

            last = books[^1].Id;
        }
    }
}
