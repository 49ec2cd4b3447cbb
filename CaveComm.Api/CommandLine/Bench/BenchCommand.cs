using System.CommandLine;
using System.Diagnostics;
using CaveComm.Sandbox.PostgreSql;

namespace CaveComm.Api.CommandLine.Bench;

/// <summary>Runs the benchmarks against a private PostgreSQL with the durable settings that <c>up</c> uses, on a folder of its own.</summary>
internal static class BenchCommand
{
    public static Command Build()
    {
        var only = new Option<string?>("--only") { Description = "Run only the benchmark of this name.", HelpName = "name" };
        var json = new Option<string?>("--json") { Description = "Write the figures to this file too.", HelpName = "file" };
        var command = new Command("bench", "Measure the event store and the messaging on this machine.") { only, json };
        command.SetAction((parsed, cancel) => Run(parsed.GetValue(only), parsed.GetValue(json), cancel));
        return command;
    }

    private static async Task<int> Run(string? only, string? json, CancellationToken cancel)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "CaveComm.Benchmarks.dll");
        if (!File.Exists(program))
        {
            throw new CommandFailure("The benchmarks are not part of this build; ./cavecomm bench builds and runs them.");
        }

        var folder = Directory.CreateTempSubdirectory("cavecomm-bench-");
        await using var shutdown = new Shutdown();
        shutdown.Add("the benchmark's folder", TimeSpan.FromSeconds(10), () =>
        {
            folder.Delete(recursive: true);
            return Task.CompletedTask;
        });
        var postgres = await PrivatePostgres.Start(folder.FullName, cancel);
        shutdown.Add("PostgreSQL", TimeSpan.FromSeconds(10), async () => await postgres.DisposeAsync());

        var start = new ProcessStartInfo(Environment.ProcessPath!, [program, "--database", postgres.ConnectionString]);
        if (only is not null)
        {
            start.ArgumentList.Add("--only");
            start.ArgumentList.Add(only);
        }

        if (json is not null)
        {
            start.ArgumentList.Add("--json");
            start.ArgumentList.Add(Path.GetFullPath(json));
        }

        using var process = Process.Start(start)!;
        try
        {
            await process.WaitForExitAsync(cancel);
            return process.ExitCode;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }
    }
}
