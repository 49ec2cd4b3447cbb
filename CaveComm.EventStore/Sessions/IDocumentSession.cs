using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Opens sessions on one database.</summary>
public interface IDocumentStore
{
    /// <summary>A unit of work: what it collects is committed by one <see cref="IDocumentSession.SaveChangesAsync"/>, or not at all.</summary>
    IDocumentSession LightweightSession();

    IQuerySession QuerySession();
}

/// <summary>Reads documents (views) and events. It holds no connection between calls.</summary>
public interface IQuerySession : IAsyncDisposable, IDisposable
{
    IQueryEventStore Events { get; }

    Task<T?> LoadAsync<T>(string id, CancellationToken token = default)
        where T : notnull;

    /// <summary>Documents of one type by a hand-written SQL tail, such as <c>where freelancer = ? order by id desc limit ?</c>; <c>?</c> marks a parameter.</summary>
    Task<IReadOnlyList<T>> QueryAsync<T>(string sql, CancellationToken token, params object[] parameters);
}

/// <summary>A unit of work over events, documents and outgoing messages.</summary>
public interface IDocumentSession : IQuerySession
{
    new IEventStoreOperations Events { get; }

    string? CausationId { get; set; }

    string? CorrelationId { get; set; }

    /// <summary>Who acts: recorded in the headers of every event of this session under <c>actor</c>.</summary>
    string? LastModifiedBy { get; set; }

    void Store<T>(params T[] entities)
        where T : notnull;

    /// <summary>As <see cref="Store"/>, for a document that must not be there yet.</summary>
    /// <remarks>Saving throws <see cref="DocumentAlreadyExistsException"/> when somebody else stored one by its id.</remarks>
    void Insert<T>(params T[] entities)
        where T : notnull;

    void Delete<T>(string id)
        where T : notnull;

    /// <summary>Commits everything in one transaction, in one round trip where nothing must be read first.</summary>
    /// <exception cref="EventStreamUnexpectedMaxEventIdException">Another writer was first; load and decide again.</exception>
    /// <exception cref="ExistingStreamIdCollisionException">The stream that was to be started exists.</exception>
    /// <exception cref="DocumentAlreadyExistsException">A document that was to be inserted exists.</exception>
    Task SaveChangesAsync(CancellationToken token = default);
}

/// <summary>Lets another component, such as the message outbox, commit with a session.</summary>
public interface ISessionTransaction
{
    /// <summary>Joins the session's next save.</summary>
    void Enlist(ITransactionParticipant participant);

    /// <summary>Whether the next save would write nothing but what this participant adds.</summary>
    bool WritesOnly(ITransactionParticipant participant);

    /// <summary>Leaves the commit of the session's saves to somebody who has more to write in the same transaction once it is known what a save has written.</summary>
    void CommitBy(ITransactionOwner owner);
}

/// <summary>Opens the transactions of a session's saves, and commits them.</summary>
public interface ITransactionOwner
{
    /// <summary>Opens the transaction in which a save writes, on a connection of <see cref="DocumentStore.DataSource"/>. One that was opened before and not reported as <see cref="Written"/> belongs to a save that failed.</summary>
    Task<NpgsqlTransaction> Begin(CancellationToken cancel);

    /// <summary>A save has written everything, and can be committed. Until then it holds the locks of what it wrote, and readers of the log wait for it.</summary>
    /// <param name="committed">To be called once the transaction is committed: participants and readers are told by it.</param>
    void Written(Action committed);
}

/// <summary>Work that commits together with a session's events and documents.</summary>
public interface ITransactionParticipant
{
    /// <summary>Adds commands to the batch that commits the session. A command that must undo everything raises an SQL error. Asked again where the save is done anew.</summary>
    void AddTo(NpgsqlBatch batch);

    /// <summary>For whoever asks while it writes: the reader stands before the rows of its commands, or further ahead of them. Called before <see cref="Committed"/>. Must not throw: the commit may be done, and others' saves with it.</summary>
    ValueTask ReadRows(NpgsqlDataReader rows, CancellationToken cancel) => ValueTask.CompletedTask;

    /// <summary>Turns an SQL error of this participant's commands into its own exception; null when the error is not its own.</summary>
    Exception? Translate(PostgresException error);

    /// <summary>Called after the commit; must not throw and must not block.</summary>
    void Committed();
}
