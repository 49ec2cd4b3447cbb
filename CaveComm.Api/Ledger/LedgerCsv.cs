using System.Globalization;
using System.Text;
using CaveComm.Domain;
using CaveComm.Projections.Ledger;

namespace CaveComm.Api.Ledger;

/// <summary>The ledger as RFC 4180 writes tables, sent while it is read: the oldest commission first, one line for each entry.</summary>
internal sealed class LedgerCsv(IDocumentStore store, string? freelancer) : IResult
{
    public const string MediaType = "text/csv";
    private const string Head = "set,at,requestId,freelancer,event,account,debit,credit,currency\r\n";
    private const int Enough = 64 * 1024;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        var gone = httpContext.RequestAborted;
        httpContext.Response.ContentType = $"{MediaType}; charset=utf-8; header=present";
        httpContext.Response.Headers.ContentDisposition = "attachment; filename=\"ledger.csv\"";
        httpContext.Response.Headers.CacheControl = "no-store";
        await using var session = store.QuerySession();
        var text = new StringBuilder(Head);
        try
        {
            // What breaks half way ends the connection without the last chunk: nobody can take half a ledger for a whole one.
            await foreach (var book in session.LedgerBooks(freelancer, gone))
            {
                foreach (var set in book.Sets)
                {
                    Write(text, book, set);
                }

                if (text.Length >= Enough)
                {
                    await Send();
                }
            }

            await Send();
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            // Nobody listens any more, and nobody has to be told.
        }

        async Task Send()
        {
            await httpContext.Response.WriteAsync(text.ToString(), Encoding.UTF8, gone);
            text.Clear();
        }
    }

    // Debit and credit have columns of their own, so no sum begins with a sign that a spreadsheet would take for a formula.
    private static void Write(StringBuilder text, LedgerBook book, LedgerSet set)
    {
        foreach (var entry in set.Entries)
        {
            var debit = entry.Amount.Minor > 0 ? entry.Amount.ToDecimalString() : "";
            var credit = entry.Amount.Minor < 0 ? (Money.Zero(entry.Amount.Currency) - entry.Amount).ToDecimalString() : "";
            text.Append(
                CultureInfo.InvariantCulture,
                $"{set.Sequence},{set.At.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'},{StreamKey.CommissionId(book.Id)},{Text(book.Freelancer)},{Text(set.Event)},{LedgerEndpoints.NameOf(entry.Account)},{debit},{credit},{entry.Amount.Currency}\r\n");
        }
    }

    /// <summary>Quotes hold a text together, and the apostrophe keeps a spreadsheet from calculating with it.</summary>
    internal static string Text(string value)
    {
        var harmless = value is ['=' or '+' or '-' or '@' or '\t' or '\r' or '\n', ..] ? $"'{value}" : value;
        return $"\"{harmless.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
