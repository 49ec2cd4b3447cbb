using CaveComm.Sandbox.Storage;

namespace CaveComm.Api.CommandLine;

/// <summary>A file that is written beside its name and moved there when it is whole: what breaks off leaves an earlier one as it was.</summary>
/// <remarks>Readable by its owner only: what commands write holds customers' data.</remarks>
internal sealed class UnfinishedFile : IAsyncDisposable
{
    private readonly string path;
    private readonly string unfinished;

    private UnfinishedFile(string path, string unfinished, FileStream stream)
    {
        this.path = path;
        this.unfinished = unfinished;
        Stream = stream;
    }

    public FileStream Stream { get; }

    public static UnfinishedFile Beside(string path)
    {
        var full = Path.GetFullPath(path);
        var unfinished = $"{full}.{Guid.NewGuid():N}.new";
        try
        {
            return new UnfinishedFile(full, unfinished, new FileStream(unfinished, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Options = FileOptions.Asynchronous,
                BufferSize = 1 << 16,
                UnixCreateMode = PrivateFile.OwnerOnly,
            }));
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or IOException)
        {
            throw new CommandFailure($"{full} cannot be written: {refused.Message}");
        }
    }

    /// <summary>Puts it in its place.</summary>
    public void Complete()
    {
        Stream.Flush(flushToDisk: true);
        Stream.Dispose();
        File.Move(unfinished, path, overwrite: true);
    }

    public async ValueTask DisposeAsync()
    {
        await Stream.DisposeAsync();
        File.Delete(unfinished); // Not there any more when it was completed.
    }
}
