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
        lock (change)
        {
            if (idle is [.., var (last, since)])
            {
                idle.RemoveAt(idle.Count - 1);
                if (last.State == ConnectionState.Open && time.GetElapsedTime(since) < LongestRest)
                    return new(last);
                idle.Add((last, since));
                return Renewed(cancel);
            }
        }

        return pool.OpenConnectionAsync(cancel);
    }

    /// <param name="isWell">Whether it answered all that it was asked. If not, the others may be as broken.</param>
    public async ValueTask GiveBack(NpgsqlConnection connection, bool isWell)
    {
        var isBroken = connection.State != ConnectionState.Open;
        NpgsqlConnection? tooMuch = connection;
        lock (change)
        {
            if (isWell && !isOver)
            {
                idle.Add((connection, time.GetTimestamp()));
                tooMuch = null;
                if (idle.Count > most || time.GetElapsedTime(idle[0].Since) > LongestRest)
                {
                    tooMuch = idle[0].Connection;
                    idle.RemoveAt(0);
                }
            }
        }

        if (tooMuch is not null)
            await tooMuch.DisposeAsync();
        if (isWell)
            return;
        await Forget();

        // When the server was restarted none of them lives: whoever comes next shall not find that out too.
        if (isBroken)
            pool.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        lock (change)
            isOver = true;
        await Forget();
    }

    // The newest has rested too long or is broken, so all have or may be.
    private async ValueTask<NpgsqlConnection> Renewed(CancellationToken cancel)
    {
        await Forget();
        return await pool.OpenConnectionAsync(cancel);
    }

    private async ValueTask Forget()
    {
        NpgsqlConnection[] all;
        lock (change)
        {
            all = [.. idle.Select(it => it.Connection)];
            idle.Clear();
        }

        foreach (var connection in all)
            await connection.DisposeAsync();
    }
}
