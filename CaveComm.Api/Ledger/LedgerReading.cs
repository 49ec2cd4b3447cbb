using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Ledger;

namespace CaveComm.Api.Ledger;

/// <summary>Sums and lines of the books, read piece by piece: only sums and one page are ever in memory.</summary>
internal static class LedgerReading
{
    public static async Task<LedgerModel> Sum(IAsyncEnumerable<LedgerBook> books)
    {
        var all = new Dictionary<(LedgerAccount, string), Turnover>();
        var each = new SortedDictionary<string, Dictionary<(LedgerAccount, string), Turnover>>(StringComparer.Ordinal);
        var (balanced, sets) = (true, 0L);
        await foreach (var book in books)
        {
            balanced &= book.IsBalanced;
            sets += book.Sets.Count;
            if (!each.TryGetValue(book.Freelancer, out var own))
            {
                each[book.Freelancer] = own = [];
            }

            foreach (var entry in book.Sets.SelectMany(set => set.Entries))
            {
                var key = (entry.Account, entry.Amount.Currency);
                all[key] = all.GetValueOrDefault(key).And(entry.Amount);
                own[key] = own.GetValueOrDefault(key).And(entry.Amount);
            }
        }

        return new LedgerModel(balanced, sets, Sums(all), [.. each.Where(it => it.Value.Count > 0).Select(it => new FreelancerLedger(it.Key, Sums(it.Value)))]);
    }

    /// <summary>Lines with an account and currency, the newest commission first and in each the newest set first.</summary>
    /// <param name="after">Begin behind this set of the first book.</param>
    /// <param name="rows">At most so many.</param>
    public static async Task<IReadOnlyList<LedgerLine>> Lines(IAsyncEnumerable<LedgerBook> books, LedgerAccount? account, string? currency, (string Book, long Set)? after, int rows)
    {
        var lines = new List<LedgerLine>();
        await foreach (var book in books)
        {
            lines.AddRange(book.Sets.Reverse()
                .Where(set => after is not { } cursor || book.Id != cursor.Book || set.Sequence < cursor.Set)
                .Where(set => set.Entries.Any(entry => (account is null || entry.Account == account) && (currency is null || entry.Amount.Currency == currency)))
                .Select(set => LineOf(book, set)));
            if (lines.Count >= rows)
            {
                break;
            }
        }

        return [.. lines.Take(rows)];
    }

    public static LedgerLine LineOf(LedgerBook book, LedgerSet set) => new(set.Sequence, set.At, StreamKey.CommissionId(book.Id), book.Freelancer, set.Event, set.Entries);

    private static IReadOnlyList<LedgerSum> Sums(Dictionary<(LedgerAccount Account, string Currency), Turnover> turnovers) =>
    [
        .. turnovers.OrderBy(it => it.Key.Account).ThenBy(it => it.Key.Currency, StringComparer.Ordinal)
            .Select(it => new LedgerSum(it.Key.Account, new Money(it.Value.Debit, it.Key.Currency), new Money(it.Value.Credit, it.Key.Currency), new Money(checked(it.Value.Debit - it.Value.Credit), it.Key.Currency))),
    ];

    private readonly record struct Turnover(long Debit, long Credit)
    {
        public Turnover And(Money amount) => amount.Minor > 0 ? this with { Debit = checked(Debit + amount.Minor) } : this with { Credit = checked(Credit - amount.Minor) };
    }
}
