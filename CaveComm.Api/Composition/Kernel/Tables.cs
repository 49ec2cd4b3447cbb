namespace CaveComm.Api.Composition;

/// <summary>Makes the tables that events and views need, where no host does it at its start.</summary>
internal static class Tables
{
    public static Task Make(IServiceProvider services, CancellationToken cancel) =>
        services.GetRequiredService<DocumentStore>().ApplyAllConfiguredChangesToDatabaseAsync(cancel);
}
