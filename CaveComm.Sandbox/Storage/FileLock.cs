namespace CaveComm.Sandbox.Storage;

/// <summary>A lock on a file that the kernel lets go of when its holder dies, so that nothing is stale after a kill -9.</summary>
/// <remarks>Several may hold it as shared, or one alone. The file itself stays; only the lock on it means something.</remarks>
public sealed class FileLock : IDisposable
{
    // What flock answers when another holds the lock: EWOULDBLOCK, on Linux and on macOS.
    private const int LockedOnLinux = 11;
    private const int LockedOnMac = 35;

    private readonly FileStream held;

    private FileLock(FileStream held) => this.held = held;

    /// <summary>Null when another process, or another part of this one, holds it.</summary>
    public static FileLock? TryTake(string path, bool shared = false)
    {
        try
        {
            return new FileLock(new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = shared ? FileAccess.Read : FileAccess.ReadWrite,
                Share = shared ? FileShare.Read : FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }));
        }
        catch (IOException refused) when (refused.HResult is LockedOnLinux or LockedOnMac)
        {
            return null;
        }
    }

    /// <summary>Waits for it. Whoever holds such a lock does so briefly or until asked to end, so polling is good enough.</summary>
    public static async Task<FileLock> Take(string path, bool shared, CancellationToken cancel)
    {
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            if (TryTake(path, shared) is { } taken)
            {
                return taken;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), cancel);
        }
    }

    public void Dispose() => held.Dispose();
}
