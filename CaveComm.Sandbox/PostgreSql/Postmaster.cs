using System.Diagnostics;
using System.Globalization;

namespace CaveComm.Sandbox.PostgreSql;

/// <summary>What a cluster's postmaster.pid says about the server that runs on it, or ran on it before a kill -9.</summary>
internal sealed record Postmaster(int ProcessId, DateTimeOffset StartedAt, int Port)
{
    public enum Life
    {
        /// <summary>No such process: the file is a leftover that PostgreSQL clears away by itself.</summary>
        Gone,

        /// <summary>The number belongs to another program by now (usual after a container's restart): PostgreSQL would refuse to start.</summary>
        Taken,

        /// <summary>A PostgreSQL server; most likely this one.</summary>
        Running,
    }

    public static Postmaster? Read(string cluster)
    {
        var path = Path.Combine(cluster, "postmaster.pid");
        try
        {
            var lines = File.ReadAllLines(path);
            return lines.Length >= 4
                && int.TryParse(lines[0], CultureInfo.InvariantCulture, out var processId)
                && long.TryParse(lines[2], CultureInfo.InvariantCulture, out var started)
                && int.TryParse(lines[3], CultureInfo.InvariantCulture, out var port)
                    ? new Postmaster(processId, DateTimeOffset.FromUnixTimeSeconds(started), port)
                    : null;
        }
        catch (IOException) when (!File.Exists(path))
        {
            return null;
        }
    }

    public static void Forget(string cluster) => File.Delete(Path.Combine(cluster, "postmaster.pid"));

    public Life Look()
    {
        try
        {
            // A dead process that nobody has reaped (a container whose first process does not) still has its number.
            var stat = $"/proc/{ProcessId}/stat";
            if (File.Exists(stat) && File.ReadAllText(stat) is var line && line[line.LastIndexOf(')')..].StartsWith(") Z", StringComparison.Ordinal))
            {
                return Life.Taken;
            }

            using var process = Process.GetProcessById(ProcessId);
            return process.ProcessName is "postgres" or "postmaster" ? Life.Running : Life.Taken;
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or IOException)
        {
            return Life.Gone;
        }
    }

    /// <summary>True when the process began at quite another time than the file says: then it is another cluster's server.</summary>
    public bool IsSomeoneElse()
    {
        try
        {
            using var process = Process.GetProcessById(ProcessId);
            return (process.StartTime.ToUniversalTime() - StartedAt.UtcDateTime).Duration() > TimeSpan.FromMinutes(1);
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }
}
