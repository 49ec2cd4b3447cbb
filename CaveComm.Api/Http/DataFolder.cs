namespace CaveComm.Api.Http;

/// <summary>The folder that holds this installation's keys (<c>CaveComm:DataPath</c>).</summary>
internal static class DataFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public static string Root(IConfiguration configuration) => Path.GetFullPath(configuration["CaveComm:DataPath"] ?? ".cavecomm");

    /// <summary>The folder for keys, which nobody but us may enter.</summary>
    public static DirectoryInfo Keys(IConfiguration configuration)
    {
        var path = Path.Combine(Root(configuration), "keys");
        if (OperatingSystem.IsWindows())
        {
            return Directory.CreateDirectory(path);
        }

        var folder = Directory.CreateDirectory(path, OwnerOnly);
        folder.UnixFileMode = OwnerOnly;
        return folder;
    }
}
