using CaveComm.Sandbox.Storage;

namespace CaveComm.Api.CommandLine.Up;

/// <summary>One node of a data folder stands in up.json and gets the sandbox's webhooks; when it ends or dies, another takes that over.</summary>
internal sealed class Announcement : IAsyncDisposable
{
    private readonly DataFolder data;
    private readonly UpFile facts;
    private readonly Func<CancellationToken, Task> askForWebhooks;
    private readonly CancellationTokenSource ending = new();
    private FileLock? held;
    private Task taking = Task.CompletedTask;

    private Announcement(DataFolder data, UpFile facts, Func<CancellationToken, Task> askForWebhooks)
    {
        this.data = data;
        this.facts = facts;
        this.askForWebhooks = askForWebhooks;
    }

    /// <summary>Takes the place when it is free, and waits for it otherwise. The webhooks come from now on; up.json only when told.</summary>
    public static async Task<Announcement> Make(
        DataFolder data, UpFile facts, Func<CancellationToken, Task> askForWebhooks, CancellationToken cancel)
    {
        var made = new Announcement(data, facts, askForWebhooks) { held = FileLock.TryTake(data.UpLock) };
        if (made.held is not null)
        {
            await askForWebhooks(cancel);
        }

        return made;
    }

    /// <summary>To be called when the product is ready: until then nobody should find it.</summary>
    public async Task Publish(CancellationToken cancel)
    {
        if (held is not null)
        {
            await DataFolder.Write(data.UpFile, facts, cancel);
        }
        else
        {
            taking = TakeOver(ending.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        try
        {
            await taking;
        }
        catch (OperationCanceledException)
        {
            // It never came to this node.
        }

        if (held is not null)
        {
            File.Delete(data.UpFile);
            held.Dispose();
        }

        ending.Dispose();
    }

    private async Task TakeOver(CancellationToken cancel)
    {
        using var every = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        while (await every.WaitForNextTickAsync(cancel))
        {
            if (FileLock.TryTake(data.UpLock) is not { } taken)
            {
                continue;
            }

            held = taken;
            await DataFolder.Write(data.UpFile, facts, cancel);
            try
            {
                await askForWebhooks(cancel);
            }
            catch (HttpRequestException gone)
            {
                await Console.Error.WriteLineAsync($"cavecomm: the sandbox could not be asked for webhooks: {gone.Message}");
            }

            return;
        }
    }
}
