using System.Threading.Channels;

namespace CaveComm.Messaging;

/// <summary>One queue on this node: what waits in hand, who works on it, and when to leave it alone.</summary>
internal sealed class QueueRunner(QueueOptions options, Func<Delivery, QueueRunner, Task> run, Action roomAgain)
{
    private const int MostAhead = 200;
    private const double AheadMilliseconds = 50;

    private readonly Channel<Delivery> waiting = Channel.CreateUnbounded<Delivery>();
    private double averageMilliseconds = 1;
    private int held;
    private int failuresInARow;
    private long brokenUntil;
    private bool trial;
    private volatile bool starved;

    public string Name => options.Name;

    public bool HasRoom => Room > 0;

    /// <summary>How many more messages may be taken: some ahead where handlers are quick, none where they are slow, so that other nodes get their share.</summary>
    public int Room => IsBroken ? 0 : Math.Max(0, Capacity - Volatile.Read(ref held));

    public bool IsHalfEmpty => !IsBroken && Volatile.Read(ref held) <= Capacity / 2;

    public bool IsBroken => Environment.TickCount64 < Volatile.Read(ref brokenUntil);

    public TimeSpan BreakLeft => TimeSpan.FromMilliseconds(Math.Max(0, Volatile.Read(ref brokenUntil) - Environment.TickCount64));

    private int Capacity => Volatile.Read(ref trial)
        ? 1
        : options.Parallel + (int)Math.Clamp(options.Parallel * AheadMilliseconds / Math.Max(0.1, Volatile.Read(ref averageMilliseconds)), 0, MostAhead);

    public void Add(Delivery delivery)
    {
        Interlocked.Increment(ref held);
        MessagingDiagnostics.InHand.Add(1);
        waiting.Writer.TryWrite(delivery);
    }

    /// <summary>More is in the table than there was room for: say so when there is room again.</summary>
    public void Starve() => starved = true;

    public Task[] Start(CancellationToken stop) => [.. Enumerable.Range(0, options.Parallel).Select(_ => Task.Run(() => Work(stop), CancellationToken.None))];

    /// <summary>Feeds the circuit breaker.</summary>
    public void Note(bool succeeded)
    {
        if (options.BreakAfterFailures is not { } limit)
        {
            return;
        }

        if (succeeded)
        {
            Volatile.Write(ref failuresInARow, 0);
            Volatile.Write(ref trial, false);
        }
        else if (Interlocked.Increment(ref failuresInARow) >= limit)
        {
            Volatile.Write(ref trial, true);
            Volatile.Write(ref brokenUntil, Environment.TickCount64 + (long)options.BreakPause.TotalMilliseconds);
            starved = true;
        }
    }

    private async Task Work(CancellationToken stop)
    {
        try
        {
            while (await waiting.Reader.WaitToReadAsync(stop))
            {
                while (!stop.IsCancellationRequested && waiting.Reader.TryRead(out var delivery))
                {
                    var began = Environment.TickCount64;
                    try
                    {
                        await run(delivery, this);
                    }
                    finally
                    {
                        Left(Environment.TickCount64 - began);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The node stops; what is left here goes back to the table.
        }
    }

    private void Left(long milliseconds)
    {
        // A rough moving average is enough, so a lost update does no harm.
        Volatile.Write(ref averageMilliseconds, (Volatile.Read(ref averageMilliseconds) * 0.95) + (milliseconds * 0.05));
        MessagingDiagnostics.InHand.Add(-1);
        Interlocked.Decrement(ref held);
        if (starved && IsHalfEmpty)
        {
            starved = false;
            roomAgain();
        }
    }
}
