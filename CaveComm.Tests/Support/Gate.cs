using CaveComm.EventStore;
using Npgsql;

namespace CaveComm.Tests.Support;

/// <summary>Keeps a save waiting within its transaction, so that another one meets it there.</summary>
internal sealed class Gate(TestDatabase database) : ITransactionParticipant
{
    private NpgsqlConnection? keeper;

    public void AddTo(NpgsqlBatch batch) => batch.BatchCommands.Add(new("select pg_advisory_xact_lock_shared(77)"));

    public Exception? Translate(PostgresException error) => null;

    public void Committed()
    {
    }

    /// <summary>Closes the gate and begins a save, which then holds all its locks and waits.</summary>
    /// <param name="after">What the save does when it goes on.</param>
    /// <returns>The save, which goes on when the gate is opened.</returns>
    public async Task<Task> Hold(IDocumentSession session, ITransactionParticipant? after = null)
    {
        keeper = await database.Open();
        await using (var command = new NpgsqlCommand("select pg_advisory_lock(77)", keeper))
        {
            await command.ExecuteNonQueryAsync();
        }

        var transaction = (ISessionTransaction)session;
        transaction.Enlist(this);
        if (after is not null)
        {
            transaction.Enlist(after);
        }

        var saving = session.SaveChangesAsync();
        await Eventually.Holds("the save waits at the gate", () => Waiting("locktype = 'advisory'"));
        return saving;
    }

    /// <summary>Somebody waits for a row that the held save has written.</summary>
    public Task SomebodyWaits(string who) => Eventually.Holds($"{who} waits for the save", () => Waiting("locktype in ('transactionid', 'tuple')"));

    public async Task Open() => await keeper!.DisposeAsync();

    private async Task<bool> Waiting(string forLock) =>
        await database.Scalar<long>($"select count(*) from pg_locks l join pg_stat_activity a using (pid) where a.datname = current_database() and {forLock} and not granted") == 1;
}
