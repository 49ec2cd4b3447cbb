using System.CommandLine;
using CaveComm.Api.CommandLine.Lookalikes;

namespace CaveComm.Api.CommandLine.Up;

/// <summary>Runs the product, on a fresh machine with the local defaults.</summary>
internal static class UpCommand
{
    public static Command Build()
    {
        var port = CommonOptions.Port();
        var data = CommonOptions.Data();
        var noSandbox = new Option<bool>("--no-sandbox")
        {
            Description = "Start no look-alikes; those of a running 'sandbox' on the same data folder are used.",
        };
        var command = new Command("up", "Run the product, with a private PostgreSQL and look-alikes of the providers where none are configured.")
        {
            port, data, noSandbox,
        };
        command.SetAction((parsed, cancel) =>
            Run(new UpRequest(parsed.GetRequiredValue(port), parsed.GetRequiredValue(data), !parsed.GetValue(noSandbox)), cancel));
        return command;
    }

    private static async Task<int> Run(UpRequest request, CancellationToken cancel)
    {
        await using var running = await RunningProduct.Start(request, cancel);
        await running.Announcement.Publish(cancel);
        Console.Write(Greeting(running.Facts));
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel, running.Ended);
        await SandboxCommand.Until(ending.Token);

        // A signal reaches the web host too, sometimes before it reaches us: only when none follows did the product end by itself.
        await Task.Delay(TimeSpan.FromMilliseconds(500), cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (cancel.IsCancellationRequested)
        {
            return ExitCode.Success;
        }

        await Console.Error.WriteLineAsync("cavecomm: the product stopped by itself; the log above says why.");
        return ExitCode.Failure;
    }

    internal static string Greeting(UpFile facts)
    {
        var lines = new List<string> { $"CaveComm is ready at {facts.Url}" };
        if (facts is { Stripe: not null, Btcpay: not null, Mail: not null })
        {
            lines.Add($"  Stripe look-alike  {facts.Stripe}");
            lines.Add($"  BTCPay look-alike  {facts.Btcpay}");
            lines.Add($"  Mailbox            {facts.Mail}");
        }

        if (facts.Accounts is { } accounts)
        {
            lines.Add($"  Sign in at {facts.Url}/freelancer/login as");
            lines.AddRange(accounts.All.Select(it => $"    {it.Role,-10}  {it.Account.Username,-8}  {it.Account.Password}"));
        }

        return string.Join(Environment.NewLine, lines) + Environment.NewLine;
    }
}
