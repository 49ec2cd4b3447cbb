using CaveComm.Api.Customers;
using CaveComm.Domain;
using Npgsql;

namespace CaveComm.Api.CommandLine.Backup;

/// <summary>Who was erased stays erased when an older database is put back.</summary>
internal static class ErasuresAfterRestore
{
    /// <summary>
    /// Gathers everybody who is known as erased (by the present register, the backup's, and the database that is about to be replaced) in
    /// the present register. To be called before anything is replaced: then whatever breaks off later, the product's next start erases again.
    /// </summary>
    /// <param name="backupFolder">Holds the backup's register, if it had one.</param>
    /// <param name="replaced">The database that is about to go; it may be empty.</param>
    public static async Task Remember(DataFolder data, string backupFolder, NpgsqlDataSource replaced, CancellationToken cancel)
    {
        using var register = RegisterIn(data.Path);
        using var earlier = RegisterIn(backupFolder);
        foreach (var erasure in (await earlier.All(cancel)).Concat(await In(replaced, cancel)))
        {
            await register.Remember(erasure, cancel);
        }
    }

    /// <summary>Erases again whom the database that was put back still knows.</summary>
    /// <returns>How many.</returns>
    public static async Task<int> Reapply(OperatorStore restored, CancellationToken cancel)
    {
        await using var scope = restored.Scope();
        return await scope.ServiceProvider.GetRequiredService<CustomerErasure>().ReapplyRemembered(cancel);
    }

    private static ErasureRegister RegisterIn(string folder) => new(
        new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("CaveComm:DataPath", (string?)folder)]).Build(), TimeProvider.System);

    // By SQL alone: the keys to this database may be lost, and that may be why it is replaced.
    private static async Task<IReadOnlyList<RememberedErasure>> In(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var tables = database.CreateCommand("select to_regclass('mt_events') is not null and to_regclass('cavecomm_personal_key') is not null");
        if (!(bool)(await tables.ExecuteScalarAsync(cancel))!)
        {
            return [];
        }

        await using var command = database.CreateCommand(
            """
            select subject, min(at) from (
                select stream_id as subject, timestamp as at from mt_events where type = $1
                union all
                select subject, erased_at from cavecomm_personal_key where erased_at is not null and starts_with(subject, $2)) as erased
            group by subject
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = "customer.erased" });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = StreamKey.Customer(null) });
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var erased = new List<RememberedErasure>();
        while (await rows.ReadAsync(cancel))
        {
            erased.Add(new RememberedErasure(StreamKey.CustomerId(rows.GetString(0)), rows.GetFieldValue<DateTimeOffset>(1)));
        }

        return erased;
    }
}
