namespace CaveComm.Api.CommandLine.Backup;

/// <summary>What a backup says of itself, as its last entry.</summary>
/// <param name="Version">Of this layout.</param>
/// <param name="At">When the database was dumped (UTC).</param>
/// <param name="PostgreSql">The server's version that the dump comes from.</param>
internal sealed record BackupManifest(int Version, DateTimeOffset At, string PostgreSql, IReadOnlyList<BackupPart> Parts)
{
    public const int CurrentVersion = 1;

    /// <summary>The names of entries in the file.</summary>
    public const string Name = "manifest.json";
    public const string Database = "database.dump";
    public const string Register = "erasures.jsonl";
    public const string Keys = "keys/";
    public const string Files = "files/";

    public IEnumerable<BackupPart> InFolder(string folder) => Parts.Where(it => it.Name.StartsWith(folder, StringComparison.Ordinal));

    /// <summary>Whether a name is one that a backup has, and leads nowhere else.</summary>
    public static bool IsOurs(string name) => name is Name or Database or Register
        || ((name.StartsWith(Keys, StringComparison.Ordinal) || name.StartsWith(Files, StringComparison.Ordinal))
            && name.Split('/').All(it => it is not ("" or "." or "..")) && !name.Contains('\\', StringComparison.Ordinal) && !name.Contains('\0', StringComparison.Ordinal));
}

/// <param name="Sha256">In lower-case hex.</param>
internal sealed record BackupPart(string Name, long Size, string Sha256);
