using System.CommandLine;
using CaveComm.Api.Admin;
using CaveComm.Api.Pages;
using CaveComm.Domain;
using CaveComm.Domain.Admin;
using CaveComm.Sandbox.PostgreSql;
using CaveComm.Sandbox.Storage;
using Npgsql;

namespace CaveComm.Api.CommandLine.Backup;

/// <summary>Puts a backup in place of what is there. Until everything stands ready beside it, nothing of that is touched.</summary>
internal static class RestoreCommand
{
    public static Command Build()
    {
        var data = CommonOptions.Data();
        var file = new Argument<string>("file") { Description = "What 'backup' wrote.", HelpName = "FILE" };
        var force = new Option<bool>("--force") { Description = "Replace the events and files that are there; they are gone then." };
        var command = new Command("restore", "Put a backup in place: database, keys and files.") { file, force, data };
        command.SetAction((parsed, cancel) => Guarded(parsed.GetRequiredValue(file), parsed.GetRequiredValue(data), parsed.GetValue(force), cancel));
        return command;
    }

    private static async Task<int> Guarded(string path, string dataPath, bool force, CancellationToken cancel)
    {
        if (!File.Exists(path))
        {
            throw new CommandFailure($"There is no file {path}.");
        }

        try
        {
            return await Run(path, dataPath, force, cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            throw new CommandFailure("Interrupted before anything was replaced.");
        }
        catch (Exception broken) when (broken is InvalidDataException or EndOfStreamException or System.Text.Json.JsonException)
        {
            throw new CommandFailure($"{path} cannot be restored: {broken.Message} Nothing was changed.");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"{path} was not restored: {refused.Message}");
        }
        catch (NpgsqlException failed)
        {
            throw new CommandFailure($"{path} was not restored, the database does not do what it should: {failed.Message}");
        }
    }

    private static async Task<int> Run(string path, string dataPath, bool force, CancellationToken cancel)
    {
        await using var file = new FileStream(path, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan, BufferSize = 1 << 16 });
        BackupManifest manifest;
        using (var line = ProgressLine.OnError("Check", "bytes"))
        {
            manifest = await BackupFile.Verify(file, it => line.Show(it, (double)it / file.Length), cancel);
        }

        var configuration = OperatorConfiguration.Load();
        var data = DataFolder.OpenToRestore(dataPath);
        var place = StoragePlace.Of(configuration, data);

        // Held to the end, so that no product starts on what is being replaced.
        using var sandbox = Unused(data.SandboxLock, data);
        using var product = Unused(data.UpLock, data);
        Refuse(!force && !place.FilesAreElsewhere && StoragePlace.FilesIn(place.Files).Any(), $"There are files in {place.Files}");

        var configured = configuration.Value("ConnectionStrings:CaveComm");
        await using var postgres = configured is null ? await PrivatePostgres.Start(data.Path, cancel) : null;
        var connection = postgres?.ConnectionString ?? configured!;
        var tools = await PostgresTools.For(connection, cancel);
        await using (var present = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connection) { Pooling = false }))
        {
            await RefuseIfInUse(present, cancel);
            Refuse(!force && await HasEvents(present, cancel), "There are events in the database");
            using var staged = await Unpack(file, manifest, place, data, cancel);
            await Console.Error.WriteLineAsync("Restoring the database …");
            await using var database = await RestoredDatabase.Fill(connection, tools, staged.Dump, cancel);
            await ErasuresAfterRestore.Remember(data, staged.Folder, present, cancel);
            cancel.ThrowIfCancellationRequested();
            await Swap(data, staged, database, withFiles: !place.FilesAreElsewhere);
        }

        // From here on it is the backup's database. If this breaks off, the product's next start does it.
        await using var restored = await OperatorStore.OpenOrMake(configuration, data, CancellationToken.None);
        var end = await restored.Audit.End(CancellationToken.None);
        await Record(restored, manifest, end);
        await SessionsAfterRestore.EndAll(restored, CancellationToken.None);
        var again = await ErasuresAfterRestore.Reapply(restored, CancellationToken.None);
        Console.WriteLine(
            $"Restored what was saved on {manifest.At.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC: the database (position {Numbers.Of(end)} in the log), "
            + $"{manifest.InFolder(BackupManifest.Keys).Count()} keys and {manifest.InFolder(BackupManifest.Files).Count()} files.");
        if (again > 0)
        {
            Console.WriteLine($"{again} customers who had been erased since then were erased again.");
        }

        return ExitCode.Success;
    }

    // Who reads the log shall see that it was put back, and how far it went.
    private static async Task Record(OperatorStore restored, BackupManifest manifest, long end)
    {
        await using var session = restored.Store.LightweightSession();
        session.LastModifiedBy = Asker.Operator(null).Actor;
        session.Events.Append(StreamKey.Installation, new InstallationEvent.Restored(manifest.At, end));
        await session.SaveChangesAsync(CancellationToken.None);
    }

    private static async Task<StagedBackup> Unpack(FileStream file, BackupManifest manifest, StoragePlace place, DataFolder data, CancellationToken cancel)
    {
        using var line = ProgressLine.OnError("Unpack", "bytes");
        var total = Math.Max(1, manifest.Parts.Sum(it => it.Size));
        return await StagedBackup.Unpack(file, manifest, place, data, it => line.Show(it, (double)it / total), cancel);
    }

    // Folders first, since they can be put back; the database's names last, since they change all at once.
    // A kill in between leaves the mark, and nothing starts on keys that belong to another database.
    private static async Task Swap(DataFolder data, StagedBackup staged, RestoredDatabase database, bool withFiles)
    {
        await PrivateFile.Write(data.RestoreMark, "", CancellationToken.None);
        try
        {
            staged.PutInPlace(withFiles);
            await database.TakeOver(CancellationToken.None);
        }
        catch
        {
            staged.PutBack();
            File.Delete(data.RestoreMark);
            throw;
        }

        staged.Keep();
        File.Delete(data.RestoreMark);
    }

    private static FileLock Unused(string path, DataFolder data) => FileLock.TryTake(path) ?? throw new CommandFailure(
        $"CaveComm runs on {data.Path}. Stop it first; a restore replaces what it works with.", ExitCode.InUse);

    private static void Refuse(bool exists, string what)
    {
        if (exists)
        {
            throw new CommandFailure($"{what}, and a restore would replace them. Restore into another folder with --data, or add --force to lose them.");
        }
    }

    private static async Task<bool> HasEvents(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var find = database.CreateCommand("select to_regclass('mt_events') is not null");
        if (!(bool)(await find.ExecuteScalarAsync(cancel))!)
        {
            return false;
        }

        await using var any = database.CreateCommand("select exists (select from mt_events)");
        return (bool)(await any.ExecuteScalarAsync(cancel))!;
    }

    // Nodes that were started elsewhere, or without the folder's locks. A connection that was just closed stays listed for a moment.
    private static async Task RefuseIfInUse(NpgsqlDataSource database, CancellationToken cancel)
    {
        for (var looks = 1; await Users(database, cancel) is { } users; looks++)
        {
            if (looks == 20)
            {
                throw new CommandFailure($"The database is in use by {users}. Stop what uses it first.", ExitCode.InUse);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), cancel);
        }
    }

    private static async Task<string?> Users(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(
            """
            select string_agg(distinct coalesce(nullif(application_name, ''), client_addr::text, 'a local program'), ', ')
            from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
            """);
        return await command.ExecuteScalarAsync(cancel) as string;
    }
}
