namespace CaveComm.Api.Composition;

/// <summary>Makes the tables that events and views need, where no host does it at its start.</summary>
internal static class Tables
{
    /// <summary>Asked outright, Marten would migrate even where its migrations are off; a database that holds events is left as it is.</summary>
    public static async Task Make(IServiceProvider services, CancellationToken cancel)
    {
        var connection = services.GetRequiredService<IConfiguration>().GetConnectionString(MartenBackend.ConnectionName)!;
        if (!MartenTables.Exist(connection))
        {
            await services.GetRequiredService<IDocumentStore>().Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        }
    }
}
