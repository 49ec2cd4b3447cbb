using System.Globalization;
using System.Text.RegularExpressions;

namespace CaveComm.Sandbox.PostgreSql;

/// <summary>The machine's own PostgreSQL programs: one folder with initdb, pg_ctl, postgres, pg_dump and the like.</summary>
public sealed partial record PostgresBinaries(string Folder, int Major, string Version)
{
    public const int OldestMajor = 15;

    private static readonly string[] UsualFolders =
    [
        "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/lib64/pgsql/bin", "/usr/libexec/postgresql*", "/usr/local/pgsql/bin",
        "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", "/opt/homebrew/bin", "/opt/local/lib/postgresql*/bin",
        "/Applications/Postgres.app/Contents/Versions/*/bin",
    ];

    public string this[string program] => Path.Combine(Folder, program);

    /// <summary>All that are new enough, newest first; one folder for each major version.</summary>
    public static async Task<IReadOnlyList<PostgresBinaries>> FindAll(CancellationToken cancel)
    {
        // A server needs its own folder: a link such as /usr/local/bin/initdb leads there.
        var folders = Shell.FoldersOnPath()
            .Select(folder => Path.Combine(folder, "initdb"))
            .Where(Shell.IsExecutable)
            .Select(program => Path.GetDirectoryName(File.ResolveLinkTarget(program, returnFinalTarget: true)?.FullName ?? program)!)
            .Concat(UsualFolders.SelectMany(Expand))
            .Distinct(StringComparer.Ordinal);
        var found = new List<PostgresBinaries>();
        foreach (var folder in folders)
        {
            if (await Examine(folder, cancel) is { Major: >= OldestMajor } binaries && found.TrueForAll(other => other.Major != binaries.Major))
            {
                found.Add(binaries);
            }
        }

        return [.. found.OrderByDescending(binaries => binaries.Major)];
    }

    /// <summary>Finds them, or installs them where that is possible, or says what to do.</summary>
    /// <param name="major">The version that existing data asks for; null for the newest.</param>
    /// <exception cref="PrivatePostgresException">There is none, or none of the wanted version.</exception>
    public static async Task<PostgresBinaries> Get(int? major, CancellationToken cancel)
    {
        var found = await FindAll(cancel);
        if (found.Count == 0 && Environment.IsPrivilegedProcess && Shell.Find("apt-get") is { } apt)
        {
            await Install(apt, cancel);
            found = await FindAll(cancel);
        }

        if (found.Count == 0)
        {
            throw new PrivatePostgresException(
                $"No PostgreSQL {OldestMajor} or newer was found on PATH or in the usual folders. Install it (Debian and Ubuntu: "
                + "sudo apt-get install postgresql; Fedora: sudo dnf install postgresql-server; macOS: brew install postgresql@17), or set "
                + "ConnectionStrings__CaveComm to a server that runs already.");
        }

        return found.FirstOrDefault(binaries => major is null || binaries.Major == major)
            ?? throw new PrivatePostgresException(
                $"The data was made by PostgreSQL {major}, and this machine has {string.Join(", ", found.Select(b => b.Major))}. "
                + $"Install PostgreSQL {major} beside it, or move the data with 'cavecomm backup' there and 'cavecomm restore' here.");
    }

    // Debian's package would make and start a cluster of its own; postgresql-common is asked not to, before the server comes.
    private static async Task Install(string apt, CancellationToken cancel)
    {
        var environment = new Dictionary<string, string>
        {
            ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin",
            ["DEBIAN_FRONTEND"] = "noninteractive",
            ["LC_ALL"] = "C",
        };
        await Console.Error.WriteLineAsync("PostgreSQL is missing; installing it with apt-get …".AsMemory(), cancel);
        await Shell.Run(apt, ["update", "-q"], environment, cancel);
        await Require(["install", "-y", "-q", "--no-install-recommends", "postgresql-common"]);
        await Shell.Run(
            "/bin/sh",
            ["-c", "sed -i 's/^[# ]*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf"],
            environment,
            cancel);
        await Require(["install", "-y", "-q", "--no-install-recommends", "postgresql"]);

        async Task Require(string[] arguments)
        {
            if (await Shell.Run(apt, arguments, environment, cancel) is not { Succeeded: true } result)
            {
                return; // What is missing is told by the search that follows.
            }

            await Console.Error.WriteLineAsync(result.Output.Split('\n')[^1].AsMemory(), cancel);
        }
    }

    private static async Task<PostgresBinaries?> Examine(string folder, CancellationToken cancel)
    {
        string[] needed = ["initdb", "pg_ctl", "postgres"];
        if (!needed.All(program => Shell.IsExecutable(Path.Combine(folder, program)))
            || await Shell.Run(Path.Combine(folder, "postgres"), ["--version"], environment: null, cancel) is not { Succeeded: true } said)
        {
            return null;
        }

        var version = VersionNumber().Match(said.Output);
        return version.Success
            ? new PostgresBinaries(folder, int.Parse(version.Groups[1].ValueSpan, CultureInfo.InvariantCulture), version.Value)
            : null;
    }

    private static IEnumerable<string> Expand(string pattern)
    {
        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        if (star < 0)
        {
            return [pattern];
        }

        var parent = Path.GetDirectoryName(pattern[..star] + "x")!;
        var rest = pattern[(star + 1)..];
        var name = Path.GetFileName(pattern[..star] + "x")[..^1];
        return Directory.Exists(parent)
            ? Directory.EnumerateDirectories(parent, name + "*").Select(folder => folder + rest)
            : [];
    }

    [GeneratedRegex(@"(\d+)(\.\d+)?")]
    private static partial Regex VersionNumber();
}
