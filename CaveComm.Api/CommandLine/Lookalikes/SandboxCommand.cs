using System.CommandLine;
using CaveComm.Sandbox.PostgreSql;

namespace CaveComm.Api.CommandLine.Lookalikes;

/// <summary>Runs only what surrounds the product, so that the product can be killed, restarted or run as several nodes beside it.</summary>
internal static class SandboxCommand
{
    public static Command Build()
    {
        var data = CommonOptions.Data();
        var command = new Command("sandbox", "Run only the look-alikes and the private PostgreSQL; products join with 'up --no-sandbox'.") { data };
        command.SetAction((parsed, cancel) => Run(DataFolder.Open(parsed.GetRequiredValue(data)), cancel));
        return command;
    }

    private static async Task<int> Run(DataFolder data, CancellationToken cancel)
    {
        var configuration = OperatorConfiguration.Load();
        if (OperatorConfiguration.IsProduction)
        {
            throw new CommandFailure("The look-alikes never run in Production. Unset ASPNETCORE_ENVIRONMENT to try CaveComm on this machine.");
        }

        await using var shutdown = new Shutdown();
        var owner = await RunningSandbox.Own(data, cancel);
        shutdown.Add(owner);
        if (!configuration.Has("ConnectionStrings:CaveComm"))
        {
            var postgres = await PrivatePostgres.Start(data.Path, cancel);
            shutdown.Add("PostgreSQL", TimeSpan.FromSeconds(4.5), async () => await postgres.DisposeAsync());
        }

        var sandbox = await RunningSandbox.Start(data, owner, cancel);
        shutdown.Add("the sandbox", TimeSpan.FromSeconds(1.5), async () => await sandbox.DisposeAsync());
        var (door, control) = await SandboxControl.Open(sandbox, cancel);
        shutdown.Add("the sandbox's control", TimeSpan.FromSeconds(0.5), async () => await door.DisposeAsync());
        await DataFolder.Write(data.SandboxFile, sandbox.Addresses with { Control = control }, cancel);
        shutdown.Add("sandbox.json", TimeSpan.FromSeconds(0.5), () =>
        {
            File.Delete(data.SandboxFile);
            return Task.CompletedTask;
        });

        Console.WriteLine($"The sandbox is ready for products on {data.Path}: ./cavecomm up --no-sandbox --data {data.Path}");
        Console.WriteLine($"  Stripe look-alike  {sandbox.Addresses.StripeUrl}");
        Console.WriteLine($"  BTCPay look-alike  {sandbox.Addresses.BtcPayUrl}");
        Console.WriteLine($"  Mailbox            {sandbox.Addresses.MailUrl}");
        await Until(cancel);
        return ExitCode.Success;
    }

    /// <summary>Waits until the command is asked to end.</summary>
    internal static async Task Until(CancellationToken asked)
    {
        var ended = new TaskCompletionSource();
        await using (asked.Register(ended.SetResult))
        {
            await ended.Task;
        }
    }
}
