namespace CaveComm.Api.Identity;

/// <summary>A secret in a file of the data folder, made at the first start.</summary>
internal static class KeyFile
{
    /// <summary>Written beside and moved into place, so that of two nodes that start at once both use the key that got there first.</summary>
    public static string ReadOrMake(string path, Func<string> make)
    {
        if (!File.Exists(path))
        {
            var draft = $"{path}.{Guid.NewGuid():N}";
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var file = new FileStream(draft, options))
            using (var writer = new StreamWriter(file))
            {
                writer.Write(make());
                writer.Flush();
                file.Flush(flushToDisk: true); // What is sealed with it outlives a power cut, so it has to as well.
            }

            try
            {
                File.Move(draft, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                File.Delete(draft);
            }
        }

        return File.ReadAllText(path);
    }
}
