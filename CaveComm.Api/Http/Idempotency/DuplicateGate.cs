namespace CaveComm.Api.Http.Idempotency;

/// <summary>Lets one of several equal requests on this node go on; the others wait here, where they cost no connection.</summary>
internal sealed class DuplicateGate
{
    private readonly Dictionary<string, Turn> turns = new(StringComparer.Ordinal);
    private readonly Lock guard = new();

    /// <returns>To be disposed of when the request has ended; null when the one before it did not end in time.</returns>
    public async Task<IDisposable?> Enter(byte[] row, TimeSpan patience, CancellationToken cancel)
    {
        var turn = Take(Convert.ToHexStringLower(row));
        var entered = false;
        try
        {
            entered = await turn.Free.WaitAsync(patience, cancel);
        }
        finally
        {
            if (!entered)
            {
                Leave(turn);
            }
        }

        return entered ? new Entered(this, turn) : null;
    }

    private Turn Take(string name)
    {
        lock (guard)
        {
            if (!turns.TryGetValue(name, out var turn))
            {
                turns[name] = turn = new Turn(name);
            }

            turn.Takers++;
            return turn;
        }
    }

    private void Leave(Turn turn)
    {
        lock (guard)
        {
            if (--turn.Takers == 0)
            {
                turns.Remove(turn.Name);
                turn.Free.Dispose();
            }
        }
    }

    private sealed class Turn(string name)
    {
        public string Name => name;

        public SemaphoreSlim Free { get; } = new(1);

        public int Takers { get; set; }
    }

    private sealed class Entered(DuplicateGate gate, Turn turn) : IDisposable
    {
        public void Dispose()
        {
            turn.Free.Release();
            gate.Leave(turn);
        }
    }
}
