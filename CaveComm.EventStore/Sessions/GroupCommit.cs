using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Commits saves: each by itself and at once while few do so, and those that come while many are under way together, as the next one.</summary>
/// <remarks>
/// <para>A commit costs more than the rows of a small save. Nobody is kept waiting for company: only who would share the processors with the commits before goes with others.</para>
/// <para>
/// Nobody suffers by company either. What the server refuses is undone as a whole, and then each goes alone, so that an error is told to the one it is about. Together
/// they wait for a lock only briefly, since who holds it has nothing to do with most of them; the one that must wait does so alone. That also ends a deadlock of two
/// groups which lock the same rows in another order. Where the outcome is unknown since the connection was lost, it is unknown to all of them, as it would be to each.
/// </para>
/// </remarks>
internal sealed class GroupCommit : IDisposable
{
    private const int MostSaves = 32;
    private const int MostRows = 64;
    private const string WaitBriefly = "select set_config('lock_timeout', '20ms', true)";

    // Fewer leave processors idle while others wait for the disk or for a lock; more only share the same processors.
    private static readonly int MostAtOnce = 2 * Environment.ProcessorCount;

    // A commit that takes longer has met something slow, and those behind it go on without it.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(5);

    private readonly WarmConnections connections;
    private readonly Lock change = new();
    private readonly List<Waiting> queue = [];
    private readonly ITimer impatience;
    private readonly List<IReadOnlyList<Waiting>> underWay = []; // Those that have not tried the others' patience.

    public GroupCommit(WarmConnections connections)
    {
        this.connections = connections;

        // By the system's clock in any case: a test's, which stands still, must stop no saves.
        impatience = TimeProvider.System.CreateTimer(_ => LosePatience(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Commits a save that needs nothing to be read first.</summary>
    /// <param name="cancel">Ends a save that waits, and one that goes alone. With others it is not for one of them to say.</param>
    public Task Commit(SessionSave save, CancellationToken cancel)
    {
        var waiting = new Waiting(save, save.Commands(), cancel);
        if (waiting.Commands.Rows == 0)
            return Task.CompletedTask;
        if (waiting.Commands.Rows > MostRows)
            return Alone(waiting, waiting.Commands);
        IReadOnlyList<Waiting> alone = [waiting];
        lock (change)
        {
            if (underWay.Count == MostAtOnce)
            {
                queue.Add(waiting);
                if (queue.Count == 1)
                    impatience.Change(Patience, Timeout.InfiniteTimeSpan);
                return waiting.Outcome;
            }

            underWay.Add(alone);
        }

        return AtOnce(alone);
    }

    public void Dispose() => impatience.Dispose();

    private async Task AtOnce(IReadOnlyList<Waiting> alone)
    {
        try
        {
            await Alone(alone[0], alone[0].Commands);
        }
        finally
        {
            Ended(alone);
        }
    }

    private async Task Run(IReadOnlyList<Waiting> group)
    {
        if (group is [var only])
            await only.Settle(() => Alone(only, only.Commands));
        else
            await Settle(group);
        Ended(group);
    }

    private async Task Settle(IReadOnlyList<Waiting> group)
    {
        var together = Together(group);
        var isRefused = false;
        try
        {
            isRefused = !await together;
        }
        catch (Exception)
        {
            // Nobody knows what has become of it. Each of them is told below, and nothing is done again.
        }

        foreach (var each in group)
            _ = each.Settle(() => isRefused ? Alone(each, each.Save.Commands()) : together);
    }

    private Task Alone(Waiting it, SaveCommands commands) =>
        connections.Use(connection => it.Save.Execute(commands, connection, it.Cancel), it.Cancel);

    /// <returns>False when the server refused it for the sake of one of them, and nothing is done.</returns>
    private async Task<bool> Together(IReadOnlyList<Waiting> group)
    {
        var isRefused = false;
        await connections.Use(
            async connection =>
            {
                try
                {
                    await Execute(group, connection);
                }
                catch (PostgresException error) when (WarmConnections.HasRefused(connection, error))
                {
                    isRefused = true;
                }
            },
            CancellationToken.None);
        return !isRefused;
    }

    private static async Task Execute(IReadOnlyList<Waiting> group, NpgsqlConnection connection)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new(WaitBriefly) } };
        foreach (var own in group.Select(it => it.Commands))
            for (var i = 0; i < own.OfStreams; i++)
                batch.BatchCommands.Add(own.Batch.BatchCommands[i]);
        foreach (var own in group.Select(it => it.Commands))
            for (var i = own.OfStreams; i < own.Batch.BatchCommands.Count; i++)
                batch.BatchCommands.Add(own.Batch.BatchCommands[i]);
        await using var rows = await batch.ExecuteReaderAsync();
        await rows.NextResultAsync(); // Past the setting.
        foreach (var each in group)
            await each.Save.ReadPositions(rows, CancellationToken.None);
        foreach (var each in group)
            await each.Save.ReadParticipants(rows, CancellationToken.None);
        await SessionSave.ReadToTheEnd(rows, CancellationToken.None);
    }

    /// <summary>A commit has ended, one way or the other.</summary>
    private void Ended(IReadOnlyList<Waiting> commit)
    {
        lock (change)
        {
            if (underWay.Remove(commit)) // Else the others lost patience with it.
                Next();
        }
    }

    private void LosePatience()
    {
        lock (change)
        {
            underWay.Clear();
            Next();
        }
    }

    /// <summary>Begins the next commit, if anybody waits for one. Under the lock.</summary>
    private void Next()
    {
        if (queue.Count == 0)
            return;
        var group = Take();
        if (queue.Count > 0)
            impatience.Change(Patience, Timeout.InfiniteTimeSpan);
        if (group.Count == 0)
            return;
        underWay.Add(group);

        // Apart from whoever has just ended, and outside of its trace.
        ThreadPool.UnsafeQueueUserWorkItem(static it => _ = it.Commits.Run(it.Group), (Commits: this, Group: group), preferLocal: false);
    }

    /// <summary>Takes out of the queue who goes together: the first, and those that write to no stream that one of the others, or a commit under way, writes to. Under the lock.</summary>
    private List<Waiting> Take()
    {
        var (group, streams, rows) = (new List<Waiting>(), new HashSet<string>(StringComparer.Ordinal), 0);
        foreach (var each in underWay.SelectMany(it => it))
            foreach (var stream in each.Save.Streams)
                streams.Add(stream.Key);
        queue.RemoveAll(waiting =>
        {
            if (group.Count == MostSaves || rows >= MostRows)
                return false;
            if (waiting.HasGivenUp())
                return true;

            // Of two that have read the same version of a stream the second is to be refused, and shall not undo the first.
            foreach (var stream in waiting.Save.Streams)
                if (streams.Contains(stream.Key))
                    return false;
            foreach (var stream in waiting.Save.Streams)
                streams.Add(stream.Key);
            group.Add(waiting);
            rows += waiting.Commands.Rows;
            return true;
        });
        return group;
    }

    private sealed class Waiting(SessionSave save, SaveCommands commands, CancellationToken cancel)
    {
        private readonly TaskCompletionSource outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public SessionSave Save => save;

        public SaveCommands Commands => commands;

        public CancellationToken Cancel => cancel;

        public Task Outcome => outcome.Task;

        public async Task Settle(Func<Task> commit)
        {
            try
            {
                await commit();
                outcome.SetResult();
            }
            catch (Exception error)
            {
                outcome.SetException(error);
            }
        }

        /// <summary>Whether its saver has cancelled it, who is told so.</summary>
        public bool HasGivenUp() => cancel.IsCancellationRequested && outcome.TrySetCanceled(cancel);
    }
}
