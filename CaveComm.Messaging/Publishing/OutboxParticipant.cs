using CaveComm.EventStore;
using Npgsql;

namespace CaveComm.Messaging;

/// <summary>Messages that leave with a session's commit, and, for a handler, the end of the message it works on.</summary>
internal sealed class OutboxParticipant(MessagingNode node, Delivery? delivery) : ITransactionParticipant
{
    private readonly List<OutgoingMessage> messages = [];
    private IDocumentSession? session;
    private IReadOnlyList<OutgoingMessage> asked = [];
    private bool enlisted;

    /// <summary>True while the handler runs: its session is saved once, by the worker, after it returned.</summary>
    public bool HandlerRuns { get; set; }

    public bool IsEmpty => messages.Count == 0;

    public IDocumentSession? Session => session;

    public void Join(IDocumentSession joined)
    {
        session = joined;
        enlisted = false;
        if (delivery is not null || messages.Count > 0 || HandlerRuns)
        {
            Enlist();
        }
    }

    public void Add(OutgoingMessage message)
    {
        messages.Add(message);
        Enlist();
    }

    public void AddTo(NpgsqlBatch batch)
    {
        if (HandlerRuns)
        {
            throw new InvalidOperationException("A handler does not save its session: its work commits with the message after it has returned.");
        }

        if (delivery is not null)
        {
            DeliveryCommands.AddFencedDelete(batch, delivery, node.Id);
        }

        asked = MessageInserts.AddTo(batch, messages, node, delivery);
    }

    public ValueTask ReadRows(NpgsqlDataReader rows, CancellationToken cancel) => MessageInserts.ReadAnswers(rows, asked, cancel);

    public Exception? Translate(PostgresException error) => delivery is not null && DeliveryCommands.IsLost(error) ? new MessageLeaseLostException(delivery.Id, error) : null;

    public void Committed()
    {
        enlisted = false; // A participant joins one save.
        var sent = messages.ToArray();
        messages.Clear();
        node.AfterCommit(sent);
    }

    /// <summary>Commits without a session: the messages and the end of the one that was handled, in a transaction of their own.</summary>
    public async Task CommitAlone(CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await node.Execute(AddTo, ReadRows, cancel);
                break;
            }
            catch (PostgresException error) when (Translate(error) is { } translated)
            {
                throw translated;
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.DeadlockDetected && attempt < 5)
            {
                // Two that remember duplicates and join groups, each in its own order: one of them has to step back.
            }
        }

        Committed();
    }

    private void Enlist()
    {
        if (session is not null && !enlisted)
        {
            ((ISessionTransaction)session).Enlist(this);
            enlisted = true;
        }
    }
}
