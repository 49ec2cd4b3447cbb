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
        (_, Withdraw or Cancel) when it is { Ended: null } and ({ IsDelivered: true } or { PaymentIds: not [] }) => TooLateToEnd(it),
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

        // Money that arrived is a fact: in whatever state, late or too much, it is recorded. Only a repeat is ignored.
        (_, RecordPayment c) when it.PaymentIds.Contains(c.PaymentId) => Decision.Nothing,
        (_, RecordPayment c) => RecordMoney(it, c),
        (_, RecordPaymentFailure c) => it.IsFullyPaid || it.PaymentIds.Contains(c.PaymentId) || it.FailedPaymentIds.Contains(c.PaymentId) ? Decision.Nothing : Decision.Record(new PaymentFailed(c.PaymentId)),

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

        (_, RequestPayout c) => it.NeedsPayout ? Decision.Record(Payout(it, c)) : Decision.Nothing,
        (_, RecordPayoutRefusal c) => c.Attempt == it.Payout?.Attempt && !it.IsPaidOut ? Decision.Record(new PayoutFailed(c.Attempt, c.Reason)) : Decision.Nothing,
        (_, ConfirmPayout c) => it.Payout is { } payout && c.Attempt == payout.Attempt && !it.IsPaidOut
            ? Decision.Record(new PaidOut(c.PayoutId, payout.Amount, payout.Fee, it.Freelancer))
            : Decision.Nothing,
        (_, MarkPaidOut) when it is { Payout: { Provider: PaymentProviders.Manual } payout } => it.IsPaidOut
            ? Decision.Nothing
            : Decision.Record(new PaidOut($"manual:{payout.Attempt}", payout.Amount, payout.Fee, it.Freelancer)),

        (_, ForgetCustomer) => it.IsCustomerErased ? Decision.Nothing : Decision.Record(new CustomerErased()),

        _ => Decision.Refuse(RefusalKind.Conflict, "wrong-stage", $"{Describe(command)} is not possible while the commission is {Describe(it.Status)}."),
    };

    private static Decision TooLateToEnd(Commission it) => Decision.Refuse(
        RefusalKind.Conflict,
        "wrong-stage",
        it.IsDelivered ? "The product was delivered already." : "Money has come in already, so the commission can only be finished or refunded.");

    private static Decision RecordMoney(Commission it, RecordPayment c)
    {
        if (c.Amount.Currency != it.Price.Currency)
        {
            return Decision.Refuse(
                RefusalKind.Invalid, "currency-mismatch", $"Payment {c.PaymentId} is in {c.Amount.Currency}, but the commission is priced in {it.Price.Currency}.");
        }

        if (it.ReceivedCoin is { } coin && coin.Currency != c.Received.Currency)
        {
            return Decision.Refuse(
                RefusalKind.Invalid, "currency-mismatch", $"Payment {c.PaymentId} came in {c.Received.Currency}, but what came before it was {coin.Currency}.");
        }

        var received = new PaymentReceived(c.InvoiceId, c.PaymentId, c.Amount, c.Received, c.At, c.Late, c.Charge, it.Freelancer);
        var after = Commission.Evolve(it, received);
        return after is { IsFullyPaid: true, ProductVersion: > 0, IsDelivered: false, Ended: null }
            ? Decision.Record(received, new Delivered(after.ProductVersion))
            : Decision.Record(received);
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

    private static PayoutRequested Payout(Commission it, RequestPayout c)
    {
        // Only what the provider holds can be sent by it. Money that went another way (out of band, or marked by hand), and a payout of which
        // the fee leaves nothing, is settled by hand.
        var held = it.ReceivedCoin ?? Money.Zero(it.Price.Currency);
        var fee = held.Share(c.FeeBasisPoints);
        if (c.Provider != PaymentProviders.Manual && (held - fee).IsPositive)
        {
            return new PayoutRequested(it.PayoutAttempt, c.Provider, c.Destination, held - fee, fee, it.Charge);
        }

        var received = held.IsPositive ? held : it.Received;
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
