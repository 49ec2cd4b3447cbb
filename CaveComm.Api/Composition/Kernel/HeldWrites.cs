using CaveComm.Api.Http.Idempotency;
using Npgsql;

namespace CaveComm.Api.Composition;

/// <summary>
/// An act of one transaction is held before its commit until the answer is made, and both are committed together: there is no moment at which one is
/// there without the other. An act of several steps notes its key with the first of them.
/// </summary>
internal sealed class HeldWrites(AnswerTable table) : KeyedWrites(table), ITransactionOwner
{
    private Action? committed;

    public override void Enroll(IDocumentSession session)
    {
        if (Request is not { } request)
        {
            return;
        }

        var transaction = (ISessionTransaction)session;
        if (request.InSteps)
        {
            transaction.Enlist(new KeyNote(Table, request));
            HasWritten = true;
        }
        else
        {
            transaction.CommitBy(this);
        }
    }

    public async Task<NpgsqlTransaction> Begin(CancellationToken cancel) => committed is null
        ? (await Hold(cancel)).Transaction
        : throw new InvalidOperationException("This act saves twice: its answer is to be kept after steps.");

    public void Written(Action committed)
    {
        this.committed = committed;
        HasWritten = true;
    }

    public override async Task Keep(byte[] sealedAnswer)
    {
        if (committed is null && Request is { InSteps: false })
        {
            // Nothing was written, or what was written lost a race and was refused when it was decided anew.
            await Drop();
        }

        var tell = committed;
        await base.Keep(sealedAnswer);
        tell?.Invoke();
    }

    public override Task Drop()
    {
        committed = null;
        HasWritten = false;
        return base.Drop();
    }

    protected override bool HoldsFromTheBeginning(KeyedRequest request) => request.InSteps;

    private sealed class KeyNote(AnswerTable table, KeyedRequest request) : ITransactionParticipant
    {
        public void AddTo(NpgsqlBatch batch) => batch.BatchCommands.Add(table.Note(request));

        public Exception? Translate(PostgresException error) => null;

        public void Committed()
        {
        }
    }
}
