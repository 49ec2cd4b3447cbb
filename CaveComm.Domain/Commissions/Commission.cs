using System.Diagnostics;
using System.Text.Json.Serialization;
using CaveComm.Domain.Payments;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Domain.Commissions;

/// <summary>What decisions about one commission need to know. Screens have projections.</summary>
public sealed record Commission : IState<Commission, CommissionEvent>
{
    public static Commission Initial { get; } = new();

    public string Freelancer { get; init; } = "";

    public string Provider { get; init; } = "";

    /// <summary>Null for work agreed elsewhere.</summary>
    public string? TemplateName { get; init; }

    public int? Slots { get; init; }

    public PaymentTerms PaymentTerms { get; init; }

    public Money Price { get; init; }

    public bool IsRequested { get; init; }

    public bool IsAccepted { get; init; }

    /// <summary>Declined, withdrawn or cancelled; null while the work may go on.</summary>
    public CommissionStatus? Ended { get; init; }

    /// <summary>The invoice that can be paid now.</summary>
    public OpenInvoice? Invoice { get; init; }

    public bool InvoiceHasExpired { get; init; }

    /// <summary>The attempt that the next invoice has: definite refusals, expiries and voids raise it.</summary>
    public int InvoiceAttempt { get; init; } = 1;

    /// <summary>The provider refused the last attempt, so it is not tried again by itself.</summary>
    public bool InvoiceSetUpHasFailed { get; init; }

    /// <summary>The open invoice was made unpayable; the freelancer says whether there shall be another.</summary>
    public bool InvoiceWasVoided { get; init; }

    /// <summary>The invoice whose payment was seen, and is neither confirmed nor gone as far as we know.</summary>
    public string? SeenInvoiceId { get; init; }

    /// <summary>How many payments were seen and never confirmed.</summary>
    public int LostPayments { get; init; }

    /// <summary>That became of the last one, and nothing has come in or was asked for since.</summary>
    public bool PaymentWasLost { get; init; }

    /// <summary>All payments that were told, in that order.</summary>
    public IReadOnlyList<KnownPayment> Payments { get; init; } = [];

    /// <summary>What is no longer asked for: honoured or credited.</summary>
    public Money Waived { get; init; }

    public IReadOnlyList<string> CreditIds { get; init; } = [];

    public IReadOnlyList<KnownRefund> Refunds { get; init; } = [];

    public IReadOnlyList<KnownDispute> Disputes { get; init; } = [];

    /// <summary>Ids of payments that were tried and failed; one may still succeed later.</summary>
    public IReadOnlyList<string> FailedPaymentIds { get; init; } = [];

    public int ProductVersion { get; init; }

    public int DeliveredVersion { get; init; }

    public int DownloadedVersion { get; init; }

    public int LinkGeneration { get; init; } = 1;

    public RequestedPayout? Payout { get; init; }

    public int PayoutAttempt { get; init; } = 1;

    /// <summary>The last payout that was refused, until another is requested. What Stripe had transferred for it lies on the freelancer's account.</summary>
    public RequestedPayout? RefusedPayout { get; init; }

    public bool IsPaidOut { get; init; }

    /// <summary>The provider's id of the payout that arrived.</summary>
    public string? PayoutId { get; init; }

    /// <summary>What customers and banks got back since the payout was requested, in minor units of its coin: the freelancer has it, and owes it.</summary>
    public long OwedMinor { get; init; }

    /// <summary>Ids of payout reversals that were told.</summary>
    public IReadOnlyList<string> ReversalIds { get; init; } = [];

    public bool IsCustomerErased { get; init; }

    [JsonIgnore]
    public IEnumerable<string> PaymentIds => Payments.Select(payment => payment.PaymentId);

    /// <summary>What counts towards the price: payments in time, and honoured ones.</summary>
    [JsonIgnore]
    public Money Received => Payments.Where(payment => payment.Counts).Aggregate(Money.Zero(Price.Currency), (sum, payment) => sum + payment.Amount);

    /// <summary>What the provider is paid in: bitcoin by BTCPay, else the currency of the price.</summary>
    [JsonIgnore]
    public string Coin => Provider == PaymentProviders.BtcPay ? "BTC" : Price.Currency;

    /// <summary>The same money in the coin that came in; null before the first payment.</summary>
    [JsonIgnore]
    public Money? ReceivedCoin => Payments.Where(payment => payment.Counts).Aggregate((Money?)null, (sum, payment) => sum is { } coin ? coin + payment.Received : payment.Received);

    /// <summary>Stripe's charge, where the money came by a single one: a transfer can be tied to one charge only.</summary>
    [JsonIgnore]
    public string? Charge => Payments.Where(payment => payment.Counts).ToList() is [{ Charge: { } charge }] ? charge : null;

    /// <summary>More came than was asked for; shown, so that it can be refunded.</summary>
    [JsonIgnore]
    public Money Surplus => Received.Minor > Price.Minor ? Received - Price : Money.Zero(Price.Currency);

    [JsonIgnore]
    public bool IsFullyPaid => IsRequested && Received.Minor + Waived.Minor >= Price.Minor;

    /// <summary>What is still missing; zero when fully paid.</summary>
    [JsonIgnore]
    public Money Missing => IsFullyPaid ? Money.Zero(Price.Currency) : Price - Received - Waived;

    /// <summary>What went back or is on its way back, in the price's currency.</summary>
    [JsonIgnore]
    public Money RefundedOrOnItsWay => Refunds.Where(refund => refund.Standing != RefundStanding.Failed).Aggregate(Money.Zero(Price.Currency), (sum, refund) => sum + refund.Amount);

    /// <summary>All that ever came in has gone back.</summary>
    [JsonIgnore]
    public bool IsRefundedInFull => Payments.Any(payment => payment.Amount.IsPositive) && Refunds.Where(refund => refund.Standing == RefundStanding.Refunded).Sum(refund => refund.Amount.Minor) >= Payments.Sum(payment => payment.Amount.Minor);

    /// <summary>The customer has paid the open invoice; the payment waits for its confirmation.</summary>
    [JsonIgnore]
    public bool IsPaymentSeen => Invoice is { } open && open.InvoiceId == SeenInvoiceId && !IsFullyPaid;

    /// <summary>Something went back, or is no longer asked for, and there is a credit for it; also where it came back later.</summary>
    [JsonIgnore]
    public bool HasCredit => CreditIds is not [] || Refunds.Any(refund => refund.Standing == RefundStanding.Refunded || refund.Sent.IsPositive);

    /// <summary>A bank holds the money, or kept it.</summary>
    [JsonIgnore]
    public bool IsDisputed => Disputes.Any(dispute => dispute.Won is not true);

    public bool IsDelivered => DeliveredVersion > 0;

    /// <summary>An invoice has to be set up now and is not.</summary>
    public bool NeedsInvoice => Ended is null && MayHaveInvoice;

    /// <summary>
    /// The provider may have an invoice that is not recorded: it is being set up. Also of work that was called off meanwhile; then it has to be
    /// found, so that it can be made unpayable.
    /// </summary>
    public bool MayHaveInvoice => IsAccepted && !IsFullyPaid && Invoice is null
        && !InvoiceHasExpired && !InvoiceWasVoided && !InvoiceSetUpHasFailed
        && (PaymentTerms == PaymentTerms.UpFront || ProductVersion > 0);

    /// <summary>The freelancer's money may be sent: delivered, paid, and not sent yet.</summary>
    /// <remarks>While a refund or a dispute is open nobody knows what of the money will stay.</remarks>
    public bool NeedsPayout => IsDelivered && IsFullyPaid && Payout is null && !IsPaidOut && (Held is { IsPositive: true } || LeftByHand.IsPositive)
        && Refunds.All(refund => refund.Standing != RefundStanding.Requested) && Disputes.All(dispute => dispute.Won is not null);

    /// <summary>What the provider still holds of the money that counts: what came in, less what went back and what banks keep. Null before the first payment.</summary>
    [JsonIgnore]
    public Money? Held => ReceivedCoin is not { } coin ? null : new Money(Math.Max(0, coin.Minor - CountedOf(Refunds.Where(it => it.Standing == RefundStanding.Refunded).Select(it => (it.PaymentId, it.Sent)))
        - CountedOf(Disputes.Where(it => it.Won is not true).Select(it => (it.PaymentId, it.Amount)))), coin.Currency);

    /// <summary>What is left of money that came past the provider, where none came by it; in the price's currency.</summary>
    [JsonIgnore]
    public Money LeftByHand => ReceivedCoin is { IsPositive: true }
        ? Money.Zero(Price.Currency)
        : Received with { Minor = Math.Max(0, Received.Minor - CountedOf(Refunds.Where(it => it.Standing == RefundStanding.Refunded).Select(it => (it.PaymentId, it.Amount)))) };

    public CommissionStatus Status => this switch
    {
        { IsRequested: false } => CommissionStatus.None,
        { Ended: { } ended } => ended,
        { IsDisputed: true } => CommissionStatus.Disputed,
        { IsRefundedInFull: true } => CommissionStatus.Refunded,
        { IsPaidOut: true } => CommissionStatus.PaidOut,
        { IsDelivered: true } => CommissionStatus.Delivered,
        { IsAccepted: false } => CommissionStatus.Requested,
        { IsFullyPaid: false, InvoiceHasExpired: true } => CommissionStatus.Expired,
        { PaymentTerms: PaymentTerms.UpFront, IsFullyPaid: true } => CommissionStatus.InProgress,
        { PaymentTerms: PaymentTerms.UpFront, Invoice: null } => CommissionStatus.Accepted,
        { PaymentTerms: PaymentTerms.OnDelivery, ProductVersion: 0 } => CommissionStatus.InProgress,
        _ => CommissionStatus.AwaitingPayment,
    };

    public static Commission Evolve(Commission it, CommissionEvent happened) => EvolveFacts(it, happened) with
    {
        OwedMinor = happened is PayoutFailed ? 0 : checked(it.OwedMinor + CommissionBalance.Debt(it, happened)),
    };

    private static Commission EvolveFacts(Commission it, CommissionEvent happened) => happened switch
    {
        Requested e => it with
        {
            IsRequested = true,
            Freelancer = e.Freelancer,
            Provider = e.Provider,
            TemplateName = e.Template.Name,
            Slots = e.Template.Slots,
            PaymentTerms = e.Template.PaymentTerms,
            Price = e.Template.Price,
            Waived = Money.Zero(e.Template.Price.Currency),
        },
        Accepted => it with { IsAccepted = true },
        Declined => it with { Ended = CommissionStatus.Declined },
        Withdrawn => it with { Ended = CommissionStatus.Withdrawn },
        Cancelled => it with { Ended = CommissionStatus.Cancelled },
        InvoiceIssued e => it with
        {
            Invoice = new OpenInvoice(e.Provider, e.InvoiceId, e.Amount),
            InvoiceHasExpired = false,
            InvoiceWasVoided = false,
            InvoiceSetUpHasFailed = false,
            PaymentWasLost = false,
        },
        InvoiceSetUpFailed => it with { InvoiceAttempt = it.InvoiceAttempt + 1, InvoiceSetUpHasFailed = true },
        InvoiceExpired => Unconfirmed(it) with { Invoice = null, InvoiceHasExpired = true, InvoiceAttempt = it.InvoiceAttempt + 1 },
        InvoiceVoided => Unconfirmed(it) with { Invoice = null, InvoiceWasVoided = true, InvoiceAttempt = it.InvoiceAttempt + 1 },
        InvoiceReissued => it with { InvoiceHasExpired = false, InvoiceWasVoided = false, InvoiceSetUpHasFailed = false },
        PaymentSeen e => it with { SeenInvoiceId = e.InvoiceId, PaymentWasLost = false },
        PaymentVanished => Unconfirmed(it),
        PaymentReceived e => it with { PaymentWasLost = false, Payments = [.. it.Payments, new KnownPayment(e.PaymentId, e.Amount, e.Received, e.Charge, Counts: !e.Late)] },
        LatePaymentHonoured e => it with
        {
            Payments = [.. it.Payments.Select(payment => e.PaymentIds.Contains(payment.PaymentId) ? payment with { Counts = true } : payment)],
            Waived = it.Waived + e.Waived,
        },
        InvoiceCredited e => it with { CreditIds = [.. it.CreditIds, e.CreditId], Waived = it.Waived + e.Amount },
        RefundRequested e => it with { Refunds = [.. it.Refunds, new KnownRefund(e.Number, null, e.Provider, e.PaymentId, e.Amount, Money.Zero(it.Coin), RefundStanding.Requested)] },
        RefundOffered e => it with { Refunds = [.. it.Refunds.Select(refund => refund.Number == e.Number ? refund with { RefundId = e.RefundId } : refund)] },
        RefundWithdrawn e => it with { Refunds = [.. it.Refunds.Select(refund => refund.Number == e.Number ? refund with { IsWithdrawn = true } : refund)] },
        Refunded e => it with { Refunds = CommissionRefunds.After(it, e) },
        RefundFailed e => it with { Refunds = CommissionRefunds.After(it, e) },
        DisputeOpened e => it with { Disputes = [.. it.Disputes, new KnownDispute(e.DisputeId, e.PaymentId, e.Amount, e.EvidenceDueAt, Won: null)] },
        DisputeClosed e => it with { Disputes = [.. it.Disputes.Select(dispute => dispute.DisputeId == e.DisputeId ? dispute with { Won = e.Won } : dispute)] },
        PayoutReversed e => it with { ReversalIds = [.. it.ReversalIds, e.ReversalId] },
        PaymentFailed e => it with { FailedPaymentIds = [.. it.FailedPaymentIds, e.PaymentId] },
        ProductUploaded e => it with { ProductVersion = e.ProductVersion },
        ReleasedUnpaid => it,
        Delivered e => it with { DeliveredVersion = e.ProductVersion },
        ProductDownloaded e => it with { DownloadedVersion = e.ProductVersion },
        DownloadLinkRenewed e => it with { LinkGeneration = e.LinkGeneration },
        PayoutRequested e => it with { Payout = new RequestedPayout(e.Attempt, e.Provider, e.Destination, e.Amount, e.Fee, e.Charge, e.HeldBack), RefusedPayout = null },
        PayoutFailed => it with { Payout = null, RefusedPayout = it.Payout, PayoutAttempt = it.PayoutAttempt + 1 },
        PaidOut e => it with { IsPaidOut = true, PayoutId = e.PayoutId },
        CustomerErased => it with { IsCustomerErased = true },
        _ => throw new UnreachableException($"Evolve does not know {happened.GetType().Name}."),
    };

    /// <summary>The share of the coins that came in which a refund is of; rounded down, and all of them for all of the payment.</summary>
    public Money CoinsOf(KnownRefund refund)
    {
        var payment = Payments.First(it => it.PaymentId == refund.PaymentId);
        return new Money((long)((Int128)payment.Received.Minor * refund.Amount.Minor / payment.Amount.Minor), payment.Received.Currency);
    }

    // The invoice is at its end, or open again. What was seen of its payment is not seen any more.
    private static Commission Unconfirmed(Commission it) => it.IsPaymentSeen ? it with { SeenInvoiceId = null, LostPayments = it.LostPayments + 1, PaymentWasLost = true } : it;

    private long CountedOf(IEnumerable<(string PaymentId, Money Coin)> taken) =>
        taken.Where(it => Payments.Any(payment => payment.Counts && payment.PaymentId == it.PaymentId)).Sum(it => it.Coin.Minor);
}

/// <summary>An invoice that the customer can pay.</summary>
public sealed record OpenInvoice(string Provider, string InvoiceId, Money Amount);

/// <summary>A payout whose money may be on its way.</summary>
public sealed record RequestedPayout(int Attempt, string Provider, string Destination, Money Amount, Money Fee, string? Charge, Money? HeldBack);
