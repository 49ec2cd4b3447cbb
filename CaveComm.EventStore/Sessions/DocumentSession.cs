using System.Diagnostics;
using System.Text.Json;

namespace CaveComm.EventStore;

/// <summary>Collects events, documents and participants, and commits them together.</summary>
internal sealed class DocumentSession : QuerySession, IDocumentSession, ISessionTransaction
{
    private readonly SessionEvents events;
    private readonly Dictionary<(Type, string), object?> documents = [];
    private readonly HashSet<(Type, string)> inserts = [];
    private readonly List<ITransactionParticipant> participants = [];
    private ITransactionOwner? owner;

    public DocumentSession(DocumentStore store)
        : base(store) => events = new(store);

    public IEventStoreOperations Events => events;

    IQueryEventStore IQuerySession.Events => events;

    public string? CausationId { get; set; }

    public string? CorrelationId { get; set; }

    public string? LastModifiedBy { get; set; }

    public void Store<T>(params T[] entities)
        where T : notnull
    {
        var mapping = Database.Documents.For(typeof(T));
        foreach (var entity in entities)
            documents[(typeof(T), mapping.IdOf(entity))] = entity; // The last word on a document wins.
    }

    public void Insert<T>(params T[] entities)
        where T : notnull
    {
        Store(entities);
        var mapping = Database.Documents.For(typeof(T));
        foreach (var entity in entities)
            inserts.Add((typeof(T), mapping.IdOf(entity)));
    }

    public void Delete<T>(string id)
        where T : notnull
    {
        _ = Database.Documents.For(typeof(T));
        documents[(typeof(T), id)] = null;
    }

    public void Enlist(ITransactionParticipant participant) => participants.Add(participant);

    public bool WritesOnly(ITransactionParticipant participant) =>
        documents.Count == 0 && participants.TrueForAll(it => it == participant) && events.Pending.Count == 0;

    public void CommitBy(ITransactionOwner owner) => this.owner = owner;

    public async Task SaveChangesAsync(CancellationToken token = default)
    {
        var streams = events.Pending;
        if (streams.Count == 0 && documents.Count == 0 && participants.Count == 0)
            return;

        using var activity = Diagnostics.Source.StartActivity("eventstore save");
        var began = Stopwatch.GetTimestamp();
        IReadOnlyList<ITransactionParticipant> guards;
        try
        {
            guards = await Write(streams, areKeysBorn: true, token);
        }
        catch (PersonalKeyWasThereException)
        {
            guards = await Write(streams, areKeysBorn: false, token);
        }

        var (counted, appended, took) = (streams.Count, streams.Sum(it => it.Events.Count), Stopwatch.GetElapsedTime(began));
        events.Clear();
        documents.Clear();
        inserts.Clear();
        ITransactionParticipant[] joined = [.. guards, .. participants];
        participants.Clear();
        if (owner is null)
            Tell();
        else
            owner.Written(Tell);

        void Tell()
        {
            if (counted > 0)
            {
                Diagnostics.Appended(counted, appended, took);
                Database.Signals.Committed();
            }

            foreach (var participant in joined)
                participant.Committed();
        }
    }

    private async Task<IReadOnlyList<ITransactionParticipant>> Write(IReadOnlyList<PendingStream> streams, bool areKeysBorn, CancellationToken token)
    {
        var seals = await PersonalSeals.For(Database.Personal, streams, areKeysBorn, token);
        ITransactionParticipant[] guards = [.. seals.Guards];
        var save = new SessionSave(Database, streams, documents, inserts, [.. guards, .. participants], Context(seals));
        if (owner is null)
            await save.Commit(token);
        else
            await save.WriteIn(await owner.Begin(token), token);
        return guards;
    }

    private SaveContext Context(PersonalSeals seals)
    {
        var options = Database.Options.JsonSerializerOptions;
        Dictionary<string, string> headers = LastModifiedBy is null ? [] : new() { [HashChain.ActorHeader] = LastModifiedBy };
        return new(
            Microseconds(Database.Time.GetUtcNow()),
            CorrelationId ?? Activity.Current?.TraceId.ToString(),
            CausationId,
            LastModifiedBy,
            headers.Count == 0 ? null : JsonSerializer.SerializeToUtf8Bytes(headers),
            [.. headers.SelectMany(it => new[] { it.Key, it.Value })],
            it => seals.Json(it, options));
    }

    // PostgreSQL keeps microseconds: what the caller sees now must be what is read later.
    private static DateTimeOffset Microseconds(DateTimeOffset instant) => instant.AddTicks(-(instant.Ticks % TimeSpan.TicksPerMicrosecond));
}
