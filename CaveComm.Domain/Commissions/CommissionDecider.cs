using CaveComm.Domain.Payments;
using static CaveComm.Domain.Commissions.CommissionCommand;
using static CaveComm.Domain.Commissions.CommissionEvent;
using Decision = CaveComm.Domain.Decision<CaveComm.Domain.Commissions.CommissionEvent>;

namespace CaveComm.Domain.Commissions;

/// <summary>The rules of a commission (spec: commissions.md, "Rules a pure decider must hold").</summary>
public static class CommissionDecider
{
    public static Decision Decide(Commission it, CommissionCommand command) => (it.Status, command) switch
    {
        (CommissionStatus.None, Request c) => Decision.Record(new Requested(c.Freelancer, c.Customer, c.Template, c.Provider, c.Answers, c.AcceptedTerms)),
        (CommissionStatus.None, EnterAgreed c) => Decision.Record(
            new Requested(c.Freelancer, c.Customer, c.Work, c.Provider, new Dictionary<string, string>(), AcceptedTerms: false), new Accepted()),
        (CommissionStatus.None, _) => Decision.Refuse(RefusalKind.Missing, "no-such-commission", "There is no such commission."),

        (CommissionStatus.Requested, Accept) => Decision.Record(new Accepted()),
        (CommissionStatus.Requested, Decline c) => Decision.Record(new Declined(c.Reason)),

        // Taking back and calling off are open until money has come or the product has gone.
        (CommissionStatus.Withdrawn, Withdraw) or (CommissionStatus.Cancelled, Cancel) => Decision.Nothing,
        (_, Withdraw or Cancel) when it is { Ended: null } and ({ IsDelivered: true } or { Payments: not [] } or { IsPaymentSeen: true }) => TooLateToEnd(it),
        (CommissionStatus.Requested, Withdraw) => Decision.Record(new Withdrawn()),
        (CommissionStatus.Accepted or CommissionStatus.AwaitingPayment or CommissionStatus.Expired, Withdraw) when it.PaymentTerms == PaymentTerms.UpFront =>
            Decision.Record(new Withdrawn()),
        (CommissionStatus.Accepted or CommissionStatus.AwaitingPayment or CommissionStatus.InProgress or CommissionStatus.Expired, Cancel c) =>
            Decision.Record(new Cancelled(c.Reason)),

        // One open invoice at a time. An answer to an attempt that is over is an old answer told again.
        (_, RecordInvoice c) when c.Attempt != it.InvoiceAttempt || it.Invoice is not null || it.IsFullyPaid => Decision.Nothing,
        (_, RecordInvoice c) when it.IsAccepted => Decision.Record(new InvoiceIssued(c.Attempt, it.Provider, c.InvoiceId, c.Number, it.Missing, c.PayUrl, c.DueAt, it.Freelancer)),
        (_, RecordInvoiceRefusal c) => c.Attempt == it.InvoiceAttempt && it.Invoice is null
            ? Decision.Record(new InvoiceSetUpFailed(c.Attempt, it.Provider, c.Reason))
            : Decision.Nothing,
        (_, RecordInvoiceExpiry c) => it.Invoice is { } open && c.InvoiceId == open.InvoiceId && !it.IsFullyPaid
            ? Decision.Record(new InvoiceExpired(c.InvoiceId, open.Amount, it.Freelancer))
            : Decision.Nothing,
        (_, RecordInvoiceVoid c) => it.Invoice is { } open && c.InvoiceId == open.InvoiceId && !it.IsFullyPaid
            ? Decision.Record(new InvoiceVoided(c.InvoiceId, open.Amount, it.Freelancer))
            : Decision.Nothing,

        // Seen is not paid: it is shown, and nothing is begun on it.
        (_, RecordPaymentSeen c) => it.Invoice?.InvoiceId == c.InvoiceId && it is { IsPaymentSeen: false, IsFullyPaid: false } ? Decision.Record(new PaymentSeen(c.InvoiceId)) : Decision.Nothing,
        (_, RecordNothingSeen c) => it.IsPaymentSeen && it.SeenInvoiceId == c.InvoiceId ? Decision.Record(new PaymentVanished(c.InvoiceId)) : Decision.Nothing,

        (_, ReissueInvoice) => Reissue(it),

        // Money that arrived is a fact: in whatever state, late or too much, it is recorded. Only a repeat is ignored.
        (_, RecordPayment c) when it.PaymentIds.Contains(c.PaymentId) => CountAfterAll(it, c),
        (_, RecordPayment c) => RecordMoney(it, c),
        (_, RecordPaymentFailure c) => it.IsFullyPaid || it.PaymentIds.Contains(c.PaymentId) || it.FailedPaymentIds.Contains(c.PaymentId) ? Decision.Nothing : Decision.Record(new PaymentFailed(c.PaymentId)),

        (_, Honour) => HonourMoney(it),
        (_, RecordCredit c) => it.CreditIds.Contains(c.CreditId) || c.Amount.Currency != it.Price.Currency || it.IsFullyPaid
            ? Decision.Nothing
            : Delivering(it, new InvoiceCredited(c.CreditId, c.InvoiceId, c.Amount, it.Freelancer)),

        (_, Refund c) => CommissionRefunds.Ask(it, c),
        (_, RecordRefundOffer c) => CommissionRefunds.RecordOffer(it, c),
        (_, WithdrawRefund c) => CommissionRefunds.Withdraw(it, c),
        (_, RecordRefund c) => CommissionRefunds.Record(it, c),
        (_, RecordRefundFailure c) => CommissionRefunds.RecordFailure(it, c),
        (_, MarkRefunded c) => CommissionRefunds.MarkDone(it, c),
        (_, RecordDispute c) => CommissionDisputes.Record(it, c),

        // Nobody works for money that went back.
        (CommissionStatus.Refunded or CommissionStatus.Disputed, UploadProduct or Release) when !it.IsDelivered => Decision.Refuse(
            RefusalKind.Conflict, "wrong-stage", $"The money was {Describe(it.Status)}, so there is nothing to deliver for it."),
        (_, UploadProduct c) when it is { IsAccepted: true, Ended: null } => Upload(it, c),
        (_, Release) when it is { IsAccepted: true, Ended: null } => (it.ProductVersion, it.IsDelivered) switch
        {
            (0, _) => Decision.Refuse(RefusalKind.Conflict, "nothing-to-deliver", "Upload the final product first; then it can be released."),
            (_, true) => Decision.Nothing,
            _ => Decision.Record(new ReleasedUnpaid(), new Delivered(it.ProductVersion)),
        },

        (_, RecordDownload c) => c.ProductVersion <= it.DownloadedVersion || c.ProductVersion > it.DeliveredVersion
            ? Decision.Nothing
            : Decision.Record(new ProductDownloaded(c.ProductVersion, c.FileId)),
        (_, RenewLink c) when it.IsDelivered => c.Generation == it.LinkGeneration ? Decision.Record(new DownloadLinkRenewed(it.LinkGeneration + 1)) : Decision.Nothing,

        (_, RequestPayout c) => it.NeedsPayout ? Paying(it, Payout(it, c)) : Decision.Nothing,
        (_, RecordPayoutRefusal c) => c.Attempt == it.Payout?.Attempt && !it.IsPaidOut ? Decision.Record(new PayoutFailed(c.Attempt, c.Reason)) : Decision.Nothing,
        (_, ConfirmPayout c) => it.Payout is { } payout && c.Attempt == payout.Attempt && !it.IsPaidOut
            ? Decision.Record(new PaidOut(c.PayoutId, payout.Amount, payout.Fee, it.Freelancer))
            : Decision.Nothing,
        (_, RecordPayoutReversal c) => !it.IsPaidOut || it.ReversalIds.Contains(c.ReversalId)
            ? Decision.Nothing
            : Decision.Record(new PayoutReversed(c.PayoutId, c.ReversalId, c.Amount, it.Freelancer)),
        (_, MarkPaidOut) when it is { Payout: { Provider: PaymentProviders.Manual } payout } => it.IsPaidOut
            ? Decision.Nothing
            : Decision.Record(new PaidOut($"manual:{payout.Attempt}", payout.Amount, payout.Fee, it.Freelancer)),

        (_, ForgetCustomer) => it.IsCustomerErased ? Decision.Nothing : Decision.Record(new CustomerErased()),

        _ => Decision.Refuse(RefusalKind.Conflict, "wrong-stage", $"{Describe(command)} is not possible while the commission is {Describe(it.Status)}."),
    };

    private static Decision TooLateToEnd(Commission it) => Decision.Refuse(
        RefusalKind.Conflict,
        "wrong-stage",
        it switch
        {
            { IsDelivered: true } => "The product was delivered already.",
            { Payments: [] } => "A payment was seen and waits for its confirmation. Until it is known whether it arrives, the commission cannot be ended.",
            _ => "Money has come in already, so the commission can only be finished or refunded.",
        });

    private static Decision RecordMoney(Commission it, RecordPayment c)
    {
        if (c.Amount.Currency != it.Price.Currency)
        {
            return Decision.Refuse(
                RefusalKind.Invalid, "currency-mismatch", $"Payment {c.PaymentId} is in {c.Amount.Currency}, but the commission is priced in {it.Price.Currency}.");
        }

        if (it.Coin != c.Received.Currency)
        {
            return Decision.Refuse(RefusalKind.Invalid, "currency-mismatch", $"Payment {c.PaymentId} came in {c.Received.Currency}, but {it.Provider} is paid in {it.Coin}.");
        }

        return Delivering(it, new PaymentReceived(c.InvoiceId, c.PaymentId, c.Amount, c.Received, c.At, c.Late, c.Charge, it.Freelancer, c.Fee is { IsPositive: true } ? c.Fee : null));
    }

    // It was late when it was told, and the provider calls the invoice settled since: somebody there has decided what the freelancer was asked here.
    private static Decision CountAfterAll(Commission it, RecordPayment c) =>
        !c.Late && it is { IsAccepted: true, Ended: null } && it.Payments.First(payment => payment.PaymentId == c.PaymentId) is { Counts: false } late
        && !it.Refunds.Any(refund => refund.PaymentId == late.PaymentId && refund.Standing != RefundStanding.Failed)
            ? Delivering(it, new LatePaymentHonoured([late.PaymentId], Money.Zero(it.Price.Currency), it.Freelancer))
            : Decision.Nothing;

    // What makes the work paid delivers a product that has been waiting for it.
    internal static Decision Delivering(Commission it, params CommissionEvent[] happened)
    {
        var after = happened.Aggregate(it, Commission.Evolve);
        return after is { IsFullyPaid: true, ProductVersion: > 0, IsDelivered: false, Ended: null, IsRefundedInFull: false, IsDisputed: false }
            ? Decision.Record([.. happened, new Delivered(after.ProductVersion)])
            : Decision.Record(happened);
    }

    private static Decision Reissue(Commission it) => it switch
    {
        { IsCustomerErased: true } => Decision.Refuse(RefusalKind.Conflict, "customer-erased", "The customer's personal data was erased, so no invoice can be made out."),
        { IsFullyPaid: true } => Decision.Refuse(RefusalKind.Conflict, "wrong-stage", "The commission is paid already."),
        { Invoice: not null } => Decision.Refuse(RefusalKind.Conflict, "invoice-open", "There is an open invoice; another one can follow when it has expired or was voided."),
        { IsAccepted: true, Ended: null } and ({ InvoiceHasExpired: true } or { InvoiceWasVoided: true } or { InvoiceSetUpHasFailed: true }) =>
            Decision.Record(new InvoiceReissued(it.InvoiceAttempt)),
        { NeedsInvoice: true } => Decision.Nothing,
        _ => Decision.Refuse(RefusalKind.Conflict, "wrong-stage", $"No invoice is due while the commission is {Describe(it.Status)}."),
    };

    private static Decision HonourMoney(Commission it)
    {
        // What went back already is not taken for the price.
        var late = it.Payments.Where(payment => !payment.Counts && !it.Refunds.Any(refund => refund.PaymentId == payment.PaymentId && refund.Standing != RefundStanding.Failed)).ToList();
        if (it is not { IsAccepted: true, Ended: null })
        {
            return Decision.Refuse(RefusalKind.Conflict, "wrong-stage", $"The commission is {Describe(it.Status)}; money that came for it can only be refunded.");
        }

        if (it.IsFullyPaid || (late is [] && !it.Received.IsPositive))
        {
            return Decision.Refuse(
                RefusalKind.Conflict, "nothing-to-honour", it.IsFullyPaid ? "The commission is paid already; what came beyond that can be refunded." : "Nothing has come in that could be honoured.");
        }

        var honoured = new LatePaymentHonoured([.. late.Select(payment => payment.PaymentId)], Money.Zero(it.Price.Currency), it.Freelancer);
        return Delivering(it, honoured with { Waived = Commission.Evolve(it, honoured).Missing });
    }

    private static Decision Upload(Commission it, UploadProduct c)
    {
        if (c.Files is [])
        {
            return Decision.Refuse(RefusalKind.Invalid, "no-files", "Send at least one file.");
        }

        var uploaded = new ProductUploaded(it.ProductVersion + 1, c.Files);
        return it.IsFullyPaid || it.IsDelivered
            ? Decision.Record(uploaded, new Delivered(uploaded.ProductVersion))
            : Decision.Record(uploaded);
    }

    // Where all of it is held back there is nothing to send and nobody to wait for.
    private static Decision Paying(Commission it, PayoutRequested payout) => payout is { HeldBack: not null, Amount.IsZero: true }
        ? Decision.Record(payout, new PaidOut($"held-back:{payout.Attempt}", payout.Amount, payout.Fee, it.Freelancer))
        : Decision.Record(payout);

    private static PayoutRequested Payout(Commission it, RequestPayout c)
    {
        // Only what the provider holds can be sent by it. Money that went another way (out of band, or marked by hand), and a payout of which
        // the fee leaves nothing, is settled by hand.
        var held = it.Held ?? Money.Zero(it.Price.Currency);
        var fee = held.Share(c.FeeBasisPoints);
        var due = held - fee;
        if (due.IsPositive && c.Owed is { IsPositive: true } owed && owed.Currency == due.Currency)
        {
            var heldBack = due.Minor < owed.Minor ? due : owed;
            var provider = due.Minor > heldBack.Minor ? c.Provider : PaymentProviders.Manual;
            return new PayoutRequested(it.PayoutAttempt, provider, c.Destination, due - heldBack, fee, provider == PaymentProviders.Manual ? null : it.Charge, heldBack);
        }

        if (c.Provider != PaymentProviders.Manual && due.IsPositive)
        {
            return new PayoutRequested(it.PayoutAttempt, c.Provider, c.Destination, due, fee, it.Charge);
        }

        var received = held.IsPositive ? held : it.LeftByHand;
        var share = received.Share(c.FeeBasisPoints);
        return new PayoutRequested(it.PayoutAttempt, PaymentProviders.Manual, c.Destination, received - share, share, null);
    }

    private static string Describe(CommissionCommand command) => command switch
    {
        Accept => "Accepting",
        Decline => "Declining",
        Withdraw => "Withdrawing",
        Cancel => "Cancelling",
        UploadProduct => "Uploading the product",
        Release => "Releasing the product unpaid",
        RenewLink => "Renewing the download link",
        MarkPaidOut => "Marking as paid out",
        Refund => "Refunding",
        Honour => "Honouring a payment",
        ReissueInvoice => "Issuing another invoice",
        _ => command.GetType().Name,
    };

    private static string Describe(CommissionStatus status) => status switch
    {
        CommissionStatus.AwaitingPayment => "awaiting payment",
        CommissionStatus.InProgress => "in progress",
        CommissionStatus.PaidOut => "paid out",
        _ => status.ToString().ToLowerInvariant(),
    };
}
