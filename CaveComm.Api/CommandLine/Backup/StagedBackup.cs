using System.Security.Cryptography;

namespace CaveComm.Api.CommandLine.Backup;

/// <summary>A backup's parts, unpacked beside the places that they shall take, on the same disks.</summary>
internal sealed class StagedBackup : IDisposable
{
    private readonly StoragePlace place;
    private readonly string mark;
    private readonly string folder;
    private readonly List<(string Place, string Aside)> moved = [];
    private bool stays;

    private StagedBackup(StoragePlace place, DataFolder data)
    {
        this.place = place;
        mark = $".restore-{Guid.NewGuid():N}";
        folder = Path.Combine(data.Path, $"restore{mark}");
    }

    public string Dump => Path.Combine(folder, BackupManifest.Database);

    /// <summary>Holds the backup's register of erasures, if it had one.</summary>
    public string Folder => folder;

    private string Keys => place.Keys + mark;

    private string Files => place.Files + mark;

    /// <summary>Unpacks, and compares every part with the manifest once more: what is put in place is what was written.</summary>
    public static async Task<StagedBackup> Unpack(FileStream file, BackupManifest manifest, StoragePlace place, DataFolder data, Action<long> read, CancellationToken cancel)
    {
        EnsureRoom(manifest, place, data);
        var staged = new StagedBackup(place, data);
        try
        {
            foreach (var made in new[] { staged.folder, staged.Keys, staged.Files })
            {
                Directory.CreateDirectory(made, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            var expected = manifest.Parts.ToDictionary(it => it.Name, StringComparer.Ordinal);
            var done = 0L;
            await foreach (var entry in BackupFile.Entries(file, cancel))
            {
                if (entry.Name == BackupManifest.Name)
                {
                    continue;
                }

                if (!expected.Remove(entry.Name, out var part) || await staged.Write(entry.Name, entry.DataStream ?? Stream.Null, it => read(done + it), cancel) != part)
                {
                    throw BackupFile.Corrupt(file, $"'{entry.Name}' is not what the manifest says");
                }

                done += part.Size;
            }

            return expected.Count == 0 && File.Exists(staged.Dump) ? staged : throw BackupFile.Corrupt(file, "parts that the manifest names are missing");
        }
        catch
        {
            staged.Dispose();
            throw;
        }
    }

    /// <summary>Puts keys and files in their places and what was there aside.</summary>
    public void PutInPlace(bool withFiles)
    {
        Put(Keys, place.Keys);
        if (withFiles)
        {
            Put(Files, place.Files);
        }
    }

    /// <summary>Undoes <see cref="PutInPlace"/>, as far as it came.</summary>
    public void PutBack()
    {
        foreach (var (at, aside) in Enumerable.Reverse(moved))
        {
            if (Directory.Exists(at))
            {
                Directory.Delete(at, recursive: true);
            }

            if (Directory.Exists(aside))
            {
                Directory.Move(aside, at);
            }
        }

        moved.Clear();
    }

    /// <summary>The backup's parts stay in their places: what they replaced goes with <see cref="Dispose"/>, and no sooner.</summary>
    public void Keep() => stays = true;

    /// <summary>Removes what is left beside the places: of the backup, and of what it replaced for good.</summary>
    public void Dispose()
    {
        var replaced = stays ? moved.Select(it => it.Aside) : [];
        foreach (var left in replaced.Concat([folder, Keys, Files]).Where(Directory.Exists))
        {
            Directory.Delete(left, recursive: true);
        }
    }

    private void Put(string from, string to)
    {
        var aside = $"{to}{mark}-replaced";
        if (Directory.Exists(to))
        {
            Directory.Move(to, aside);
        }

        moved.Add((to, aside));
        Directory.Move(from, to);
    }

    private async Task<BackupPart> Write(string name, Stream content, Action<long> copied, CancellationToken cancel)
    {
        var path = name.StartsWith(BackupManifest.Keys, StringComparison.Ordinal) ? Path.Combine(Keys, name[BackupManifest.Keys.Length..])
            : name.StartsWith(BackupManifest.Files, StringComparison.Ordinal) ? Path.Combine(Files, name[BackupManifest.Files.Length..])
            : Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Options = FileOptions.Asynchronous,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        var size = await BackupFile.Copy(content, file, digest, copied, cancel);
        file.Flush(flushToDisk: true);
        return new BackupPart(name, size, Convert.ToHexStringLower(digest.GetHashAndReset()));
    }

    private static void EnsureRoom(BackupManifest manifest, StoragePlace place, DataFolder data)
    {
        // The database grows when it is unpacked: its dump is compressed. What a dump becomes nobody knows before; three times is usual.
        var needed = manifest.Parts.Sum(it => it.Size) + (3 * manifest.Parts.Where(it => it.Name == BackupManifest.Database).Sum(it => it.Size));
        var free = new DriveInfo(data.Path).AvailableFreeSpace;
        if (free < needed)
        {
            throw new CommandFailure($"{data.Path} has {free >> 20} MiB free, and the backup needs about {needed >> 20} MiB beside what is there ({place.Files} included). Make room first.");
        }
    }
}
