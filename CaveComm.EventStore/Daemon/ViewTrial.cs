using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Finds the views that cannot be written, and the event that made each of them so. Nothing that it tries is kept.</summary>
/// <param name="mapping">The table that is tried.</param>
/// <param name="isWithin">Whether the connection has a transaction open, within which it all happens; else each attempt is one of its own.</param>
internal sealed class ViewTrial(NpgsqlConnection connection, DocumentMapping mapping, bool isWithin = false)
{
    // As many as one command writes elsewhere.
    private const int MostAtOnce = 1000;

    /// <summary>Whether a view does not fit, its row or its JSON, as opposed to the database being unable to take anything.</summary>
    public static bool IsRefusal(Exception error) => error switch
    {
        UnwritableDocumentException => true,
        PostgresException { SqlState: PostgresErrorCodes.DivisionByZero } => false, // This one means that another was first.
        PostgresException { SqlState: var state } =>
            state.StartsWith("22", StringComparison.Ordinal) || state.StartsWith("23", StringComparison.Ordinal) || state.StartsWith("54", StringComparison.Ordinal),
        _ => false,
    };

    /// <summary>The keys of the views that are refused: found by halves, since they are few as a rule.</summary>
    public async Task<HashSet<string>> Refused(IReadOnlyList<DocumentWrite> views, CancellationToken cancel)
    {
        var refused = new HashSet<string>(StringComparer.Ordinal);
        var parts = new Stack<DocumentWrite[]>(views.Chunk(MostAtOnce));
        while (parts.TryPop(out var part))
        {
            if (await Refusal(part, cancel) is null)
                continue;
            if (part is [var single])
            {
                refused.Add(single.Id);
                continue;
            }

            parts.Push(part[(part.Length / 2)..]);
            parts.Push(part[..(part.Length / 2)]);
        }

        return refused;
    }

    /// <summary>For each key, the first event after which its view is refused.</summary>
    /// <param name="work">Loaded and not folded yet.</param>
    public async Task<Dictionary<string, RefusedEvent>> FirstRefused(ViewWork work, CancellationToken cancel)
    {
        var found = new Dictionary<string, RefusedEvent>(StringComparer.Ordinal);
        foreach (var key in work.Keys)
        {
            foreach (var (happened, view) in work.Steps(key))
            {
                if (view is not { } changed || await Refusal([changed], cancel) is not { } reason)
                    continue;
                found[key] = new(happened.Sequence, reason);
                break;
            }
        }

        return found;
    }

    /// <returns>Why some views, written together, are refused; null when they are not.</returns>
    public async Task<string?> Refusal(IReadOnlyCollection<DocumentWrite> views, CancellationToken cancel)
    {
        try
        {
            var write = mapping.Write(views);
            await (isWithin ? TryWithin(write, cancel) : TryAlone(write, cancel));
            return null;
        }
        catch (Exception unfit) when (IsRefusal(unfit))
        {
            return StorableText.Of(unfit is PostgresException told ? told.MessageText : unfit.Message);
        }
    }

    private async Task TryAlone(NpgsqlBatchCommand write, CancellationToken cancel)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection, transaction) { BatchCommands = { write } };
        await batch.ExecuteNonQueryAsync(cancel);
    }

    private async Task TryWithin(NpgsqlBatchCommand write, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new("savepoint trial"), write, new("rollback to savepoint trial") } };
        try
        {
            await batch.ExecuteNonQueryAsync(cancel);
        }
        catch (PostgresException unfit) when (IsRefusal(unfit))
        {
            await using var back = new NpgsqlCommand("rollback to savepoint trial", connection);
            await back.ExecuteNonQueryAsync(cancel);
            throw;
        }
    }
}
