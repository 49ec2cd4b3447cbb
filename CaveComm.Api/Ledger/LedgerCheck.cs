using CaveComm.Projections.Ledger;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CaveComm.Api.Ledger;

/// <summary>Every set of the ledger sums to zero: the view notes it with each event, so it is asked for and not added up.</summary>
internal sealed class LedgerCheck(IDocumentStore store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await using var session = store.QuerySession();
        return Judge(await session.UnbalancedBook(cancellationToken));
    }

    /// <summary>Anybody may read this: a set is named by its place in the log, which says nothing to strangers.</summary>
    internal static HealthCheckResult Judge(LedgerBook? unbalanced)
    {
        var data = new Dictionary<string, object> { ["balanced"] = unbalanced is null, ["page"] = LedgerEndpoints.Path };
        if (unbalanced is null)
        {
            return HealthCheckResult.Healthy(data: data);
        }

        var set = unbalanced.Sets.First(it => !Domain.Payments.Ledger.IsBalanced(it.Entries)).Sequence;
        data["set"] = set;
        return HealthCheckResult.Degraded($"The ledger's set {set} does not sum to zero. An administrator finds it at {LedgerEndpoints.Path}.", data: data);
    }
}
