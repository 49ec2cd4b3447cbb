using CaveComm.Projections.Payments;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CaveComm.Api.Purchases;

/// <summary>Whoever has paid has what was paid for, once it is there.</summary>
internal sealed class PurchasesCheck(IDocumentStore store, TimeProvider clock) : IHealthCheck
{
    /// <summary>How long a product that is there and paid may take to reach the customer.</summary>
    internal static readonly TimeSpan MostWait = TimeSpan.FromMinutes(5);

    private const int MostShown = 100;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await using var session = store.QuerySession();
        var late = await session.PurchasesWaitingSince(clock.GetUtcNow() - MostWait, MostShown, cancellationToken);
        var data = new Dictionary<string, object> { ["late"] = late.Count, ["page"] = PurchaseEndpoints.Path };
        if (late is not [var oldest, ..])
        {
            return HealthCheckResult.Healthy(data: data);
        }

        data["oldestSince"] = oldest.WaitingSince!.Value;
        var many = late.Count == MostShown ? $"{MostShown} or more" : $"{late.Count}";
        return HealthCheckResult.Degraded($"Paid, ready, and not delivered for more than {MostWait.TotalMinutes:0} minutes: {many}. An administrator finds them at {PurchaseEndpoints.Path}?status=paid.", data: data);
    }
}
