using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CaveComm.Api.Health;

/// <summary>Every view is complete and fed, and how far behind it is.</summary>
/// <remarks>
/// Asked of the database, so every node answers the same, whichever feeds a view. Anybody may ask, and counting what a view lacks costs the
/// database something: so all who ask within a moment get one answer.
/// </remarks>
internal sealed class ProjectionsCheck(IProjectionOperations operations, IProjectionDaemon daemon) : IHealthCheck, IDisposable
{
    private const double MostLagSeconds = 60;

    private readonly SharedAnswer shared = new();

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => shared.Get(Ask, cancellationToken);

    public void Dispose() => shared.Dispose();

    private async Task<HealthCheckResult> Ask(CancellationToken cancellationToken)
    {
        var views = await operations.List(cancellationToken);
        var data = views.ToDictionary(
            it => it.Name,
            object (it) => new { it.State, it.Version, it.Position, it.LagEvents, it.LagSeconds, it.Parked, it.Rebuild, it.Error });
        data["highWater"] = new { position = daemon.Shards.Select(it => it.HighWaterMark).DefaultIfEmpty().Max(), lagSeconds = views.Select(it => it.LagSeconds).DefaultIfEmpty().Max() };
        var (status, detail) = Judge(views);
        return new HealthCheckResult(status, detail, data: data);
    }

    /// <summary>A view that nobody should read makes the node unready; what somebody has to look at leaves it in service.</summary>
    internal static (HealthStatus Status, string? Detail) Judge(IReadOnlyList<ProjectionSummary> views)
    {
        if (Names(views, it => it.State == "building") is { } building)
        {
            return (HealthStatus.Unhealthy, $"Being built for the first time: {building}.");
        }

        if (views is [] || views.All(it => it.State == "stopped"))
        {
            return (HealthStatus.Unhealthy, "The projections have not started.");
        }

        string?[] worries =
        [
            Names(views, it => it.State == "faulted") is { } faulted ? $"Standing still: {faulted}." : null,
            Names(views, it => it.Parked > 0) is { } parked ? $"With parked keys: {parked}." : null,
            Names(views, it => it.State == "stopped") is { } stopped ? $"Fed by no node: {stopped}." : null,
            Names(views, it => it.State == "paused") is { } paused ? $"Paused: {paused}." : null,
            Names(views, it => it is { LagSeconds: > MostLagSeconds, State: "running" or "rebuilding" }) is { } late ? $"Far behind: {late}." : null,
        ];
        return worries.OfType<string>().ToList() is { Count: > 0 } told ? (HealthStatus.Degraded, string.Join(" ", told)) : (HealthStatus.Healthy, null);
    }

    private static string? Names(IReadOnlyList<ProjectionSummary> views, Predicate<ProjectionSummary> which) =>
        views.Where(it => which(it)).Select(it => it.Name).ToList() is { Count: > 0 } names ? string.Join(", ", names) : null;
}
