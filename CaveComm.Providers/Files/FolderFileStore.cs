using System.Buffers;
using System.Security.Cryptography;
using CaveComm.Domain.Delivery;

namespace CaveComm.Providers.Files;

/// <summary>Files in a folder, under their ids, spread over 256 × 256 subfolders. Any number of nodes may share the folder.</summary>
/// <remarks>
/// An upload is written to <c>incoming/</c> on the same file system and moved into place once it is whole and on the disk, so what is visible is
/// complete. While it is written it is locked; what lies there unlocked was left by a process that died, and is removed at the next start.
/// </remarks>
internal sealed class FolderFileStore : IFileStore
{
    private const int BufferSize = 128 * 1024;

    private readonly string root;
    private readonly string incoming;

    public FolderFileStore(StorageOptions options)
    {
        root = Path.GetFullPath(options.Path);
        incoming = Path.Combine(root, "incoming");
        Directory.CreateDirectory(incoming);
        RemoveLeftovers();
    }

    public async Task<StoredContent> Save(Guid fileId, Stream content, long limit, CancellationToken cancel)
    {
        var final = PathOf(fileId);
        var temporary = Path.Combine(incoming, $"{fileId:N}.{Guid.NewGuid():N}");
        try
        {
            await using var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous);
            var stored = await Copy(content, file, limit, cancel);

            // First the bytes, then the name: after a power cut there is no name without its bytes.
            file.Flush(flushToDisk: true);
            CreateFolders(final);

            // Moved while it is open and locked; unlocked, another node's start could take it for a leftover.
            File.Move(temporary, final, overwrite: true);
            FolderSync.Flush(Path.GetDirectoryName(final)!);
            return stored;
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    public Task<Stream> OpenRead(Guid fileId, CancellationToken cancel)
    {
        try
        {
            return Task.FromResult<Stream>(new FileStream(
                PathOf(fileId), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous));
        }
        catch (DirectoryNotFoundException missing)
        {
            throw new FileNotFoundException($"File {fileId} is not stored.", missing);
        }
    }

    public Task Delete(Guid fileId, CancellationToken cancel)
    {
        try
        {
            File.Delete(PathOf(fileId));
        }
        catch (DirectoryNotFoundException)
        {
            // Nothing was ever stored in that folder.
        }

        return Task.CompletedTask;
    }

    private static async Task<StoredContent> Copy(Stream content, FileStream file, long limit, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            long size = 0;
            int read;
            while ((read = await content.ReadAsync(buffer.AsMemory(0, BufferSize), cancel)) > 0)
            {
                size += read;
                if (size > limit)
                {
                    throw new FileTooLargeException(limit);
                }

                hash.AppendData(buffer, 0, read);
                await file.WriteAsync(buffer.AsMemory(0, read), cancel);
            }

            return new StoredContent(size, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // The last characters: ids made one after another (UUIDv7) share their first.
    private string PathOf(Guid fileId)
    {
        var name = fileId.ToString("N");
        return Path.Combine(root, name[^2..], name[^4..^2], name);
    }

    private void CreateFolders(string final)
    {
        var inner = Path.GetDirectoryName(final)!;
        if (Directory.Exists(inner))
        {
            return;
        }

        Directory.CreateDirectory(inner);
        FolderSync.Flush(Path.GetDirectoryName(inner)!);
        FolderSync.Flush(root);
    }

    private void RemoveLeftovers()
    {
        foreach (var path in Directory.EnumerateFiles(incoming))
        {
            try
            {
                using var left = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None);
                File.Delete(path);
            }
            catch (IOException)
            {
                // Being written by another process, or moved into place just now.
            }
        }
    }
}
