using CaveComm.Api.CommandLine.Up;

namespace CaveComm.Api.CommandLine.Demo;

/// <summary>The look-alikes at their worst, through the switches that they have for it.</summary>
/// <param name="MailDownSeconds">From the beginning on.</param>
internal sealed record BadWeather(int TimeoutEvery, int ErrorEvery, int ErrorBeforeEvery, int MailDownSeconds)
{
    /// <summary>How long each step of a story may take then.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>Three, five and seven have no common rhythm, so every kind of call meets every fault.</summary>
    public static BadWeather Usual { get; } = new(TimeoutEvery: 3, ErrorEvery: 5, ErrorBeforeEvery: 7, MailDownSeconds: 60);

    /// <summary>Time limits and pauses for a product that is started for this: with the usual ones most of the story would be waiting.</summary>
    public Dictionary<string, string> Settings { get; } = new()
    {
        ["Stripe:TimeoutSeconds"] = "2",
        ["BTCPay:TimeoutSeconds"] = "2",
        ["Smtp:TimeoutSeconds"] = "5",
        ["Stripe:PauseSeconds"] = "1",
        ["BTCPay:PauseSeconds"] = "1",
        ["Smtp:PauseSeconds"] = "1",

        // Each of the many failed attempts would be a page of the log.
        ["Logging:LogLevel:CaveComm"] = "Error",
    };

    /// <returns>Ends the weather when it is disposed of.</returns>
    public async Task<IAsyncDisposable> Begin(UpFile facts, CancellationToken cancel)
    {
        var providers = new { reset = true, timeoutEvery = TimeoutEvery, errorEvery = ErrorEvery, errorBeforeEvery = ErrorBeforeEvery };
        var storm = new Storm(facts);
        await storm.Set(facts.Stripe, providers, cancel);
        await storm.Set(facts.Btcpay, providers, cancel);
        await storm.Set(facts.Mail, new { reset = true, downSeconds = MailDownSeconds }, cancel);
        Console.WriteLine(
            $"Bad weather: every {TimeoutEvery}rd provider call does its work and never answers, every {ErrorEvery}th does it and answers 500, every {ErrorBeforeEvery}th "
            + $"answers 500 before it; no mail for {MailDownSeconds} s.");
        return storm;
    }

    private sealed class Storm(UpFile facts) : IAsyncDisposable
    {
        private readonly HttpClient client = new() { Timeout = TimeSpan.FromSeconds(10) };

        public async Task Set(string? lookalike, object switches, CancellationToken cancel)
        {
            using var answer = await client.PostAsJsonAsync(new Uri($"{lookalike}/_control"), switches, cancel);
            if (!answer.IsSuccessStatusCode)
            {
                throw new CommandFailure($"{lookalike}/_control answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancel)}");
            }
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var lookalike in new[] { facts.Stripe, facts.Btcpay, facts.Mail })
            {
                await Set(lookalike, new { reset = true }, CancellationToken.None);
            }

            client.Dispose();
        }
    }
}
