using System.Net.NetworkInformation;
using CaveComm.Api.CommandLine.Up;
using CaveComm.Sandbox.Storage;

namespace CaveComm.Api.CommandLine.Doctor;

/// <summary>Rights and room under --data, and the port that the product would listen on.</summary>
internal static class DataFolderChecks
{
    private const long EnoughBytes = 1L << 30;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    public static async Task<IReadOnlyList<Finding>> Run(string data, int port, CancellationToken cancel)
    {
        var existing = data;
        while (!Directory.Exists(existing))
        {
            existing = Path.GetDirectoryName(existing)!;
        }

        UpFile? running = null;
        if (existing == data && IsHeld(Path.Combine(data, "up.lock")))
        {
            running = await DataFolder.Read<UpFile>(Path.Combine(data, "up.json"), cancel);
        }

        return [Rights(data, existing), Room(existing), Port(port, running)];
    }

    private static Finding Rights(string data, string existing)
    {
        try
        {
            var probe = Path.Combine(existing, $".cavecomm-probe-{Guid.NewGuid():N}");
            using (var held = FileLock.TryTake(probe))
            {
                using var again = FileLock.TryTake(probe);
                if (again is not null)
                {
                    return Finding.Wrong("Data folder", $"{existing} lies on a file system without locks", "Choose a local folder with --data.");
                }
            }

            File.Delete(probe);
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or IOException)
        {
            return Finding.Wrong(
                "Data folder",
                $"{existing} cannot be written: {refused.Message}",
                $"Choose another folder with --data, or give it to yourself: sudo chown -R {Environment.UserName} {existing}");
        }

        if (existing != data)
        {
            return Finding.Good("Data folder", $"{data} will be made at the first start");
        }

        return (File.GetUnixFileMode(data) & Others) == 0
            ? Finding.Good("Data folder", $"{data} is yours alone")
            : Finding.Wrong("Data folder", $"other users of this machine can look into {data}, where keys and customers' data lie", $"chmod 700 {data}");
    }

    private static Finding Room(string folder)
    {
        var free = new DriveInfo(folder).AvailableFreeSpace;
        var text = $"{free / (double)EnoughBytes:0.0} GiB free under {folder}";
        return free >= EnoughBytes
            ? Finding.Good("Room", text)
            : Finding.Wrong("Room", text, "Make room, or choose a folder on another disk with --data: below 1 GiB a large upload fills the disk.");
    }

    private static Finding Port(int port, UpFile? running)
    {
        if (running is not null)
        {
            return Finding.Good("Product", $"runs at {running.Url}");
        }

        if (port == 0)
        {
            return Finding.Good("Port", "a free one will be taken");
        }

        var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(listener => listener.Port == port);
        return taken
            ? Finding.Wrong("Port", $"{port} is used by another program", $"Stop that one, or start with another port: ./cavecomm up --port {port + 1}")
            : Finding.Good("Port", $"{port} is free");
    }

    private static bool IsHeld(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using var free = FileLock.TryTake(path);
        return free is null;
    }
}
