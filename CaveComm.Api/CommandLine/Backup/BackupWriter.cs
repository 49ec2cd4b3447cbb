using System.Formats.Tar;
using System.Text.Json;

namespace CaveComm.Api.CommandLine.Backup;

/// <summary>Adds parts to a backup and keeps the account of them.</summary>
internal sealed class BackupWriter(FileStream output) : IAsyncDisposable
{
    private readonly TarWriter tar = new(output, TarEntryFormat.Pax, leaveOpen: true);
    private readonly List<BackupPart> parts = [];

    public IReadOnlyList<BackupPart> Parts => parts;

    /// <summary>Adds a file. One that is gone meanwhile is left out: it was deleted after the database was dumped.</summary>
    public async Task Add(string name, string path, CancellationToken cancel)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, new FileStreamOptions { Share = FileShare.ReadWrite | FileShare.Delete, Options = FileOptions.Asynchronous | FileOptions.SequentialScan });
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return;
        }

        await using (file)
        {
            // As long as it is now: one that grows meanwhile (the register of erasures) is taken up to here.
            await using var content = new HashedPart(file, file.Length);
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite, DataStream = content }, cancel);
            parts.Add(new BackupPart(name, file.Position, content.Sha256()));
        }
    }

    /// <summary>Adds all files of a folder and those below it.</summary>
    public async Task AddFolder(string prefix, string folder, CancellationToken cancel)
    {
        foreach (var path in StoragePlace.FilesIn(folder).Order(StringComparer.Ordinal))
        {
            var name = prefix + Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/');
            if (BackupManifest.IsOurs(name))
            {
                await Add(name, path, cancel);
            }
        }
    }

    public async Task Finish(DateTimeOffset at, string postgreSql, CancellationToken cancel)
    {
        using var manifest = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(new BackupManifest(BackupManifest.CurrentVersion, at, postgreSql, parts), Http.Json.Options));
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, BackupManifest.Name) { Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite, DataStream = manifest }, cancel);
        await tar.DisposeAsync(); // Writes tar's own end.
        await BackupFile.Seal(output, cancel);
    }

    public ValueTask DisposeAsync() => tar.DisposeAsync();
}
