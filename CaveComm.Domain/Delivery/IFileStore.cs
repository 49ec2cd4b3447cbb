namespace CaveComm.Domain.Delivery;

/// <summary>Keeps the files of final products.</summary>
public interface IFileStore
{
    /// <summary>Streams a file to storage while its SHA-256 is computed. Nothing is visible until it is whole.</summary>
    /// <param name="fileId">The random id it is stored under; names are labels only.</param>
    /// <param name="limit">Most bytes to take.</param>
    /// <exception cref="FileTooLargeException">There was more than <paramref name="limit"/>; nothing was kept.</exception>
    Task<StoredContent> Save(Guid fileId, Stream content, long limit, CancellationToken cancel);

    /// <summary>A seekable stream over the file.</summary>
    /// <exception cref="FileNotFoundException">No such file is stored.</exception>
    Task<Stream> OpenRead(Guid fileId, CancellationToken cancel);

    /// <summary>Removes a file; harmless when it is not there.</summary>
    Task Delete(Guid fileId, CancellationToken cancel);
}

/// <param name="Size">Bytes.</param>
/// <param name="Sha256">Lower-case hex.</param>
public sealed record StoredContent(long Size, string Sha256);

public class FileTooLargeException(long limit) : Exception($"The file is larger than {limit} bytes.");
