using System.Text.RegularExpressions;
using Npgsql;

namespace CaveComm.Api.CommandLine.Doctor;

/// <summary>What a backup or restore that was killed has left behind. It is never needed again, takes room, and may hold customers' data.</summary>
internal static partial class LeftoverChecks
{
    private const string Subject = "Leftovers";

    public static IEnumerable<Finding> InFolder(string data)
    {
        if (!Directory.Exists(data))
        {
            yield break;
        }

        // While the mark is there the folders beside it may hold the only copy of keys.
        if (File.Exists(Path.Combine(data, "restore.unfinished")))
        {
            yield return Finding.Wrong(Subject, $"a restore into {data} broke off between its steps", $"Run it again: ./cavecomm restore FILE --force --data {data}");
            yield break;
        }

        foreach (var left in Directory.EnumerateFileSystemEntries(data).Where(it => OfRestore().IsMatch(Path.GetFileName(it))).Order(StringComparer.Ordinal))
        {
            yield return Finding.Note(Subject, $"{left}, of a restore that was killed", $"When no restore is running: rm -r {left}");
        }
    }

    /// <summary>Databases that a restore fills beside the present one, or put out of its way.</summary>
    public static async Task<IReadOnlyList<Finding>> InDatabase(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "select datname from pg_database where starts_with(datname, left(current_database(), 40)) and datname ~ '_(restore|replaced)_[0-9a-f]{8}$' order by 1", connection);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var findings = new List<Finding>();
        while (await rows.ReadAsync(cancel))
        {
            var name = rows.GetString(0);
            findings.Add(Finding.Note(Subject, $"the database {name}, of a restore that was killed", $"When no restore is running: dropdb {name}"));
        }

        return findings;
    }

    [GeneratedRegex(@"\.restore-[0-9a-f]{32}(-replaced)?$")]
    private static partial Regex OfRestore();
}
