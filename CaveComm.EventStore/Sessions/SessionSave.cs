using Npgsql;

namespace CaveComm.EventStore;

/// <summary>One save of a session: its commands in the order in which they take their locks, and what their errors mean.</summary>
internal sealed class SessionSave(
    DocumentStore store,
    IReadOnlyList<PendingStream> streams,
    IReadOnlyDictionary<(Type Type, string Id), object?> documents,
    IReadOnlySet<(Type Type, string Id)> inserts,
    IReadOnlyList<ITransactionParticipant> participants,
    SaveContext context)
{
    // Whose a command is, a stream's, a participant's or an inserted document's: looked up only for an error.
    private readonly List<(NpgsqlBatchCommand Command, object Owner)> owners = [];

    public async Task Commit(CancellationToken cancel)
    {
        var views = InlineViews();
        var connection = await store.Warm.Take(cancel);
        var isWell = false;
        try
        {
            if (views.Count == 0)
            {
                // Nothing must be read first: one batch, which is one implicit transaction and one round trip.
                await using var batch = new NpgsqlBatch(connection);
                await WriteAtOnce(batch, cancel);
            }
            else
            {
                await using var transaction = await connection.BeginTransactionAsync(cancel);
                await WriteWithViews(transaction, views, cancel);
                await transaction.CommitAsync(cancel);
            }

            isWell = true;
        }
        catch (PostgresException error) when (Meaning(error) is { } meaning)
        {
            isWell = true;
            throw meaning;
        }
        finally
        {
            await store.Warm.GiveBack(connection, isWell);
        }
    }

    /// <summary>Writes in a transaction that somebody else commits.</summary>
    public async Task WriteIn(NpgsqlTransaction transaction, CancellationToken cancel)
    {
        var views = InlineViews();
        try
        {
            if (views.Count == 0)
            {
                await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
                await WriteAtOnce(batch, cancel);
            }
            else
            {
                await WriteWithViews(transaction, views, cancel);
            }
        }
        catch (PostgresException error) when (Meaning(error) is { } meaning)
        {
            throw meaning;
        }
    }

    private async Task WriteAtOnce(NpgsqlBatch batch, CancellationToken cancel)
    {
        AddStreams(batch);
        AddDocuments(batch);
        AddParticipants(batch);
        if (batch.BatchCommands.Count == 0)
            return;
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await ReadPositions(rows, cancel);
        await ReadParticipants(rows, cancel);
    }

    private async Task WriteWithViews(NpgsqlTransaction transaction, IReadOnlyList<ViewWork> views, CancellationToken cancel)
    {
        await using (var batch = new NpgsqlBatch(transaction.Connection, transaction))
        {
            AddStreams(batch);
            foreach (var view in views)
            {
                // Rows that do not exist yet cannot be locked, and the view of many streams has no stream whose lock could stand in.
                batch.BatchCommands.Add(view.LockKeys());
                batch.BatchCommands.Add(view.Load(forUpdate: true));
            }

            await using var rows = await batch.ExecuteReaderAsync(cancel);
            await ReadPositions(rows, cancel);
            foreach (var view in views)
            {
                await rows.NextResultAsync(cancel);
                await view.ReadLoaded(rows, cancel);
                await rows.NextResultAsync(cancel);
            }
        }

        await using (var batch = new NpgsqlBatch(transaction.Connection, transaction))
        {
            foreach (var view in views)
            {
                view.Fold();
                foreach (var write in view.Writes())
                    batch.BatchCommands.Add(write);
            }

            AddDocuments(batch);
            AddParticipants(batch);
            if (batch.BatchCommands.Count > 0)
            {
                await using var rows = await batch.ExecuteReaderAsync(cancel);
                await ReadParticipants(rows, cancel);
            }
        }
    }

    private List<ViewWork> InlineViews()
    {
        var views = new List<ViewWork>();
        foreach (var projection in store.InlineProjections)
        {
            var view = new ViewWork(projection, store.Documents.For(projection.ViewType));
            foreach (var happened in streams.SelectMany(it => it.Events))
                view.Add(happened);
            if (!view.IsEmpty)
                views.Add(view);
        }

        return views;
    }

    private void AddStreams(NpgsqlBatch batch)
    {
        foreach (var stream in streams)
        {
            foreach (var command in stream.Commands(store.EventSql, context))
            {
                owners.Add((command, stream));
                batch.BatchCommands.Add(command);
            }
        }
    }

    private void AddDocuments(NpgsqlBatch batch)
    {
        if (documents.Count == 0)
            return;
        foreach (var ofType in documents.GroupBy(it => it.Key.Type).OrderBy(it => it.Key.FullName, StringComparer.Ordinal))
        {
            var mapping = store.Documents.For(ofType.Key);
            var deletes = ofType.Where(it => it.Value is null).Select(it => it.Key.Id).Order(StringComparer.Ordinal).ToArray();
            var writes = ofType.Where(it => it.Value is not null).OrderBy(it => it.Key.Id, StringComparer.Ordinal)
                .ToLookup(it => inserts.Contains(it.Key), it => new DocumentWrite(it.Key.Id, it.Value!, 0));
            if (deletes.Length > 0)
                batch.BatchCommands.Add(mapping.Delete(deletes));
            if (writes[false].ToList() is { Count: > 0 } stored)
                batch.BatchCommands.Add(mapping.Write(stored));
            if (writes[true].ToList() is { Count: > 0 } inserted)
            {
                var command = mapping.Insert(inserted);
                owners.Add((command, ofType.Key));
                batch.BatchCommands.Add(command);
            }
        }
    }

    private void AddParticipants(NpgsqlBatch batch)
    {
        foreach (var participant in participants)
        {
            var before = batch.BatchCommands.Count;
            participant.AddTo(batch);
            for (var i = before; i < batch.BatchCommands.Count; i++)
                owners.Add((batch.BatchCommands[i], participant));
        }
    }

    private async Task ReadPositions(NpgsqlDataReader rows, CancellationToken cancel)
    {
        foreach (var stream in streams)
        {
            await stream.ReadPositions(rows, cancel);
            await rows.NextResultAsync(cancel);
        }
    }

    private async Task ReadParticipants(NpgsqlDataReader rows, CancellationToken cancel)
    {
        foreach (var participant in participants)
            await participant.ReadRows(rows, cancel);

        // Errors of later commands only come up when their results are asked for.
        while (await rows.NextResultAsync(cancel))
        {
        }
    }

    private Exception? Meaning(PostgresException error)
    {
        if (error.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure)
            return new ConcurrencyException($"Another writer stood in the way: {error.MessageText}", error);
        return owners.Find(it => it.Command == error.BatchCommand).Owner switch
        {
            PendingStream stream => stream.Translate(error),
            Type type when error.SqlState == PostgresErrorCodes.UniqueViolation => new DocumentAlreadyExistsException(type, error),
            ITransactionParticipant participant => participant.Translate(error),
            _ => null,
        };
    }
}
