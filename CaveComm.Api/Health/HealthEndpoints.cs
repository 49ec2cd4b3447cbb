using System.Text.Json;
using CaveComm.Api.Admin;
using CaveComm.Api.Http;
using CaveComm.Api.Ledger;
using CaveComm.Api.Purchases;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace CaveComm.Api.Health;

/// <summary><c>/health/live</c>: the process answers. <c>/health/ready</c>: it can do its work, with the reasons when it cannot.</summary>
internal static class HealthEndpoints
{
    public static void AddCaveCommHealth(this IServiceCollection services) => services
        .AddSingleton<ProjectionsCheck>()
        .AddSingleton<MessagesCheck>()
        .AddHealthChecks()
        .AddCheck<DatabaseCheck>("database")
        .AddCheck<ProjectionsCheck>("projections")
        .AddCheck<MessagesCheck>("messages")
        .AddCheck<ProvidersCheck>("providers")
        .AddCheck<LedgerCheck>("ledger", HealthStatus.Degraded)
        .AddCheck<PurchasesCheck>("purchases", HealthStatus.Degraded);

    public static void MapCaveCommHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", () => TypedResults.Json(new { status = "healthy" })).WithName("Live");
        routes.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = Write }).WithName("Ready");
    }

    private static Task Write(HttpContext http, HealthReport report)
    {
        http.Response.ContentType = "application/json";
        var body = new
        {
            status = report.Status.ToString().ToLowerInvariant(),
            checks = report.Entries.ToDictionary(
                entry => entry.Key,
                entry => new { status = entry.Value.Status.ToString().ToLowerInvariant(), detail = Detail(entry.Value), data = entry.Value.Data }),
        };
        return JsonSerializer.SerializeAsync(http.Response.Body, body, Json.Options, http.RequestAborted);
    }

    // A check that breaks off is described by its exception, which may name hosts and accounts; anybody may read this.
    private static string? Detail(HealthReportEntry entry) =>
        entry.Exception is { } broken && entry.Description == broken.Message ? "This could not be checked; the log says why." : entry.Description;
}

internal sealed class DatabaseCheck(NpgsqlDataSource database) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var command = database.CreateCommand("select 1");
            await command.ExecuteScalarAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (NpgsqlException down)
        {
            return HealthCheckResult.Unhealthy("The database does not answer.", down);
        }
    }
}

/// <summary>Messages are being worked off, and none lies dead.</summary>
internal sealed class MessagesCheck(IMessageStore messages) : IHealthCheck, IDisposable
{
    private static readonly TimeSpan MostDueAge = TimeSpan.FromMinutes(5);

    private readonly SharedAnswer shared = new();

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => shared.Get(Ask, cancellationToken);

    public void Dispose() => shared.Dispose();

    private async Task<HealthCheckResult> Ask(CancellationToken cancel)
    {
        var counts = await messages.Count(cancel);
        var data = new Dictionary<string, object> { ["counts"] = counts, ["page"] = MessageEndpoints.Path };
        return counts switch
        {
            { Dead: > 0 } => HealthCheckResult.Degraded($"{counts.Dead} messages lie dead: an administrator finds them at {MessageEndpoints.Path}.", data: data),
            _ when counts.OldestDueAge > MostDueAge => HealthCheckResult.Degraded($"A message has been due for long: an administrator finds it at {MessageEndpoints.Path}.", data: data),
            _ => HealthCheckResult.Healthy(data: data),
        };
    }
}
