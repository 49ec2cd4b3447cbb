using System.Text.Json;
using CaveComm.Sandbox.Storage;

namespace CaveComm.Api.CommandLine;

/// <summary>What lies where under --data. All of it is readable by the owner only.</summary>
internal sealed class DataFolder
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private DataFolder(string path) => Path = path;

    public string Path { get; }

    /// <summary>Addresses and sign-ins of the running product, for scripts.</summary>
    public string UpFile => At("up.json");

    /// <summary>Held by the node that wrote <see cref="UpFile"/>.</summary>
    public string UpLock => At("up.lock");

    /// <summary>Addresses and keys of the look-alikes that <c>sandbox</c> runs, for products beside it.</summary>
    public string SandboxFile => At("sandbox.json");

    /// <summary>Held by whoever runs the look-alikes: their state has one owner.</summary>
    public string SandboxLock => At("sandbox.lock");

    public string AccountsFile => At("accounts.json");

    public string Files => At("files");

    /// <summary>There while a restore changes places; afterwards only when it was killed at that.</summary>
    public string RestoreMark => At("restore.unfinished");

    /// <summary>Makes the folder when it is missing.</summary>
    /// <exception cref="CommandFailure">It cannot be used, or a restore was killed while it changed places.</exception>
    public static DataFolder Open(string path)
    {
        var opened = OpenToRestore(path);
        return !File.Exists(opened.RestoreMark) ? opened : throw new CommandFailure(
            $"A restore into {opened.Path} was cut off while it put database, keys and files in their places, so they may not belong together. Restore again: "
            + $"./cavecomm restore FILE --force --data {opened.Path} (what it had moved aside lies there under names that end in -replaced).");
    }

    /// <summary>As above, also where a restore was cut off: another one mends that.</summary>
    public static DataFolder OpenToRestore(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(full, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var probe = System.IO.Path.Combine(full, $".probe-{Guid.NewGuid():N}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or IOException)
        {
            throw new CommandFailure(
                $"The data folder {full} cannot be made or written ({refused.Message}). Choose another with --data, or change its owner: "
                + $"sudo chown -R {Environment.UserName} {full}");
        }

        return new DataFolder(full);
    }

    public static async Task<T?> Read<T>(string file, CancellationToken cancel)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(await File.ReadAllTextAsync(file, cancel), Json);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (JsonException unreadable)
        {
            throw new CommandFailure($"{file} is not what CaveComm wrote ({unreadable.Message}). Remove it, or put it back from a backup.");
        }
    }

    public static Task Write<T>(string file, T content, CancellationToken cancel) =>
        PrivateFile.Write(file, JsonSerializer.Serialize(content, Json) + "\n", cancel);

    private string At(string name) => System.IO.Path.Combine(Path, name);
}
