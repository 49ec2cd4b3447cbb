using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.CommandLine;

/// <summary>The command line as a process of its own, as an operator runs it.</summary>
internal sealed class CaveCommProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly ConcurrentQueue<string> output = new();
    private readonly ConcurrentQueue<string> errors = new();

    private CaveCommProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Keep(output, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(errors, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => process.Id;

    public string Output => string.Join('\n', output);

    public string Errors => string.Join('\n', errors);

    public static CaveCommProcess Start(params string[] arguments) => StartIn([], arguments);

    public static CaveCommProcess StartIn(Dictionary<string, string> environment, params string[] arguments) => Launch("CaveComm.Api.dll", environment, arguments);

    /// <summary>This test assembly as a process of its own: what <see cref="EntryPoint"/> knows beside running tests.</summary>
    public static CaveCommProcess StartOfTests(params string[] arguments) => Launch("CaveComm.Tests.dll", [], arguments);

    private static CaveCommProcess Launch(string assembly, Dictionary<string, string> environment, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, assembly), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // A newcomer has set nothing.
        foreach (var name in start.Environment.Keys.Where(key => key.Contains("__", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment.Remove("ASPNETCORE_ENVIRONMENT");
        start.Environment.Remove("DOTNET_ENVIRONMENT");
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new CaveCommProcess(Process.Start(start)!);
    }

    /// <summary>Waits for the line that says it is ready.</summary>
    /// <returns>The address.</returns>
    public async Task<string> Ready()
    {
        const string line = "CaveComm is ready at ";
        await Shown(line);
        return output.First(it => it.StartsWith(line, StringComparison.Ordinal))[line.Length..];
    }

    public Task Shown(string text) => Eventually.Holds(
        $"'{text}' is shown",
        () =>
        {
            var shown = Output.Contains(text, StringComparison.Ordinal);
            (shown || !process.HasExited).ShouldBeTrue($"It ended with {(process.HasExited ? process.ExitCode : 0)}:\n{Output}\n{Errors}");
            return shown;
        },
        TimeSpan.FromSeconds(120));

    public async Task<int> Ended()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(patience.Token);
        return process.ExitCode;
    }

    /// <param name="signal">Such as TERM, INT, HUP, KILL.</param>
    public async Task Signal(string signal)
    {
        using var kill = Process.Start("kill", ["-s", signal, process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>SIGKILL, now: a process of its own to send it would take its time.</summary>
    public async Task Kill()
    {
        process.Kill();
        await Ended();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            await Signal("TERM");
            await Ended();
        }

        process.Dispose();
    }

    private static void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null)
        {
            lines.Enqueue(line);
        }
    }
}
