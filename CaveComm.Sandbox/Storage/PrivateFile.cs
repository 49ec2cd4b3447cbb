namespace CaveComm.Sandbox.Storage;

/// <summary>Files with secrets: readable by their owner only, and always whole.</summary>
public static class PrivateFile
{
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes beside the file and moves it into place, so that a reader, or a crash, never meets half of it.</summary>
    public static async Task Write(string path, string text, CancellationToken cancel)
    {
        var unfinished = $"{path}.{Guid.NewGuid():N}.new";
        try
        {
            await using (var file = new FileStream(unfinished, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = OwnerOnly,
            }))
            {
                await file.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), cancel);
                file.Flush(flushToDisk: true);
            }

            File.Move(unfinished, path, overwrite: true);
        }
        finally
        {
            File.Delete(unfinished);
        }
    }
}
