using CaveComm.Providers;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CaveComm.Api.Health;

/// <summary>Whether the outside parties answer this node. Work for one that does not waits, so the node stays in service.</summary>
internal sealed class ProvidersCheck(IProviderStates providers) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var states = providers.States;
        var data = states.ToDictionary(it => it.Provider, object (it) => new { it.Circuit, it.UnderWay });
        var silent = states.Where(it => it.Circuit != "closed").Select(it => it.Provider).ToList();
        return Task.FromResult(silent is []
            ? HealthCheckResult.Healthy(data: data)
            : HealthCheckResult.Degraded($"Left alone for now, their work waits: {string.Join(", ", silent)}.", data: data));
    }
}
