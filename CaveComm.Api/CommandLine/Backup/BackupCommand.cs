using System.CommandLine;
using CaveComm.Api.Pages;

namespace CaveComm.Api.CommandLine.Backup;

/// <summary>Writes database, keys and files into one file, while the product runs or not.</summary>
/// <remarks>
/// The database first, as it stood at one moment; then keys and files, which are only ever added before an event speaks of them. So
/// whatever the dump names is in the backup too, unless it was deleted meanwhile.
/// </remarks>
internal static class BackupCommand
{
    public static Command Build()
    {
        var data = CommonOptions.Data();
        var file = new Argument<string>("file") { Description = "Where to write. An older backup there is replaced when the new one is whole.", HelpName = "FILE" };
        var command = new Command("backup", "Write database, keys and files into one file; the product may run meanwhile.") { file, data };
        command.SetAction((parsed, cancel) => OperatorStore.Run(
            parsed.GetRequiredValue(data), opened => Run(opened, parsed.GetRequiredValue(file), cancel), cancel));
        return command;
    }

    private static async Task<int> Run(OperatorStore opened, string file, CancellationToken cancel)
    {
        var place = StoragePlace.Of(OperatorConfiguration.Load(), opened.Data);
        var tools = await PostgresTools.For(opened.ConnectionString, cancel);
        var at = TimeProvider.System.GetUtcNow();
        await using var output = UnfinishedFile.Beside(file);
        await using var writer = new BackupWriter(output.Stream);

        // Beside the backup, where there has to be room anyway; gone in the end, however that comes.
        await using (var dump = UnfinishedFile.Beside(file))
        {
            await Console.Error.WriteLineAsync("Dumping the database …");
            await tools.Dump(dump.Stream.Name, cancel);
            await writer.Add(BackupManifest.Database, dump.Stream.Name, cancel);
        }

        await Console.Error.WriteLineAsync("Adding keys and files …");
        await writer.AddFolder(BackupManifest.Keys, place.Keys, cancel);
        await writer.AddFolder(BackupManifest.Files, place.Files, cancel);
        await writer.Add(BackupManifest.Register, place.Register, cancel);
        await writer.Finish(at, tools.ServerVersion, cancel);
        output.Complete();
        Console.WriteLine(
            $"Backup in {file}: the database, {writer.Parts.Count(it => it.Name.StartsWith(BackupManifest.Keys, StringComparison.Ordinal))} keys and "
            + $"{writer.Parts.Count(it => it.Name.StartsWith(BackupManifest.Files, StringComparison.Ordinal))} files, {Words.Size(new FileInfo(file).Length)}.");
        if (place.FilesAreElsewhere)
        {
            await Console.Error.WriteLineAsync("cavecomm: files are kept in Storage:S3, so they are not in the backup.");
        }

        return ExitCode.Success;
    }
}
