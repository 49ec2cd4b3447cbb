using CaveComm.Domain.Payments;
using static CaveComm.Domain.Commissions.CommissionCommand;
using static CaveComm.Domain.Commissions.CommissionEvent;
using Decision = CaveComm.Domain.Decision<CaveComm.Domain.Commissions.CommissionEvent>;

namespace CaveComm.Domain.Commissions;

/// <summary>The rules of money that goes back to the customer.</summary>
internal static class CommissionRefunds
{
    /// <summary>A refund is recorded before the provider is called; one for each payment that it takes from.</summary>
    public static Decision Ask(Commission it, Refund c)
    {
        if (it.Payments is [])
        {
            return Decision.Refuse(RefusalKind.Conflict, "nothing-to-refund", $"Nothing has come in: {Money.Zero(it.Price.Currency)} of {it.Price} was received.");
        }

        if (c.Amount.Currency != it.Price.Currency)
        {
            return Decision.Refuse(RefusalKind.Invalid, "currency-mismatch", $"The commission is priced in {it.Price.Currency}, so its refunds are too; {c.Amount} is not.");
        }

        if (!c.Amount.IsPositive)
        {
            return Decision.Refuse(RefusalKind.Invalid, "invalid-amount", "A refund is of more than nothing.");
        }

        // What a bank has taken back, or may, cannot be sent a second time.
        var refundable = it.Payments.Select(payment => (Payment: payment, Left: LeftOf(it, payment))).Where(row => row.Left > 0).ToList();
        var most = new Money(refundable.Sum(row => row.Left), it.Price.Currency);
        if (c.Amount.Minor > most.Minor)
        {
            var received = new Money(it.Payments.Sum(payment => payment.Amount.Minor), it.Price.Currency);
            return Decision.Refuse(
                most.IsZero ? RefusalKind.Conflict : RefusalKind.Invalid,
                most.IsZero ? "nothing-to-refund" : "refund-too-high",
                $"{received} came in, {it.RefundedOrOnItsWay} of it went back or is on its way, and {Disputed(it)} is disputed: at most {most} can be refunded, not {c.Amount}.");
        }

        var requests = new List<CommissionEvent>();
        var missing = c.Amount.Minor;
        var number = it.Refunds.Count(refund => refund.Number is not null);
        foreach (var (payment, left) in refundable)
        {
            if (missing == 0)
            {
                break;
            }

            var part = Math.Min(missing, left);
            missing -= part;

            // Money that the provider never held can only go back the way it came: by hand.
            var provider = payment.Received.IsPositive ? it.Provider : PaymentProviders.Manual;
            requests.Add(new RefundRequested(++number, provider, payment.PaymentId, new Money(part, c.Amount.Currency), c.Reason));
        }

        return Decision.Record([.. requests]);
    }

    public static Decision RecordOffer(Commission it, RecordRefundOffer c) => Find(it, c.Number, null) is { Standing: RefundStanding.Requested, RefundId: null }
        ? Decision.Record(new RefundOffered(c.Number, c.RefundId, c.ClaimUrl))
        : Decision.Nothing;

    /// <summary>An offer that nobody claims would keep the rest of the money waiting for ever.</summary>
    public static Decision Withdraw(Commission it, WithdrawRefund c) => Find(it, c.Number, null) switch
    {
        null => Decision.Refuse(RefusalKind.Missing, "no-such-refund", $"There is no refund {c.Number}."),
        { Standing: RefundStanding.Requested, IsWithdrawn: true } => Decision.Nothing,
        { Standing: RefundStanding.Requested, Provider: PaymentProviders.BtcPay, RefundId: not null } => Decision.Record(new RefundWithdrawn(c.Number)),
        _ => Decision.Refuse(RefusalKind.Conflict, "wrong-stage", "Only a refund that waits to be claimed can be withdrawn."),
    };

    /// <summary>What was sent is a fact, whoever asked for it. Only a repeat is ignored.</summary>
    public static Decision Record(Commission it, RecordRefund c)
    {
        // One that failed stays failed: what says otherwise was read before.
        if (Find(it, c.Number, c.RefundId) is { Standing: RefundStanding.Refunded or RefundStanding.Failed })
        {
            return Decision.Nothing;
        }

        if (c.Number is not null && Find(it, c.Number, null) is null)
        {
            return Decision.Refuse(RefusalKind.Missing, "no-such-refund", $"There is no refund {c.Number}.");
        }

        if (!c.Amount.IsPositive || c.Sent.Minor < 0 || !it.PaymentIds.Contains(c.PaymentId) || c.Amount.Currency != it.Price.Currency || c.Sent.Currency != it.Coin)
        {
            return Decision.Refuse(RefusalKind.Invalid, "refund-mismatch", $"Refund {c.RefundId} of {c.Amount} ({c.Sent}) does not fit what is known of payment {c.PaymentId}.");
        }

        return Decision.Record(new Refunded(c.Number ?? Find(it, null, c.RefundId)?.Number, c.RefundId, c.PaymentId, c.Amount, c.Sent, it.Freelancer));
    }

    public static Decision RecordFailure(Commission it, RecordRefundFailure c) => Find(it, c.Number, c.RefundId) switch
    {
        null or { Standing: RefundStanding.Failed } => Decision.Nothing,
        var refund => Decision.Record(new RefundFailed(refund.Number, c.RefundId ?? refund.RefundId, refund.PaymentId, refund.Amount, refund.Sent, c.Reason, it.Freelancer)),
    };

    public static Decision MarkDone(Commission it, MarkRefunded c) => Find(it, c.Number, null) switch
    {
        { Standing: RefundStanding.Refunded } => Decision.Nothing,
        { Provider: PaymentProviders.Manual, Standing: RefundStanding.Requested } refund => Decision.Record(
            new Refunded(c.Number, $"{PaymentProviders.Manual}:{c.Number}", refund.PaymentId, refund.Amount, Money.Zero(it.Coin), it.Freelancer)),
        null => Decision.Refuse(RefusalKind.Missing, "no-such-refund", $"There is no refund {c.Number}."),
        _ => Decision.Refuse(RefusalKind.Conflict, "wrong-stage", "Only a refund that is made by hand and still open can be marked as made."),
    };

    public static IReadOnlyList<KnownRefund> After(Commission it, Refunded e) => Find(it, e.Number, e.RefundId) is { } known
        ? Replaced(it, known, known with { RefundId = e.RefundId, Amount = e.Amount, Sent = e.Sent, Standing = RefundStanding.Refunded })
        : [.. it.Refunds, new KnownRefund(null, e.RefundId, it.Provider, e.PaymentId, e.Amount, e.Sent, RefundStanding.Refunded)];

    public static IReadOnlyList<KnownRefund> After(Commission it, RefundFailed e) => Find(it, e.Number, e.RefundId) is { } known
        ? Replaced(it, known, known with { RefundId = e.RefundId, Standing = RefundStanding.Failed })
        : it.Refunds;

    private static KnownRefund? Find(Commission it, int? number, string? refundId) =>
        it.Refunds.FirstOrDefault(refund => number is not null && refund.Number == number) ?? it.Refunds.FirstOrDefault(refund => refundId is not null && refund.RefundId == refundId);

    private static IReadOnlyList<KnownRefund> Replaced(Commission it, KnownRefund known, KnownRefund by) => [.. it.Refunds.Select(refund => refund == known ? by : refund)];

    // In the price's currency. A payment that is disputed at all is left alone: the bank decides about it.
    private static long LeftOf(Commission it, KnownPayment payment) => IsDisputed(it, payment)
        ? 0
        : payment.Amount.Minor - it.Refunds.Where(refund => refund.PaymentId == payment.PaymentId && refund.Standing != RefundStanding.Failed).Sum(refund => refund.Amount.Minor);

    private static bool IsDisputed(Commission it, KnownPayment payment) => it.Disputes.Any(dispute => dispute.PaymentId == payment.PaymentId && dispute.Won is not true);

    private static Money Disputed(Commission it) => new(it.Payments.Where(payment => IsDisputed(it, payment)).Sum(payment => payment.Amount.Minor), it.Price.Currency);
}
