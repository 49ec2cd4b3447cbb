using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace CaveComm.Messaging;

/// <summary>Gathers what comes in while a batch is under way into the next batch: no wait when calm, few round trips when busy.</summary>
/// <param name="longestPauseMilliseconds">Between attempts while the work fails; the pauses grow up to this.</param>
internal sealed class Coalescer<T>(string name, int most, Func<IReadOnlyList<T>, CancellationToken, Task> work, ILogger log, int longestPauseMilliseconds = 3_200)
{
    private readonly Channel<T> waiting = Channel.CreateUnbounded<T>(new UnboundedChannelOptions { SingleReader = true });

    public void Add(T item) => waiting.Writer.TryWrite(item);

    /// <summary>Nothing more comes in; <see cref="Run"/> ends when all is done.</summary>
    public void Complete() => waiting.Writer.TryComplete();

    public async Task Run(CancellationToken cancel)
    {
        var batch = new List<T>(most);
        while (await waiting.Reader.WaitToReadAsync(cancel))
        {
            while (batch.Count < most && waiting.Reader.TryRead(out var item))
            {
                batch.Add(item);
            }

            await Insist(batch, cancel);
            batch.Clear();
        }
    }

    // The database may be away for minutes. To give up would be to leave a message in this node's hands for ever: nobody else may take what is still held,
    // and nobody here would end it.
    private async Task Insist(List<T> batch, CancellationToken cancel)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await work(batch, cancel);
                return;
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                log.LogError(failure, "{Work} failed for {Count} messages; trying again", name, batch.Count);
                await Task.Delay(Math.Min(50 << Math.Min(attempt, 6), longestPauseMilliseconds), cancel);
            }
        }
    }
}
