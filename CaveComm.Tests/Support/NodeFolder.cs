using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace CaveComm.Tests.Support;

/// <summary>A client that only Node can run, installed once into a temporary folder. Where Node or the package is not to be had, it says why.</summary>
/// <param name="name">What is asked, for the reason of a skipped test.</param>
/// <param name="resources">What the names of the embedded files begin with.</param>
/// <param name="files">Scripts beside <c>package.json</c> and its lock file.</param>
public abstract class NodeFolder(string name, string resources, params string[] files) : IAsyncLifetime
{
    private const int OldestNode = 20;

    private DirectoryInfo? folder;

    /// <summary>Why it can't be used here; null when it can.</summary>
    public string? Missing { get; private set; }

    public async ValueTask InitializeAsync()
    {
        folder = Directory.CreateTempSubdirectory("cavecomm-node-");
        foreach (var file in files.Append("package.json").Append("package-lock.json"))
        {
            await using var source = typeof(NodeFolder).Assembly.GetManifestResourceStream(resources + file)!;
            await using var target = File.Create(Path.Combine(folder.FullName, file));
            await source.CopyToAsync(target);
        }

        Missing = await FaultOfNode() ?? await FaultOfPackage();
    }

    public ValueTask DisposeAsync()
    {
        folder?.Delete(recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <param name="within">A minute and a half when left out.</param>
    /// <returns>What was said, and how it ended; null when there is no such program.</returns>
    protected async Task<(int Code, string Said)?> Run(string program, string[] arguments, Dictionary<string, string> environment, TimeSpan? within = null)
    {
        var limit = within ?? TimeSpan.FromSeconds(90);
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder!.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (variable, value) in environment)
        {
            start.Environment[variable] = value;
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
            using var deadline = new CancellationTokenSource(limit);
            var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(CancellationToken.None), process.StandardError.ReadToEndAsync(CancellationToken.None));
            try
            {
                await process.WaitForExitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                return (-1, $"{program} took more than {limit.TotalSeconds} seconds. {string.Concat(await said)}");
            }

            return (process.ExitCode, string.Concat(await said));
        }
    }

    private async Task<string?> FaultOfNode()
    {
        if (await Run("node", ["--version"], []) is not (0, var version))
        {
            return $"Node is not here; {name} can't be asked.";
        }

        return int.TryParse(version.Trim().TrimStart('v').Split('.')[0], CultureInfo.InvariantCulture, out var major) && major >= OldestNode
            ? null
            : $"Node {version.Trim()} is here; {name} needs {OldestNode} or newer.";
    }

    private async Task<string?> FaultOfPackage() =>
        await Run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1", "--fetch-timeout=20000"], []) switch
        {
            null => $"npm is not here; {name} can't be installed.",
            (0, _) => null,
            (_, var said) => $"npm could not install {name}: {said[..Math.Min(said.Length, 500)]}",
        };
}
