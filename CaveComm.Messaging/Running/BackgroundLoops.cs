using Microsoft.Extensions.Logging;

namespace CaveComm.Messaging;

/// <summary>Work that goes on until the node stops, and begins again after an error.</summary>
internal sealed class BackgroundLoops(ILogger log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly List<Task> running = [];

    public void Start(string name, Func<CancellationToken, Task> body, CancellationToken cancel) =>
        running.Add(Task.Run(() => Repeat(name, body, cancel), CancellationToken.None));

    public Task End() => Task.WhenAll(running);

    private async Task Repeat(string name, Func<CancellationToken, Task> body, CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await body(cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                log.LogError(failure, "Messaging's {Loop} failed; it starts again", name);
                await Task.WhenAny(Task.Delay(Pause, cancel));
            }
        }
    }
}
