using Microsoft.Extensions.Hosting;

namespace CaveComm.EventStore;

/// <summary>Makes the tables before anything else of the host starts, then runs the daemon with it.</summary>
internal sealed class EventStoreStartup(DocumentStore store, ProjectionDaemon daemon) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => store.ApplyAllConfiguredChangesToDatabaseAsync(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) =>
        store.Options.Projections.RunDaemon ? daemon.StartAllAsync() : Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => daemon.StopAllAsync();

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
