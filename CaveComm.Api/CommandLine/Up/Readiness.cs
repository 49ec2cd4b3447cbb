using System.Net;

namespace CaveComm.Api.CommandLine.Up;

/// <summary>Asks the product over HTTP, as its users will, whether it is ready.</summary>
internal static class Readiness
{
    private static readonly TimeSpan Murmur = TimeSpan.FromSeconds(15);

    /// <param name="ended">Cancelled when the product gives up.</param>
    public static async Task Wait(Uri url, CancellationToken ended, CancellationToken cancel)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        using var every = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var told = TimeProvider.System.GetTimestamp();
        do
        {
            if (ended.IsCancellationRequested)
            {
                cancel.ThrowIfCancellationRequested();
                throw new CommandFailure("The product stopped before it was ready; the log above says why.");
            }

            var lacking = await Ask(client, new Uri(url, "/health/ready"), cancel);
            if (lacking is null)
            {
                return;
            }

            if (TimeProvider.System.GetElapsedTime(told) > Murmur)
            {
                told = TimeProvider.System.GetTimestamp();
                await Console.Error.WriteLineAsync($"cavecomm: not ready yet: {lacking}");
            }
        }
        while (await every.WaitForNextTickAsync(cancel));
    }

    // Null when it is ready; otherwise what it says is missing.
    private static async Task<string?> Ask(HttpClient client, Uri health, CancellationToken cancel)
    {
        try
        {
            using var answer = await client.GetAsync(health, cancel);
            return answer.StatusCode == HttpStatusCode.OK ? null : await answer.Content.ReadAsStringAsync(cancel);
        }
        catch (HttpRequestException refused)
        {
            return refused.Message;
        }
        catch (TaskCanceledException late) when (late.InnerException is TimeoutException)
        {
            return "no answer within ten seconds";
        }
    }
}
