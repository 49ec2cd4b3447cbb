using CaveComm.Api.Customers;

namespace CaveComm.Api.CommandLine.Backup;

/// <summary>Where an installation keeps what is not in the database.</summary>
/// <param name="FilesAreElsewhere">In an object store, which has its own backups.</param>
internal sealed record StoragePlace(string Keys, string Files, string Register, bool FilesAreElsewhere)
{
    public static StoragePlace Of(OperatorConfiguration configuration, DataFolder data) => new(
        Path.Combine(data.Path, "keys"),
        Path.GetFullPath(configuration["Storage:Path"] ?? data.Files).TrimEnd(Path.DirectorySeparatorChar),
        Path.Combine(data.Path, ErasureRegister.FileName),
        configuration.Has("Storage:S3"));

    /// <summary>All files of a folder, at any depth, but for uploads that are not whole yet.</summary>
    public static IEnumerable<string> FilesIn(string folder) => Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(it => !it.StartsWith(Path.Combine(folder, Unfinished) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        : [];

    // Of the folder that holds products.
    private const string Unfinished = "incoming";
}
