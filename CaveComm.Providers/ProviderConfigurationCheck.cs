using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CaveComm.Providers;

/// <summary>Looks at the configuration before anything else starts.</summary>
internal sealed class ProviderConfigurationCheck(ProviderSettings settings, IHostEnvironment environment, ILogger<ProviderConfigurationCheck> log)
    : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        if (settings.Missing.Count > 0 && environment.IsProduction())
        {
            throw new ProviderConfigurationException(settings.Missing);
        }

        foreach (var missing in settings.Missing)
        {
            log.LogWarning("Not offered for want of configuration: {Setting}", missing);
        }

        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
