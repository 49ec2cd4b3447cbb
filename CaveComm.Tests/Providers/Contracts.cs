namespace CaveComm.Tests.Providers;

/// <summary>The providers' published documents, which lie outside the repository.</summary>
internal static class Contracts
{
    /// <summary>Their folder: <c>CAVECOMM_CONTRACTS</c>, or <c>shared/contracts</c> beside the repository. The test is skipped where there is none.</summary>
    public static string Folder()
    {
        var named = Environment.GetEnvironmentVariable("CAVECOMM_CONTRACTS");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); named is null && folder is not null; folder = folder.Parent)
        {
            var beside = Path.Combine(folder.FullName, "shared", "contracts");
            named = Directory.Exists(beside) ? beside : null;
        }

        Assert.SkipWhen(named is null || !Directory.Exists(named), "The providers' contracts are not here; CAVECOMM_CONTRACTS names their folder.");
        return named!;
    }

    public static IEnumerable<string> Lines(string file) => File.ReadLines(Path.Combine(Folder(), file)).Where(line => line != "");
}
