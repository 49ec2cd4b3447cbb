using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace CaveComm.Tests.Sandbox.Stripe;

/// <summary>The real client, installed once into a temporary folder. Where Node or the package is not to be had, it says why.</summary>
public sealed class StripeNodeClient : IAsyncLifetime
{
    private const int OldestNode = 20;

    private static readonly string[] Files = ["package.json", "package-lock.json", "client.mjs", "scenarios.mjs", "plans.mjs"];

    private DirectoryInfo? folder;

    /// <summary>Why it can't be used here; null when it can.</summary>
    public string? Missing { get; private set; }

    public async ValueTask InitializeAsync()
    {
        folder = Directory.CreateTempSubdirectory("cavecomm-node-");
        foreach (var file in Files)
        {
            await using var source = typeof(StripeNodeClient).Assembly.GetManifestResourceStream("node/" + file)!;
            await using var target = File.Create(Path.Combine(folder.FullName, file));
            await source.CopyToAsync(target);
        }

        Missing = await FaultOfNode() ?? await FaultOfPackage();
    }

    /// <returns>What the scenario said, and how it ended.</returns>
    internal Task<(int Code, string Said)?> Run(string scenario, StripeSandbox stripe) => Run("node", ["scenarios.mjs", scenario], new()
    {
        ["SANDBOX_URL"] = stripe.Http.BaseAddress!.AbsoluteUri,
        ["SANDBOX_KEY"] = StripeSandbox.Key,
    });

    public ValueTask DisposeAsync()
    {
        folder?.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task<string?> FaultOfNode()
    {
        if (await Run("node", ["--version"], []) is not (0, var version))
        {
            return "Node is not here; the real Stripe client can't be asked.";
        }

        return int.TryParse(version.Trim().TrimStart('v').Split('.')[0], CultureInfo.InvariantCulture, out var major) && major >= OldestNode
            ? null
            : $"Node {version.Trim()} is here; the real Stripe client needs {OldestNode} or newer.";
    }

    private async Task<string?> FaultOfPackage() =>
        await Run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1", "--fetch-timeout=20000"], []) switch
        {
            null => "npm is not here; the real Stripe client can't be installed.",
            (0, _) => null,
            (_, var said) => $"npm could not install the real Stripe client: {said[..Math.Min(said.Length, 500)]}",
        };

    /// <returns>Null when there is no such program.</returns>
    private async Task<(int Code, string Said)?> Run(string program, string[] arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder!.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            return null;
        }

        using (process)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(90));
            var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(CancellationToken.None), process.StandardError.ReadToEndAsync(CancellationToken.None));
            try
            {
                await process.WaitForExitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                return (-1, $"{program} took more than 90 seconds. {string.Concat(await said)}");
            }

            return (process.ExitCode, string.Concat(await said));
        }
    }
}
