using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace CaveComm.Api.CommandLine.Backup;

/// <summary>A backup: a tar file, so that any tar can list and unpack it, with 512 more bytes behind its end that hold the digest of all before them.</summary>
/// <remarks>The digest answers for every byte, those of tar's own headers too. Whatever is copied is streamed: products may be larger than memory.</remarks>
internal static class BackupFile
{
    private const int FooterSize = 512;
    private const int ChunkSize = 1 << 20;

    /// <summary>Checks every byte, and reads the manifest.</summary>
    /// <exception cref="CommandFailure">It is no backup, or not all of one.</exception>
    public static async Task<BackupManifest> Verify(FileStream file, Action<long> read, CancellationToken cancel)
    {
        var length = file.Length - FooterSize;
        if (length <= 0)
        {
            throw Corrupt(file, "it is too short to be a backup");
        }

        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await Copy(new HeadOfStream(file, length), Stream.Null, digest, read, cancel);
        var footer = new byte[FooterSize];
        await file.ReadExactlyAsync(footer, cancel);
        if (!footer.AsSpan().SequenceEqual(Footer(digest.GetHashAndReset())))
        {
            throw Corrupt(file, "its content does not fit the digest at its end, so it was changed or cut off");
        }

        await foreach (var entry in Entries(file, cancel))
        {
            if (entry.Name == BackupManifest.Name)
            {
                var manifest = await JsonSerializer.DeserializeAsync<BackupManifest>(entry.DataStream!, Http.Json.Options, cancel);
                return manifest is { Version: BackupManifest.CurrentVersion }
                    ? manifest
                    : throw new CommandFailure($"{file.Name} was written by another version of CaveComm (layout {manifest?.Version}; this one reads {BackupManifest.CurrentVersion}).");
            }
        }

        throw Corrupt(file, "it has no manifest");
    }

    /// <summary>The entries, from the first.</summary>
    public static async IAsyncEnumerable<TarEntry> Entries(FileStream file, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        file.Position = 0;
        await using var tar = new TarReader(file, leaveOpen: true);
        while (await tar.GetNextEntryAsync(copyData: false, cancel) is { } entry)
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile) || !BackupManifest.IsOurs(entry.Name))
            {
                throw Corrupt(file, $"it holds '{entry.Name}', which is nothing of ours");
            }

            yield return entry;
        }
    }

    /// <summary>Writes the digest of all that the file holds so far behind it.</summary>
    public static async Task Seal(FileStream file, CancellationToken cancel)
    {
        file.Position = 0;
        var digest = await SHA256.HashDataAsync(file, cancel);
        await file.WriteAsync(Footer(digest), cancel);
    }

    /// <returns>How many bytes.</returns>
    public static async Task<long> Copy(Stream from, Stream to, IncrementalHash digest, Action<long>? copied, CancellationToken cancel)
    {
        var buffer = new byte[ChunkSize];
        var total = 0L;
        for (int read; (read = await from.ReadAsync(buffer, cancel)) > 0;)
        {
            digest.AppendData(buffer, 0, read);
            await to.WriteAsync(buffer.AsMemory(0, read), cancel);
            copied?.Invoke(total += read);
        }

        return total;
    }

    public static CommandFailure Corrupt(FileStream file, string why) => new($"{file.Name} cannot be restored: {why}. Nothing was changed.");

    private static byte[] Footer(byte[] digest)
    {
        var footer = new byte[FooterSize];
        Encoding.ASCII.GetBytes($"cavecomm-backup sha256 {Convert.ToHexStringLower(digest)}\n", footer);
        return footer;
    }
}
