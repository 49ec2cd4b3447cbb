using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace CaveComm.EventStore;

/// <summary>Composition.</summary>
public static class EventStoreRegistration
{
    /// <summary>Adds the store, its sessions (scoped) and its daemon. The tables are made when the host starts.</summary>
    public static IServiceCollection AddEventStore(this IServiceCollection services, Action<StoreOptions> configure) =>
        services.AddEventStore((_, options) => configure(options));

    /// <summary>As above, where the configuration needs services.</summary>
    public static IServiceCollection AddEventStore(this IServiceCollection services, Action<IServiceProvider, StoreOptions> configure)
    {
        services.AddSingleton(provider =>
        {
            var options = new StoreOptions();
            configure(provider, options);
            return new DocumentStore(options, provider.GetService<ILoggerFactory>(), provider.GetService<TimeProvider>());
        });
        services.AddSingleton<IDocumentStore>(provider => provider.GetRequiredService<DocumentStore>());
        services.TryAddSingleton(provider => provider.GetRequiredService<DocumentStore>().DataSource);
        services.AddSingleton<IPersonalData>(provider => provider.GetRequiredService<DocumentStore>().Personal);
        services.AddScoped(provider => provider.GetRequiredService<IDocumentStore>().LightweightSession());
        services.AddScoped(provider => provider.GetRequiredService<IDocumentStore>().QuerySession());
        services.AddSingleton(provider => provider.GetRequiredService<DocumentStore>().BuildProjectionDaemon());
        services.AddSingleton<IProjectionDaemon>(provider => provider.GetRequiredService<ProjectionDaemon>());
        services.AddSingleton(provider => provider.GetRequiredService<DocumentStore>().ProjectionOperations);
        services.AddSingleton(provider => provider.GetRequiredService<DocumentStore>().History);
        services.AddHostedService<EventStoreStartup>();
        return services;
    }
}
