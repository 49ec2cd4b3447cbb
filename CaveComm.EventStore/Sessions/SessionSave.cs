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

    public IReadOnlyList<PendingStream> Streams => streams;

    public async Task Commit(CancellationToken cancel)
    {
        var views = InlineViews();
        try
        {
            if (views.Count == 0)
                await store.Commits.Commit(this, cancel);
            else
                await store.Warm.Use(connection => CommitWithViews(connection, views, cancel), cancel);
        }
        catch (PostgresException error) when (Meaning(error) is { } meaning)
        {
            throw meaning;
        }
    }

    /// <summary>Writes in a transaction that somebody else commits.</summary>
    public async Task WriteIn(NpgsqlTransaction transaction, CancellationToken cancel)
    {
        var views = InlineViews();
        try
        {
            if (views.Count == 0)
                await Execute(Commands(), transaction.Connection!, cancel, transaction);
            else
                await WriteWithViews(transaction, views, cancel);
        }
        catch (PostgresException error) when (Meaning(error) is { } meaning)
        {
            throw meaning;
        }
    }

    /// <summary>The commands of a save that needs nothing to be read first.</summary>
    public SaveCommands Commands()
    {
        owners.Clear();
        var batch = new NpgsqlBatch();
        AddStreams(batch);
        var ofStreams = batch.BatchCommands.Count;
        AddDocuments(batch);
        var ofSession = batch.BatchCommands.Count;
        AddParticipants(batch);
        CheckTexts(batch);
        return new(batch, ofStreams, streams.Sum(it => it.Events.Count) + documents.Count + batch.BatchCommands.Count - ofSession);
    }

    /// <summary>Executes them by themselves; without a transaction the batch is one.</summary>
    public async Task Execute(SaveCommands commands, NpgsqlConnection connection, CancellationToken cancel, NpgsqlTransaction? transaction = null)
    {
        await using var batch = commands.Batch;
        if (batch.BatchCommands.Count == 0)
            return;
        (batch.Connection, batch.Transaction) = (connection, transaction);
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await ReadPositions(rows, cancel);
        await ReadParticipants(rows, cancel);
        await ReadToTheEnd(rows, cancel);
    }

    /// <summary>Reads what the commands of its streams answer.</summary>
    /// <param name="rows">Stands before it.</param>
    public async Task ReadPositions(NpgsqlDataReader rows, CancellationToken cancel)
    {
        foreach (var stream in streams)
        {
            await stream.ReadPositions(rows, cancel);
            await rows.NextResultAsync(cancel);
        }
    }

    /// <summary>Lets the participants read what their commands answer.</summary>
    /// <param name="rows">Stands before it, or further ahead.</param>
    public async Task ReadParticipants(NpgsqlDataReader rows, CancellationToken cancel)
    {
        foreach (var participant in participants)
            await participant.ReadRows(rows, cancel);
    }

    /// <summary>Errors of later commands only come up when their results are asked for.</summary>
    public static async Task ReadToTheEnd(NpgsqlDataReader rows, CancellationToken cancel)
    {
        while (await rows.NextResultAsync(cancel))
        {
        }
    }

    private async Task CommitWithViews(NpgsqlConnection connection, IReadOnlyList<ViewWork> views, CancellationToken cancel)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await WriteWithViews(transaction, views, cancel);
        await transaction.CommitAsync(cancel);
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
                await ReadToTheEnd(rows, cancel);
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

    /// <summary>Half of a surrogate pair would break the connection in the middle of a message, for all whose commands are in it.</summary>
    private void CheckTexts(NpgsqlBatch batch)
    {
        foreach (NpgsqlBatchCommand command in batch.BatchCommands)
        {
            foreach (NpgsqlParameter parameter in command.Parameters)
            {
                if (!IsWhole(parameter))
                    throw new InvalidOperationException($"A text of {NameOf(command)} holds half of a surrogate pair, which cannot be stored.");
            }
        }
    }

    private static bool IsWhole(NpgsqlParameter parameter) => parameter switch
    {
        NpgsqlParameter<string?> { TypedValue: var text } => text is null || StorableText.IsWhole(text),
        NpgsqlParameter<string?[]> { TypedValue: { } texts } => Array.TrueForAll(texts, text => text is null || StorableText.IsWhole(text)),
        _ when parameter.GetType() != typeof(NpgsqlParameter) => true, // A typed one of numbers and the like, which are not boxed for this.
        { Value: string text } => StorableText.IsWhole(text),
        { Value: string?[] texts } => Array.TrueForAll(texts, text => text is null || StorableText.IsWhole(text)),
        _ => true,
    };

    private string NameOf(NpgsqlBatchCommand command) => OwnerOf(command) switch
    {
        PendingStream stream => $"stream '{StorableText.Of(stream.Key)}'",
        ITransactionParticipant participant => participant.GetType().Name,
        _ => "a document",
    };

    private object? OwnerOf(NpgsqlBatchCommand? command) => owners.Find(it => it.Command == command).Owner;

    private Exception? Meaning(PostgresException error)
    {
        if (error.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure)
            return new ConcurrencyException($"Another writer stood in the way: {error.MessageText}", error);
        return OwnerOf(error.BatchCommand) switch
        {
            PendingStream stream => stream.Translate(error),
            Type type when error.SqlState == PostgresErrorCodes.UniqueViolation => new DocumentAlreadyExistsException(type, error),
            ITransactionParticipant participant => participant.Translate(error),
            _ => null,
        };
    }
}

/// <summary>What a save has to execute.</summary>
/// <param name="OfStreams">How many of the commands, the first ones, are those of its streams.</param>
/// <param name="Rows">About how much it writes: its events, its documents, and the commands of its participants.</param>
internal sealed record SaveCommands(NpgsqlBatch Batch, int OfStreams, int Rows);
