using System.Data;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Connections that saves write on and streams are folded from. Who comes next takes the one that was given back last, whose server process has all that it needs at hand.</summary>
/// <param name="most">How many rest here; more writers than that at once go to the pool.</param>
/// <remarks>The pool hands its connections out in turn, so that each meets one that has been idle the longest.</remarks>
internal sealed class WarmConnections(NpgsqlDataSource pool, int most, TimeProvider time) : IAsyncDisposable
{
    // The pool closes in its time what nobody needs any more.
    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(1);

    private readonly Lock change = new();
    private readonly List<(NpgsqlConnection Connection, long Since)> idle = [];
    private bool isOver;

    public ValueTask<NpgsqlConnection> Take(CancellationToken cancel)
    {
        // Who took one and gave up before it asked anything would have the others forgotten.
        cancel.ThrowIfCancellationRequested();
        NpgsqlConnection[] stale;
        lock (change)
        {
            if (idle is [.., var (last, since)] && last.State == ConnectionState.Open && time.GetElapsedTime(since) < LongestRest)
            {
                idle.RemoveAt(idle.Count - 1);
                return new(last);
            }

            stale = All(); // The newest has rested too long or is broken, so all have or may be.
        }

        return stale.Length == 0 ? pool.OpenConnectionAsync(cancel) : Instead(stale, cancel);
    }

    /// <summary>Whether the server has refused what it was asked and undone it, for certain. An error that comes with the connection's end may have come after the commit; poolers tell such as any other.</summary>
    public static bool HasRefused(NpgsqlConnection connection, PostgresException error) =>
        error.InvariantSeverity == "ERROR" && !error.SqlState.StartsWith("08", StringComparison.Ordinal) && connection.State == ConnectionState.Open;

    /// <summary>Works on one, and gives it back.</summary>
    public async Task Use(Func<NpgsqlConnection, Task> work, CancellationToken cancel)
    {
        var connection = await Take(cancel);
        var isWell = false;
        try
        {
            await work(connection);
            isWell = true;
        }
        catch (PostgresException error) when (HasRefused(connection, error))
        {
            isWell = true;
            throw;
        }
        finally
        {
            await GiveBack(connection, isWell);
        }
    }

    /// <param name="isWell">Whether it answered all that it was asked. If not, the others may be as broken.</param>
    public async ValueTask GiveBack(NpgsqlConnection connection, bool isWell)
    {
        var isBroken = connection.State != ConnectionState.Open;
        NpgsqlConnection[] tooMuch;
        lock (change)
            tooMuch = !isWell ? [connection, .. All()] : isOver ? [connection] : Rest(connection);

        await ToThePool(tooMuch);

        // When the server was restarted none of them lives: whoever comes next shall not find that out too.
        if (!isWell && isBroken)
            pool.Clear();
    }

    /// <summary>What is in use meanwhile goes to the pool when it is given back.</summary>
    public ValueTask DisposeAsync()
    {
        NpgsqlConnection[] all;
        lock (change)
            (isOver, all) = (true, All());
        return ToThePool(all);
    }

    private async ValueTask<NpgsqlConnection> Instead(NpgsqlConnection[] stale, CancellationToken cancel)
    {
        await ToThePool(stale);
        return await pool.OpenConnectionAsync(cancel);
    }

    private static async ValueTask ToThePool(NpgsqlConnection[] connections)
    {
        foreach (var connection in connections)
            await connection.DisposeAsync();
    }

    /// <summary>Lets it rest. Under the lock.</summary>
    /// <returns>The one that has rested the longest, where it is one too many or has rested too long.</returns>
    private NpgsqlConnection[] Rest(NpgsqlConnection connection)
    {
        idle.Add((connection, time.GetTimestamp()));
        var (oldest, since) = idle[0];
        if (idle.Count <= most && time.GetElapsedTime(since) <= LongestRest)
            return [];
        idle.RemoveAt(0);
        return [oldest];
    }

    /// <summary>Takes all that rest. Under the lock.</summary>
    private NpgsqlConnection[] All()
    {
        NpgsqlConnection[] all = [.. idle.Select(it => it.Connection)];
        idle.Clear();
        return all;
    }
}
