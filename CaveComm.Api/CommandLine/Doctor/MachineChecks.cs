using System.Diagnostics;
using CaveComm.Sandbox.PostgreSql;

namespace CaveComm.Api.CommandLine.Doctor;

/// <summary>What CaveComm needs from the machine: .NET and PostgreSQL.</summary>
internal static class MachineChecks
{
    public static async Task<IReadOnlyList<Finding>> Run(OperatorConfiguration configuration, CancellationToken cancel) =>
    [
        Finding.Good("System", $"{System.Runtime.InteropServices.RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors"),
        await Dotnet(cancel),
        await PostgreSql(configuration, cancel),
    ];

    private static async Task<Finding> Dotnet(CancellationToken cancel)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["--list-sdks"]) { RedirectStandardOutput = true })!;
        var listed = await process.StandardOutput.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        var newest = listed.Split('\n').LastOrDefault(line => line.StartsWith("10.", StringComparison.Ordinal));
        return newest is null
            ? Finding.Note(".NET", $"runtime {Environment.Version}, without an SDK: this build runs, and new ones cannot be made here")
            : Finding.Good(".NET", $"SDK {newest.Trim()}");
    }

    private static async Task<Finding> PostgreSql(OperatorConfiguration configuration, CancellationToken cancel)
    {
        var found = await PostgresBinaries.FindAll(cancel);
        if (found.Count > 0)
        {
            return Finding.Good("PostgreSQL", string.Join(", ", found.Select(it => $"{it.Version} in {it.Folder}")));
        }

        var text = $"no binaries of version {PostgresBinaries.OldestMajor} or newer on PATH or in the usual folders";
        return configuration.Has("ConnectionStrings:CaveComm")
            ? Finding.Note("PostgreSQL", text + "; not needed, since ConnectionStrings:CaveComm is set")
            : Finding.Wrong("PostgreSQL", text, "Install it (Debian: apt-get install postgresql), or set ConnectionStrings__CaveComm to a running server.");
    }
}
