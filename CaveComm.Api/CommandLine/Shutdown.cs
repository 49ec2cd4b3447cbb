namespace CaveComm.Api.CommandLine;

/// <summary>Stops what was started, last started first, each within its share of the five seconds that a stop may take.</summary>
internal sealed class Shutdown : IAsyncDisposable
{
    private readonly Stack<(string Name, TimeSpan Budget, Func<Task> Stop)> parts = new();

    public void Add(string name, TimeSpan budget, Func<Task> stop) => parts.Push((name, budget, stop));

    public void Add(IDisposable part) => Add("", TimeSpan.FromSeconds(1), () =>
    {
        part.Dispose();
        return Task.CompletedTask;
    });

    public async ValueTask DisposeAsync()
    {
        while (parts.TryPop(out var part))
        {
            try
            {
                await part.Stop().WaitAsync(part.Budget);
            }
            catch (Exception failure)
            {
                // Whatever goes wrong with one part, those below it (PostgreSQL is the lowest) must still be stopped.
                var why = failure is TimeoutException ? $"it took longer than {part.Budget.TotalSeconds:0.#} s" : failure.ToString();
                await Console.Error.WriteLineAsync($"cavecomm: {part.Name} did not stop properly: {why}");
            }
        }
    }
}
