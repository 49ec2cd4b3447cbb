using static CaveComm.Domain.Commissions.CommissionCommand;
using static CaveComm.Domain.Commissions.CommissionEvent;
using Decision = CaveComm.Domain.Decision<CaveComm.Domain.Commissions.CommissionEvent>;

namespace CaveComm.Domain.Commissions;

/// <summary>The rules of money that a bank takes back.</summary>
internal static class CommissionDisputes
{
    /// <summary>However late it is heard of, and in whatever order: it was opened, and if it is decided, it was closed.</summary>
    public static Decision Record(Commission it, RecordDispute c)
    {
        var known = it.Disputes.FirstOrDefault(dispute => dispute.DisputeId == c.DisputeId);
        if (known is null && (!it.PaymentIds.Contains(c.PaymentId) || c.Amount.Currency != it.Coin))
        {
            return Decision.Refuse(RefusalKind.Invalid, "dispute-mismatch", $"Dispute {c.DisputeId} over {c.Amount} does not fit what is known of payment {c.PaymentId}.");
        }

        List<CommissionEvent> happened = [];
        if (known is null)
        {
            happened.Add(new DisputeOpened(c.DisputeId, c.PaymentId, c.Amount, c.Reason, c.EvidenceDueAt, it.Freelancer));
        }

        if (c.Won is { } won && known?.Won is null)
        {
            happened.Add(new DisputeClosed(c.DisputeId, won, known?.Amount ?? c.Amount, it.Freelancer));
        }

        return happened is [] ? Decision.Nothing : CommissionDecider.Delivering(it, [.. happened]);
    }
}
